"""Parts of models: what a plan with a start builds, or the preview of one that is forward-only.

Each of their rows is held to its rules; how many rows there are, and whether that agrees with other
products, says nothing of a part.
"""

from __future__ import annotations

from typing import Any

from sqlmesh.core.console import get_console
from sqlmesh.core.snapshot import Snapshot, SnapshotEvaluator

from mesh.wrapping import wrap

INSTALLED = "_knows_parts"
PREVIEW = "preview"
"""What an audit of a part is told by, among the variables that its query is rendered with."""


def install() -> None:
    """Let SQLMesh tell audits of parts, once per process."""
    if not getattr(SnapshotEvaluator, INSTALLED, False):
        setattr(SnapshotEvaluator, INSTALLED, True)
        wrap(SnapshotEvaluator, "audit", _of_a_part)


def _of_a_part(
    original: Any, evaluator: SnapshotEvaluator, snapshot: Snapshot, **kwargs: Any
) -> list[Any]:
    index = kwargs.get("deployability_index")
    if index is not None and not index.is_representative(snapshot) and PREVIEW not in kwargs:
        kwargs[PREVIEW] = True
        if snapshot.node.audits_with_args:
            get_console().log_warning(
                f"{snapshot.name} is built in part, as with a start or forward-only: how many rows "
                "it has, and whether that agrees with other products, is not checked."
            )
    audited: list[Any] = original(evaluator, snapshot, **kwargs)
    return audited
