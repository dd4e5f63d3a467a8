"""A drafted contract as the document that is written: what was seen, and what is left to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import yaml
from sqlglot import exp

from mesh.bite.shapes import stated, ties_to
from mesh.catalogue.found import Found
from mesh.catalogue.levels import levels
from mesh.catalogue.nobody import NOBODY, like_nobody
from mesh.catalogue.profile import LEAST_ROWS, Profile
from mesh.catalogue.sure import Sure
from mesh.contracts import Contract
from mesh.contracts.constraints import COLUMN_KINDS, options
from mesh.contracts.constraints.base import OPTIONS, Seen
from mesh.contracts.findings import TODO
from mesh.contracts.types import CLASSIFICATIONS, DUCKDB_TYPE, LOGICAL, PERSONAL
from mesh.files.dumper import Dumper, Prose
from mesh.words import many

EXAMPLE_LENGTH = 60
*_FIRST, _LAST = (name for name in CLASSIFICATIONS if name != PERSONAL)
_OTHERS = f"{', '.join(_FIRST)} or {_LAST}"
TOO_FEW = (
    f"Of fewer than {LEAST_ROWS} rows no key, bound, allowed value or `required` is drafted by "
    "what they show."
)
_SENTENCES = {"purpose", "usage", "limitations", "description", "dataGranularityDescription"}
NO_EXAMPLE = f"{TODO} a value that it may have"
# A text that each row has of its own may be a name or an address, and a draft is kept in git.
NAMES_SOMEBODY = f"{TODO} a value like those of the rows, made up if they lead to a person"


def _people(domain: str, owner: str, known: Mapping[str, Contract]) -> dict[str, Any]:
    """Team, support and roles of another contract of the domain: mostly they are the same.

    owner: of the model, if it names one; then only contracts of that team say who they are.
    """
    for contract in known.values():
        if contract.domain == domain and owner in ("", contract.owner):
            data = yaml.safe_load(contract.path.read_text(encoding="utf-8"))
            return {key: data[key] for key in ("team", "support", "roles")}
    return {
        "team": {"name": owner or domain, "description": f"{TODO} who the team is"},
        "support": [{"channel": f"{TODO} where to ask", "description": f"{TODO} what to expect"}],
        "roles": [
            {"role": f"{TODO} who may read", "access": "read", "description": f"{TODO} who that is"}
        ],
    }


def document(domain: str, name: str, found: Found) -> dict[str, Any]:
    """The contract as YAML holds it, with TODO where somebody has to write."""
    schema = {
        "id": name,
        "name": name,
        "logicalType": "object",
        "physicalType": "view" if found.model.kind.is_view else "table",
        "dataGranularityDescription": f"{TODO} what one row stands for",
        "properties": [_column(column, found) for column in found.types],
        "quality": [*found.ties, *_rules(found)],
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
            "purpose": found.model.description or f"{TODO} what the product is for",
            "usage": f"{TODO} how to use it",
            "limitations": f"{TODO} what it cannot be used for",
        },
        "servers": found.servers,
        "schema": [schema],
        "slaProperties": levels(found),
        **_people(domain, found.model.owner or "", found.known),
    }


def _column(name: str, found: Found) -> dict[str, Any]:
    kind, grain = found.types[name], found.grain
    seen = found.seen.columns[name] if found.seen else None
    sure = found.made.columns.get(name, Sure())
    if seen and sure.may_be_empty and name not in grain:
        seen = replace(seen, nulls=max(seen.nulls, 1))
    is_enough = seen is not None and seen.filled >= LEAST_ROWS
    column: dict[str, Any] = {
        "id": name,
        "name": name,
        "logicalType": LOGICAL[kind],
        "physicalType": kind,
        "description": found.model.column_descriptions.get(name)
        or f"{TODO} what it means, with its unit",
        "classification": PERSONAL
        if name in found.personal
        else f"{TODO} {PERSONAL} if it leads to a person, else {_OTHERS}",
        "required": name in grain or (is_enough and seen is not None and not seen.nulls),
    }
    if name in grain:
        column |= {"primaryKey": True, "primaryKeyPosition": grain.index(name) + 1}
    if name in found.narrower:
        kept = {"property": DUCKDB_TYPE, "value": found.narrower[name]}
        column["customProperties"] = [kept]
    if seen is None:
        return column | {"examples": [NO_EXAMPLE]}
    if name in found.withheld and kind in NOBODY:
        # A draft is kept in git, and shows nobody.
        seen = like_nobody(seen, kind)
        column["examples"] = [NOBODY[kind]]
    if found.seen and (len(seen.values) == found.seen.rows - seen.nulls or name == found.key):
        # A key has another value tomorrow; and of few rows, too, it may name somebody.
        seen = replace(seen, values=())
    # What the data keeps and is likely meant; an author narrows or widens it.
    kinds = COLUMN_KINDS if is_enough else ()
    proposed = {key: value for one in kinds for key, value in one.propose(kind, seen).items()}
    limits = {key: proposed.pop(key) for key in options() if key in proposed}
    if kind == "INT64" and limits.get("minimum") == 1 and not (sure.is_counted or name in grain):
        limits["minimum"] = 0
    column |= proposed
    if limits:
        column[OPTIONS] = limits
    column["examples"] = _examples(seen) or column.get("examples", [NO_EXAMPLE])
    if kind == "STRING" and seen.is_of_each_row and not seen.values:
        column["examples"] = [NAMES_SOMEBODY]
    return column


def _examples(seen: Seen) -> list[Any]:
    both = [seen.minimum, seen.maximum]
    told = [
        one.isoformat() if isinstance(one, date | datetime) else one
        for one in dict.fromkeys(both)
        if one is not None
    ]
    return [one for one in told if not isinstance(one, str) or 0 < len(one) <= EXAMPLE_LENGTH]


def _rules(found: Found) -> list[dict[str, Any]]:
    seen = found.seen
    rules = _of_history(found) + [
        _sql(
            f"{column}_is_a_first_day",
            f"{column} is the first day of its month.",
            "conformity",
            f"SELECT COUNT(*) FROM ${{table}} WHERE NOT (EXTRACT(DAY FROM {column}) = 1)",
        )
        for column in sorted(found.first_days)
    ]
    least, between = (0, "At most") if found.is_empty else (1, "Between one and")
    most = 10 ** max(6, len(str(seen.rows if seen else 0)) + 2)
    counted = {"metric": "rowCount", "mustBeBetween": [least, most]}
    return [
        *rules,
        stated("row_count", f"{between} {most:,} rows.", "completeness", "library", counted),
    ]


def _of_history(found: Found) -> list[dict[str, Any]]:
    """What holds of a table that keeps what rows were before."""
    if len(found.written) != 2:
        return []
    since, until = found.written
    columns = {c.name: None for key in found.model.unique_key for c in key.find_all(exp.Column)}
    keys = ", ".join(columns)
    current = f"SELECT {keys} FROM ${{table}} WHERE {until} IS NULL GROUP BY {keys}"
    return [
        _sql(
            f"{until}_is_not_before_{since}",
            "No row ends before it begins.",
            "consistency",
            f"SELECT COUNT(*) FROM ${{table}} WHERE {until} < {since}",
        ),
        _sql(
            "one_row_is_current",
            f"Of each {keys} at most one row is current.",
            "consistency",
            f"SELECT COUNT(*) FROM ({current} HAVING COUNT(*) > 1) AS offending",
        ),
    ]


def _sql(id: str, words: str, dimension: str, query: str) -> dict[str, Any]:
    return stated(id, words, dimension, "sql", {"query": query, "mustBe": 0})


def written(
    draft: dict[str, Any], seen: Profile | None, inputs: Mapping[str, int] | None = None
) -> str:
    """Its text, which begins with what it rests on. inputs: how many rows each has."""
    told = _to_write(draft)
    text = yaml.dump(told, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=98, indent=2)
    return (
        "".join(f"# {line}\n" for line in _support(draft["schema"][0], seen, inputs or {})) + text
    )


def _support(
    table: dict[str, Any], seen: Profile | None, inputs: Mapping[str, int]
) -> Iterator[str]:
    """On how many rows what the draft promises rests, if on any.

    What ties it to an input rests on the rows of that: sums of many may be one row here.
    """
    if seen is None:
        return
    told = TOO_FEW if seen.rows < LEAST_ROWS else "What rests on them may hold by chance:"
    yield f"Drafted from {many(seen.rows, 'row')}. {told}"
    for column in table["properties"]:
        keys = [key for key in ("primaryKey", "required", "enum") if column.get(key)]
        keys += column.get(OPTIONS, ())
        if keys and (filled := seen.columns[column["name"]].filled) >= LEAST_ROWS:
            yield f"- {column['name']}: {', '.join(keys)} on {many(filled, 'value')}"
    ids: dict[str, list[str]] = {"": []}
    for rule in table["quality"]:
        ids.setdefault(ties_to(rule), []).append(rule["id"])
    yield f"- rules: {', '.join(ids.pop(''))} on {many(seen.rows, 'row')}"
    for name, tying in ids.items():
        if name in inputs:
            yield f"- rules: {', '.join(tying)} on {many(inputs[name], 'row')} of {name}"


def _to_write(part: Any, key: str = "") -> Any:
    """With its sentences that are left to write as such."""
    if isinstance(part, dict):
        return {name: _to_write(value, name) for name, value in part.items()}
    if isinstance(part, list):
        return [_to_write(value) for value in part]
    is_left = isinstance(part, str) and part.startswith(TODO)
    return Prose(part) if is_left and key in _SENTENCES else part
