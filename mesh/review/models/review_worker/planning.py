"""SQLMesh's view of a change: the plan against prod, or the categories against the base; and what
a configuration says of plans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel
from sqlmesh import Context
from sqlmesh.core.config import Config
from sqlmesh.core.context_diff import ContextDiff
from sqlmesh.core.model import SqlModel
from sqlmesh.core.plan import Plan as SqlmeshPlan
from sqlmesh.core.snapshot import Snapshot
from sqlmesh.core.snapshot.categorizer import categorize_change

from .facts import Plan, Planned, short

_DELIVERY = re.compile(r"\bdelivery \d+ of ")
# Of the configuration what plans are made by; none of it is a secret.
_OF_PLANS = (
    *("after_all", "before_all", "cicd_bot", "default_gateway", "environment_catalog_mapping"),
    *("environment_suffix_target", "environment_ttl", "gateway_managed_virtual_layer"),
    *("ignore_patterns", "model_defaults", "physical_schema_mapping"),
    *("physical_table_naming_convention", "pinned_environments", "plan", "run", "snapshot_ttl"),
    *("time_column_format", "virtual_environment_mode"),
)
CATEGORIES = {
    1: "breaking",
    2: "non-breaking",
    3: "forward-only",
    4: "indirect breaking",
    5: "indirect non-breaking",
    6: "metadata",
}


def plan_against_prod(context: Context) -> Plan | None:
    """What `sqlmesh plan prod` would do; None when there is no such environment in the state."""
    if context.state_reader.get_environment("prod") is None:
        return None
    plan = context.plan_builder(
        "prod", skip_tests=True, skip_linter=True, include_unmodified=False
    ).build()
    diff = plan.context_diff
    delivered = _delivered(context, diff)
    changed = [
        _planned(plan, diff, snapshot, delivered)
        for snapshot in diff.snapshots.values()
        # What was built in another environment before is new here all the same.
        if snapshot.name in diff.modified_snapshots or snapshot.snapshot_id in diff.added
    ]
    return _plan("prod", changed, (short(gone.name) for gone in diff.removed_snapshots))


def _plan(against: Literal["prod", "base"], models: list[Planned], removed: Iterable[str]) -> Plan:
    ordered = sorted(models, key=lambda item: (item.how, item.model))
    return Plan(against, tuple(ordered), tuple(sorted(removed)))


def _delivered(context: Context, diff: ContextDiff) -> set[str]:
    """Models that differ by newer data alone: a delivery is part of a version, in its stamp."""
    found: set[str] = set()
    for name in context.dag.sorted:
        if name not in diff.modified_snapshots:
            continue
        now, was = diff.modified_snapshots[name]
        parents = {parent.name for parent in now.parents} & diff.modified_snapshots.keys()
        by_parents = not diff.directly_modified(name) and bool(parents)
        if (by_parents or _by_stamp(now.node, was.node)) and parents <= found:
            found.add(name)
    return found


def _by_stamp(now: object, was: object) -> bool:
    if not isinstance(now, SqlModel) or not isinstance(was, SqlModel):
        return False
    same = now.copy(update={"stamp": was.stamp, "end": was.end})
    is_delivery = any(_DELIVERY.search(one.stamp or "") for one in (now, was))
    return is_delivery and now.stamp != was.stamp and same.data_hash == was.data_hash


def _planned(
    plan: SqlmeshPlan, diff: ContextDiff, snapshot: Snapshot, delivered: set[str]
) -> Planned:
    name, how, category = short(snapshot.name), "added", ""
    if snapshot.name in delivered:
        how = "newer delivery"
    elif snapshot.name in diff.modified_snapshots:
        direct, about = diff.directly_modified(snapshot.name), diff.metadata_updated(snapshot.name)
        how = "directly modified" if direct else "metadata" if about else "indirectly modified"
        category = _word(snapshot.change_category)
    missing = (i for i in plan.missing_intervals if i.snapshot_id == snapshot.snapshot_id)
    spans = [(_day(a), _day(b)) for item in missing for a, b in item.merged_intervals]
    return Planned(name, how, category, tuple(spans))


def _word(category: int | None) -> str:
    return CATEGORIES.get(int(category), "") if category is not None else "not decided"


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def snapshots_of(context: Context) -> dict[str, str]:
    """The snapshots of a project as JSON, to be compared in the other process."""
    return {short(s.name): s.json() for s in context.snapshots.values() if s.is_model}


def plan_against_base(context: Context, base: Mapping[str, str]) -> Plan:
    """The same by comparing with the base: for where no prod was ever planned."""
    old = {name: Snapshot.parse_raw(text) for name, text in base.items()}
    new = {short(s.name): s for s in context.snapshots.values() if s.is_model}
    changed = []
    for name, snapshot in new.items():
        before = old.get(name)
        if before is None:
            changed.append(Planned(name, "added"))
            continue
        was, now = before.fingerprint, snapshot.fingerprint
        if was.data_hash != now.data_hash:
            category = categorize_change(snapshot, before, config=context.auto_categorize_changes)
            changed.append(Planned(name, "directly modified", _word(category)))
        elif was.parent_data_hash != now.parent_data_hash:
            changed.append(Planned(name, "indirectly modified", "indirect"))
        elif was.metadata_hash != now.metadata_hash:
            changed.append(Planned(name, "metadata", "metadata"))
    return _plan("base", changed, set(old) - set(new))


def settings(config: Config) -> Mapping[str, str]:
    """Each setting by its place, as in `plan.forward_only`, with its value as text."""
    return dict(one for name in _OF_PLANS for one in _flat(name, getattr(config, name, None)))


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = {name.rstrip("_"): getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _flat(f"{place}.{getattr(key, 'pattern', key)}", one)
    elif isinstance(value, (set, frozenset)):
        yield from _flat(place, sorted(map(str, value)))
    elif value not in (None, [], ()):
        yield place, str(value.value if isinstance(value, Enum) else value)
