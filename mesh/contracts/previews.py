"""Parts of models: what a plan with a start builds, or the preview of one that is forward-only.

Each of their rows is held to its rules; how many rows there are, and whether that agrees with other
products, says nothing of a part.
"""

from __future__ import annotations

from typing import Any

from sqlmesh.core.console import get_console
from sqlmesh.core.snapshot import DeployabilityIndex, Snapshot, SnapshotEvaluator

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


def is_part(
    evaluator: SnapshotEvaluator, snapshot: Snapshot, index: DeployabilityIndex | None
) -> bool:
    """Whether a version lacks rows of its model. Where the engine clones tables, the preview of one
    that is forward-only has all rows that there were."""
    if index is None or index.is_representative(snapshot):
        return False
    adapter = evaluator.get_adapter(snapshot.model_gateway)
    return not (snapshot.is_forward_only and adapter.SUPPORTS_CLONING)


def has_contract(snapshot: Snapshot) -> bool:
    """Whether its audits ask for promises."""
    return snapshot.is_model and any(name == AUDIT for name, _ in snapshot.model.audits)


def _of_a_part(
    original: Any, evaluator: SnapshotEvaluator, snapshot: Snapshot, **kwargs: Any
) -> list[Any]:
    if PREVIEW not in kwargs and is_part(evaluator, snapshot, kwargs.get("deployability_index")):
        kwargs[PREVIEW] = True
        told = evaluator.__dict__.setdefault("parts_told", set())
        if snapshot.name not in told and has_contract(snapshot):
            # Its batches are audited one by one.
            told.add(snapshot.name)
            get_console().log_warning(
                f"{snapshot.name} is built in part, as with a start or forward-only: how many rows "
                "its contract promises, and whether they agree with other products, is not checked."
            )
    audited: list[Any] = original(evaluator, snapshot, **kwargs)
    return audited
