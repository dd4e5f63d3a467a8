"""Parts of models: what a plan with a start builds, or the preview of one that is forward-only.

Each of their rows is held to its rules; how many rows there are, and whether that agrees with other
products, says nothing of a part.
"""

from __future__ import annotations

from typing import Any

from sqlmesh.core.console import get_console
from sqlmesh.core.snapshot import Snapshot, SnapshotEvaluator

from mesh.contracts.audits import AUDIT
from mesh.wrapping import wrap

INSTALLED = "_knows_parts"
PREVIEW = "preview"
"""What an audit of a part is told by, among the variables that its query is rendered with."""


def install() -> None:
    """Let SQLMesh tell audits of parts, once per process."""
    if not getattr(SnapshotEvaluator, INSTALLED, False):
        setattr(SnapshotEvaluator, INSTALLED, True)
        wrap(SnapshotEvaluator, "audit", _of_a_part)


def mark_part(evaluator: SnapshotEvaluator, snapshot: Snapshot, kwargs: dict[str, Any]) -> bool:
    """Tell the audits of a version that lacks rows of its model; whether promises are among them.

    Where the engine clones tables, the preview of one that is forward-only has all rows that there
    were.
    """
    index = kwargs.get("deployability_index")
    if index is None or index.is_representative(snapshot):
        return False
    if snapshot.is_forward_only and evaluator.get_adapter(snapshot.model_gateway).SUPPORTS_CLONING:
        return False
    kwargs[PREVIEW] = True
    return snapshot.is_model and any(name == AUDIT for name, _ in snapshot.model.audits)


def _of_a_part(
    original: Any, evaluator: SnapshotEvaluator, snapshot: Snapshot, **kwargs: Any
) -> list[Any]:
    if PREVIEW not in kwargs and mark_part(evaluator, snapshot, kwargs):
        told = evaluator.__dict__.setdefault("parts_told", set())
        if snapshot.name not in told:
            # Its batches are audited one by one.
            told.add(snapshot.name)
            get_console().log_warning(
                f"{snapshot.name} is built in part, as with a start or forward-only: how many rows "
                "its contract promises, and whether they agree with other products, is not checked."
            )
    audited: list[Any] = original(evaluator, snapshot, **kwargs)
    return audited
