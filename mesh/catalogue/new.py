"""A first draft of a contract, from what SQLMesh infers of a model and from its data.

What can be seen is filled in; what only a person knows says TODO, and lint refuses that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlglot import exp

from mesh.catalogue.noticing import MOST_ROWS, noticing
from mesh.catalogue.profile import Profile, profile
from mesh.catalogue.tied import tied
from mesh.catalogue.unbuilt import drafted_rows, place_of
from mesh.catalogue.unit_test import draft_test
from mesh.contracts import Contract, usable_contracts
from mesh.contracts.constraints import COLUMN_KINDS, options
from mesh.contracts.constraints.base import OPTIONS, Seen
from mesh.contracts.draft import SUFFIX
from mesh.contracts.findings import TODO
from mesh.contracts.lint import lint
from mesh.contracts.personal import person
from mesh.contracts.types import DUCKDB_TYPE, LOGICAL_TYPES, NARROWER, PERSONAL, TIME_UNITS
from mesh.environments import Opened
from mesh.environments.names import INTERNAL_SUFFIX, is_public
from mesh.errors import Location, WrongUse
from mesh.files.problems import suggestion
from mesh.lint.persons import Persons
from mesh.lint.schedule import longest_gap
from mesh.project import display

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

EXAMPLE_LENGTH = 60
UNMEASURED = {"id": f"{TODO} the id of the rule that measures it"}
_LOGICAL = {kind: logical for logical, kinds in LOGICAL_TYPES.items() for kind in kinds}


@dataclass(frozen=True)
class _Found:
    """All that a draft is made from.

    types: of the columns, as BigQuery writes them. narrower: as DuckDB does, where it keeps them in
    a type of fewer values.
    """

    types: dict[str, str]
    narrower: dict[str, str]
    seen: Profile | None
    grain: tuple[str, ...]
    known: Mapping[str, Contract]
    servers: list[dict[str, Any]]
    model: Model
    models: Mapping[str, Model]
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


@dataclass(frozen=True)
class NewContract:
    """environment: whose data was looked at, if any. rows: that the draft was made from, 0 when
    there were none. built: whether the environment has the model, or its query was run on what the
    environment has of its inputs. left: how many places lint names that are left to write.
    test: the unit test that was drafted besides, and expected: the rows that it expects."""

    path: Path
    environment: str | None
    rows: int
    built: bool
    left: int
    test: Path | None = None
    expected: int = 0


def new_contract(opened: Opened, model: str, environment: str | None = None) -> NewContract:
    """Write the draft of a model's contract where it belongs; needs the project's models.

    environment: whose data is looked at; by default where a bare plan goes, else prod. Of a model
    that is not there yet the query is run on its inputs, and a unit test is drafted.
    Raises WrongUse for an unknown or an internal model, a column whose type no contract can state
    or that the environment does not have, and a contract that is there already.
    """
    name, types = _model(opened, model)
    domain, _, table = name.partition(".")
    if not is_public(name):
        raise WrongUse(
            f"{name} is internal: only its own domain reads it, so it needs no contract.",
            fix=f"To publish it, call it {domain.removesuffix(INTERNAL_SUFFIX)}.{table}.",
        )
    root = opened.project.contracts
    path = root / domain / f"{table}{SUFFIX}"
    if path.exists():
        raise WrongUse(
            f"{name} has a contract already.",
            where=Location(display(path)),
            fix="Edit it, or move it away first.",
        )
    where = environment or opened.usual_environment
    found_there = opened.environment(where) if where else None
    built = found_there is not None and name in opened.there(found_there)
    place = _place(opened, name, found_there, types) if found_there else None
    seen = profile(opened, place, types) if place is not None else None
    seen = seen if seen and seen.rows else None
    known = usable_contracts(root)
    asked = opened.models[name]
    found = _Found(
        types,
        _narrower(opened, name, types),
        seen,
        _stated_grain(opened, name) or (seen.grain if seen else ()),
        known,
        _servers(opened, domain, known),
        asked,
        opened.context.models,
    )
    if seen and place is not None and found_there and not asked.kind.is_external:
        found.ties.extend(tied(opened, asked, place, found.grain, known, found_there))
    document = _document(domain, table, found)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_write(document), encoding="utf-8")
    if seen and seen.rows <= MOST_ROWS and place is not None and found_there:
        more = list(noticing(opened, place, path, known, found_there))
        document["schema"][0]["quality"][:0] = more
        path.write_text(_write(document), encoding="utf-8")
    left = len(lint([path]).problems)
    test = draft_test(opened, asked, found_there, known) if found_there and not built else None
    rows = seen.rows if seen else 0
    return NewContract(path, where, rows, built, left, *(test or ()))


def _model(opened: Opened, wanted: str) -> tuple[str, dict[str, str]]:
    """Name and columns, by BigQuery type, of a model by its name with or without domain."""
    models = opened.models
    same = [name for name in models if wanted in (name, name.partition(".")[2])]
    if len(same) > 1:
        raise WrongUse(
            f"More than one model is called {wanted}.", fix=f"Write {' or '.join(sorted(same))}."
        )
    if not same:
        raise WrongUse(f"There is no model {wanted}.", fix=suggestion(wanted, models))
    types: dict[str, str] = {}
    for column, kind in (models[same[0]].columns_to_types or {}).items():
        text = kind.sql(dialect="bigquery")
        if text not in _LOGICAL:
            raise WrongUse(
                f"{same[0]}: no contract can state the type of the column {column} ({text}).",
                fix="Cast it in the model to one of: " + ", ".join(_LOGICAL) + ".",
            )
        types[column] = text
    return same[0], types


def _stated_grain(opened: Opened, name: str) -> tuple[str, ...]:
    """The key that the MODEL block tells."""
    grains = opened.models[name].grains[:1]
    return tuple(column.name for key in grains for column in key.find_all(exp.Column))


def _narrower(opened: Opened, name: str, types: dict[str, str]) -> dict[str, str]:
    if opened.context.engine_adapter.dialect != "duckdb":
        return {}
    kinds = opened.models[name].columns_to_types or {}
    wide = {"INT": "INTEGER", "REAL": "FLOAT"}
    texts = {column: kind.sql(dialect="duckdb") for column, kind in kinds.items()}
    texts = {column: wide.get(text, text) for column, text in texts.items()}
    return {c: text for c, text in texts.items() if text in NARROWER.get(types.get(c, ""), ())}


def _place(
    opened: Opened, name: str, environment: Environment, types: dict[str, str]
) -> exp.Expr | None:
    snapshot = opened.there(environment).get(name)
    missing = set(types) - set((snapshot and snapshot.model.columns_to_types) or types)
    if missing:
        raise WrongUse(
            f"{name} in {environment.name} has no column {', '.join(sorted(missing))} yet.",
            fix=f"Plan your change first: `sqlmesh plan {environment.name}`.",
        )
    if snapshot is None:
        return drafted_rows(opened, opened.models[name], environment)
    return place_of(opened, name, environment)


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


def _document(domain: str, name: str, found: _Found) -> dict[str, Any]:
    types, seen = found.types, found.seen
    schema = {
        "id": name,
        "name": name,
        "logicalType": "object",
        "physicalType": "view" if found.model.kind.is_view else "table",
        "dataGranularityDescription": f"{TODO} what one row stands for",
        "properties": [_column(column, found) for column in types],
        "quality": [*found.ties, *_rules(seen)],
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


def _servers(opened: Opened, domain: str, known: Mapping[str, Contract]) -> list[dict[str, Any]]:
    """Where other products of the project lie, or else where SQLMesh is connected to."""
    for contract in known.values():
        stated = yaml.safe_load(contract.path.read_text(encoding="utf-8"))["servers"]
        keys = {"duckdb": "schema", "bigquery": "dataset"}
        return [{**one, keys[one["type"]]: domain} for one in stated]
    adapter = opened.context.engine_adapter
    if adapter.dialect == "bigquery":
        place = {"project": opened.context.default_catalog, "dataset": domain}
    else:
        place = {"database": str(opened.project.shown(opened.project.database)), "schema": domain}
    return [{"server": "local", "type": adapter.dialect, "environment": "prod", **place}]


def _column(name: str, found: _Found) -> dict[str, Any]:
    kind, grain = found.types[name], found.grain
    seen = found.seen.columns[name] if found.seen else None
    column: dict[str, Any] = {
        "id": name,
        "name": name,
        "logicalType": _LOGICAL[kind],
        "physicalType": kind,
        "description": f"{TODO} what it means, with its unit",
        "classification": PERSONAL
        if name in found.personal
        else f"{TODO} {PERSONAL} if it leads to a person, else one of the others",
        "required": name in grain or (seen is not None and not seen.nulls),
    }
    if name in grain:
        column |= {"primaryKey": True, "primaryKeyPosition": grain.index(name) + 1}
    if name in found.narrower:
        kept = {"property": DUCKDB_TYPE, "value": found.narrower[name]}
        column["customProperties"] = [kept]
    if seen is None:
        return column
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
    if examples := _examples(seen):
        column["examples"] = examples
    return column


def _examples(seen: Seen) -> list[Any]:
    both = [seen.minimum, seen.maximum]
    told = [
        one.isoformat() if isinstance(one, date | datetime) else one
        for one in dict.fromkeys(both)
        if one is not None
    ]
    return [one for one in told if not isinstance(one, str) or 0 < len(one) <= EXAMPLE_LENGTH]


def _rules(seen: Profile | None) -> list[dict[str, Any]]:
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
    ]
    most = 10 ** max(6, len(str(seen.rows if seen else 0)) + 2)
    return [
        *rules,
        {
            "id": "row_count",
            "type": "library",
            "metric": "rowCount",
            "description": f"Between one and {most:,} rows.",
            "dimension": "completeness",
            "severity": "error",
            "mustBeBetween": [1, most],
        },
    ]


def _levels(found: _Found) -> list[dict[str, Any]]:
    types, grain, every = found.types, found.grain, found.every
    times = [name for name, kind in types.items() if kind in ("DATE", "TIMESTAMP")]
    time = next((name for name in times if name in grain), times[0] if times else None)
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


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _write(document: dict[str, Any]) -> str:
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=98, indent=2
    )
