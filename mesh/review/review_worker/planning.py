"""SQLMesh's view of a change: the plan against prod, or the categories against the base."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .project import short

CATEGORIES = {
    1: "breaking",
    2: "non-breaking",
    3: "forward-only",
    4: "indirect breaking",
    5: "indirect non-breaking",
    6: "metadata",
}


def plan_against(context: Any, environment: str = "prod") -> dict[str, Any] | None:
    """What `sqlmesh plan prod` would do; None when there is no such environment in the state."""
    if context.state_reader.get_environment(environment) is None:
        return None
    plan = context.plan_builder(
        environment,
        skip_tests=True,
        skip_linter=True,
        include_unmodified=False,
    ).build()
    diff = plan.context_diff
    changed = []
    for snapshot in diff.snapshots.values():
        if snapshot.name in diff.modified_snapshots or snapshot.snapshot_id in diff.new_snapshots:
            how = _how(diff, snapshot)
            changed.append(
                {
                    "model": short(snapshot.name),
                    "how": how,
                    "category": _category(snapshot) if how != "added" else "",
                    "intervals": _intervals(plan, snapshot),
                }
            )
    removed = [short(identity.name) for identity in diff.removed_snapshots]
    return {
        "against": environment,
        "models": sorted(changed, key=lambda item: (item["how"], item["model"])),
        "removed": sorted(removed),
    }


def _how(diff: Any, snapshot: Any) -> str:
    if snapshot.name not in diff.modified_snapshots:
        return "added"
    if diff.directly_modified(snapshot.name):
        return "directly modified"
    return "metadata" if diff.metadata_updated(snapshot.name) else "indirectly modified"


def _category(snapshot: Any) -> str:
    category = snapshot.change_category
    return CATEGORIES.get(int(category), "") if category is not None else "not decided"


def _intervals(plan: Any, snapshot: Any) -> list[list[str]]:
    for item in plan.missing_intervals:
        if item.snapshot_id == snapshot.snapshot_id:
            return [[_day(start), _day(end)] for start, end in item.merged_intervals]
    return []


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def snapshots_of(context: Any) -> dict[str, str]:
    """The snapshots of a project as JSON, to be compared in the other process."""
    return {short(s.name): s.json() for s in context.snapshots.values() if s.is_model}


def plan_against_base(context: Any, base: dict[str, str]) -> dict[str, Any]:
    """The same by comparing with the base: for where no prod was ever planned."""
    from sqlmesh.core.snapshot import Snapshot
    from sqlmesh.core.snapshot.categorizer import categorize_change

    old = {name: Snapshot.parse_raw(text) for name, text in base.items()}
    new = {short(s.name): s for s in context.snapshots.values() if s.is_model}
    changed = []
    for name, snapshot in new.items():
        before = old.get(name)
        if before is None:
            changed.append({"model": name, "how": "added", "category": "", "intervals": []})
            continue
        was, now = before.fingerprint, snapshot.fingerprint
        if was.data_hash != now.data_hash:
            category = categorize_change(snapshot, before, config=context.auto_categorize_changes)
            word = CATEGORIES.get(int(category), "") if category is not None else "not decided"
            how = "directly modified"
        elif was.parent_data_hash != now.parent_data_hash:
            how, word = "indirectly modified", "indirect"
        elif was.metadata_hash != now.metadata_hash:
            how, word = "metadata", "metadata"
        else:
            continue
        changed.append({"model": name, "how": how, "category": word, "intervals": []})
    return {
        "against": "base",
        "models": sorted(changed, key=lambda item: (item["how"], item["model"])),
        "removed": sorted(set(old) - set(new)),
    }
