"""Which models of a plan keep their tables, where SQLMesh lets too many of them do so.

Of a model that changed through others alone, SQLMesh asks the new versions among those it reads
whether their change breaks anything. It does not see a change that is no longer new (a plan failed
after it was made, or another environment had it first) once anything else that the model reads is
new, if only by a contract; nor one further up, below a model that got another column. The model
would keep a table of rows from before the change, and be shown as up to date.
"""

from __future__ import annotations

from typing import Any

from sqlmesh.core.plan import PlanBuilder
from sqlmesh.core.snapshot import Snapshot, SnapshotChangeCategory

from mesh.wrapping import wrap

BREAKING = (SnapshotChangeCategory.BREAKING, SnapshotChangeCategory.INDIRECT_BREAKING)


def install() -> None:
    """Give a model a new table wherever the rows that it reads are others."""
    wrap(PlanBuilder, "_categorize_snapshot", _categorize)


def _categorize(original: Any, builder: Any, snapshot: Snapshot, *args: Any, **kwargs: Any) -> None:
    original(builder, snapshot, *args, **kwargs)
    keeps_its_table = snapshot.change_category not in (*BREAKING, None)
    difference = builder._context_diff
    if (
        keeps_its_table
        and not snapshot.forward_only
        and difference.indirectly_modified(snapshot.name)
        and _reads_other_rows(difference, snapshot)
    ):
        snapshot.categorize_as(SnapshotChangeCategory.INDIRECT_BREAKING)


def _reads_other_rows(difference: Any, snapshot: Snapshot) -> bool:
    """Whether a change that breaks lies between what it read before and what it reads now.

    Changes further up count as those of its parents; each of these is categorized by now.
    """
    above, seen = list(snapshot.parents), set()
    while above:
        one = above.pop()
        parent = difference.snapshots.get(one)
        if one in seen or parent is None or parent.name not in difference.modified_snapshots:
            continue
        if _is_broken_since(parent, difference.modified_snapshots[parent.name][1]):
            return True
        seen.add(one)
        above.extend(parent.parents)
    return False


def _is_broken_since(snapshot: Snapshot, before: Snapshot) -> bool:
    """Whether a version, or one between it and the one before, breaks what is built on it.

    Of a version of another line nothing is known, so it does.
    """
    categories = [snapshot.change_category]
    for version in reversed(snapshot.previous_versions):
        if version.snapshot_id(snapshot.name) == before.snapshot_id:
            return any(category in BREAKING for category in categories)
        categories.append(version.change_category)
    return True
