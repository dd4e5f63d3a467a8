"""A drafted contract as the document that is written: what was seen, and what is left to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from mesh.catalogue.profile import Profile
from mesh.contracts import Contract
from mesh.contracts.constraints import COLUMN_KINDS, options
from mesh.contracts.constraints.base import OPTIONS, Seen
from mesh.contracts.findings import TODO
from mesh.contracts.personal import person
from mesh.contracts.sql import is_plain
from mesh.contracts.types import (
    CLASSIFICATIONS,
    DUCKDB_TYPE,
    LOGICAL,
    PERSONAL,
    TIME_UNITS,
    TIMED,
)
from mesh.files.dumper import Dumper
from mesh.lint.persons import Persons
from mesh.lint.schedule import longest_gap

if TYPE_CHECKING:
    from sqlmesh.core.model import Model

EXAMPLE_LENGTH = 60
*_FIRST, _LAST = (name for name in CLASSIFICATIONS if name != PERSONAL)
_OTHERS = f"{', '.join(_FIRST)} or {_LAST}"
NO_EXAMPLE = f"{TODO} a value that it may have"
UNMEASURED = {"id": f"{TODO} the id of the rule that measures it"}


@dataclass(frozen=True)
class Found:
    """All that a draft is made from.

    types: of the columns, as BigQuery writes them. narrower: as DuckDB does, where it keeps them in
    a type of fewer values. is_empty: whether it has been built, without a row.
    """

    types: dict[str, str]
    narrower: dict[str, str]
    seen: Profile | None
    grain: tuple[str, ...]
    known: Mapping[str, Contract]
    servers: list[dict[str, Any]]
    model: Model
    models: Mapping[str, Model]
    is_empty: bool
    ties: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def personal(self) -> set[str]:
        """The columns that lead to a person, by their names or by what they are made of."""
        named = {person(c.name) for one in self.known.values() for c in one.personal_columns}
        persons = Persons(self.models, self.known)
        return {
            column
            for column in self.types
            if person(column) in named or persons.origin(self.model, column)
        }

    @cached_property
    def every(self) -> tuple[int, str] | None:
        """How often the model is built, as a frequency; None of a table of a source."""
        gap = None if self.model.kind.is_external else longest_gap(self.model.cron).days
        units = ((366, "y"), (31, "month"), (7, "w"), (1, "d"))
        return next(((1, u) for days, u in units if gap >= days - 1), (1, "d")) if gap else None


def _people(domain: str, known: Mapping[str, Contract]) -> dict[str, Any]:
    """Team, support and roles of another contract of the domain: mostly they are the same."""
    for contract in known.values():
        if contract.domain == domain:
            data = yaml.safe_load(contract.path.read_text(encoding="utf-8"))
            return {key: data[key] for key in ("team", "support", "roles")}
    return {
        "team": {"name": domain, "description": f"{TODO} who the team is"},
        "support": [{"channel": f"{TODO} where to ask", "description": f"{TODO} what to expect"}],
        "roles": [
            {"role": f"{TODO} who may read", "access": "read", "description": f"{TODO} who that is"}
        ],
    }


def document(domain: str, name: str, found: Found) -> dict[str, Any]:
    """The contract as YAML holds it, with TODO where somebody has to write."""
    types, seen = found.types, found.seen
    schema = {
        "id": name,
        "name": name,
        "logicalType": "object",
        "physicalType": "view" if found.model.kind.is_view else "table",
        "dataGranularityDescription": f"{TODO} what one row stands for",
        "properties": [_column(column, found) for column in types],
        "quality": [*found.ties, *_rules(seen, found.is_empty)],
    }
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": f"{domain}.{name}",
        "name": name,
        "version": "1.0.0",
        "status": "draft",
        "domain": domain,
        "description": {
            "purpose": f"{TODO} what the product is for",
            "usage": f"{TODO} how to use it",
            "limitations": f"{TODO} what it cannot be used for",
        },
        "servers": found.servers,
        "schema": [schema],
        "slaProperties": _levels(found),
        **_people(domain, found.known),
    }


def _column(name: str, found: Found) -> dict[str, Any]:
    kind, grain = found.types[name], found.grain
    seen = found.seen.columns[name] if found.seen else None
    column: dict[str, Any] = {
        "id": name,
        "name": name,
        "logicalType": LOGICAL[kind],
        "physicalType": kind,
        "description": f"{TODO} what it means, with its unit",
        "classification": PERSONAL
        if name in found.personal
        else f"{TODO} {PERSONAL} if it leads to a person, else {_OTHERS}",
        "required": name in grain or (seen is not None and not seen.nulls),
    }
    if name in grain:
        column |= {"primaryKey": True, "primaryKeyPosition": grain.index(name) + 1}
    if name in found.narrower:
        kept = {"property": DUCKDB_TYPE, "value": found.narrower[name]}
        column["customProperties"] = [kept]
    if seen is None:
        return column | {"examples": [NO_EXAMPLE]}
    if name in found.personal and kind == "STRING":
        # A draft is kept in git, and shows nobody.
        seen = Seen(nulls=seen.nulls, minimum=None, maximum=None)
        column["examples"] = ["person 1"]
    # What the data keeps and is likely meant; an author narrows or widens it.
    proposed = {
        key: value for one in COLUMN_KINDS for key, value in one.propose(kind, seen).items()
    }
    limits = {key: proposed.pop(key) for key in options() if key in proposed}
    column |= proposed
    if limits:
        column[OPTIONS] = limits
    column["examples"] = _examples(seen) or column.get("examples", [NO_EXAMPLE])
    return column


def _examples(seen: Seen) -> list[Any]:
    both = [seen.minimum, seen.maximum]
    told = [
        one.isoformat() if isinstance(one, date | datetime) else one
        for one in dict.fromkeys(both)
        if one is not None
    ]
    return [one for one in told if not isinstance(one, str) or 0 < len(one) <= EXAMPLE_LENGTH]


def _rules(seen: Profile | None, is_empty: bool) -> list[dict[str, Any]]:
    rules = [
        {
            "id": f"{column}_is_a_first_day",
            "type": "sql",
            "description": f"{column} is the first day of its month.",
            "dimension": "conformity",
            "severity": "error",
            "query": f"SELECT COUNT(*) FROM ${{table}} WHERE NOT (EXTRACT(DAY FROM {column}) = 1)",
            "mustBe": 0,
        }
        for column in sorted(seen.first_days if seen else ())
        if is_plain(column)
    ]
    least, between = (0, "At most") if is_empty else (1, "Between one and")
    most = 10 ** max(6, len(str(seen.rows if seen else 0)) + 2)
    return [
        *rules,
        {
            "id": "row_count",
            "type": "library",
            "metric": "rowCount",
            "description": f"{between} {most:,} rows.",
            "dimension": "completeness",
            "severity": "error",
            "mustBeBetween": [least, most],
        },
    ]


def _levels(found: Found) -> list[dict[str, Any]]:
    types, grain, every = found.types, found.grain, found.every
    times = [name for name, kind in types.items() if kind in TIMED]
    by_time = found.model.time_column
    built_by = by_time.column.name if by_time else None
    time = next((name for name in times if name == built_by), None)
    time = time or next((name for name in times if name in grain), times[0] if times else None)
    element = {"element": time} if time else {}
    levels = [
        {
            "id": "completeness",
            "property": "completeness",
            "value": 100,
            "unit": "percent",
            "customProperties": [
                {"property": "measuredBy", "value": next(iter(found.ties), UNMEASURED)["id"]}
            ],
            "description": f"{TODO} what is all there",
        },
        {
            "id": "retention",
            "property": "retention",
            "value": 50,
            "unit": "y",
            **element,
            "description": f"{TODO} how long it is kept, and why",
        },
    ]
    if every:
        value, unit = every
        often = {"id": "frequency", "property": "frequency", "value": value, "unit": unit}
        levels.append({**often, "description": f"{TODO} when it is built again"})
    if time:
        # A build that came just before the end of its span, and the span until the next.
        days = 2 * round(TIME_UNITS[every[1]][0]) if every else 62
        fresh = {"id": "freshness", "property": "freshness", "value": days, "unit": "d", **element}
        levels.insert(0, {**fresh, "description": f"{TODO} how late the newest rows may be"})
    return levels


def written(draft: dict[str, Any]) -> str:
    """Its text."""
    return yaml.dump(draft, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=98, indent=2)
