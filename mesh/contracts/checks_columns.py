"""What is asked of each column: name, types, description, classification, ranges, grain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mesh.contracts.draft import COLUMNS, Draft
from mesh.contracts.patterns import complaint
from mesh.contracts.standard import ColumnObject
from mesh.contracts.types import (
    CLASSIFICATIONS,
    DUCKDB_TYPE_PROPERTY,
    DUCKDB_TYPES,
    LOGICAL_TYPES,
    ORDERED_TYPES,
    PERSONAL,
    PERSONAL_NAMES,
)
from mesh.contracts.values import BOUNDS, HOW, Limits, comparable, limits_of
from mesh.files.problems import Problem, shown, suggestion
from mesh.files.tree import Steps

MAX_DESCRIPTION = 1024
OPERATIONAL = "operational"
_MODEL_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_SOURCE_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_OPTIONS_OF = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), ORDERED_TYPES),
    "multipleOf": frozenset({"integer", "number"}),
    **dict.fromkeys(("minLength", "maxLength", "pattern"), frozenset({"string"})),
}


def check_columns(draft: Draft) -> Iterator[Problem]:
    names: dict[str, Steps] = {}
    ids: dict[str, Steps] = {}
    for here, column in draft.columns():
        yield from _there(draft, here, column)
        for seen, key, value in ((names, "name", column.name), (ids, "id", column.id)):
            word = (value or "").lower()
            if word and word in seen:
                first = draft.tree.line((*seen[word], key))
                message = f"The {key} `{shown(value)}` stands twice: first on line {first}."
                yield draft.problem(
                    (*here, key), "ID_DUPLICATE", message, "Rename or delete one of them."
                )
            seen.setdefault(word, here)
        yield from _name(draft, here, column)
        yield from _types(draft, here, column)
        yield from _classification(draft, here, column)
        if column.description and len(column.description) > MAX_DESCRIPTION:
            message = f"The description has {len(column.description):,} characters."
            fix = f"BigQuery takes {MAX_DESCRIPTION:,}: shorten it."
            yield draft.problem((*here, "description"), "DESCRIPTION_TOO_LONG", message, fix)
        yield from _options(draft, here, column)
        yield from _values(draft, here, column)
    yield from _grain(draft)


def _there(draft: Draft, here: Steps, column: ColumnObject) -> Iterator[Problem]:
    what = f"The column {shown(column.name)}" if column.name else "The column"
    for key, fix in (
        ("id", "Give it an id that stays when the column is renamed."),
        ("name", "Name the column."),
        ("logicalType", "Write one of: " + ", ".join(LOGICAL_TYPES) + "."),
        ("physicalType", "Write the BigQuery type, such as INT64."),
        ("description", "Say in plain words what it holds, and in which unit."),
        ("classification", "Write one of: " + ", ".join(CLASSIFICATIONS) + "."),
        ("required", "Write `required: true`, or `false` when it may be null."),
        ("examples", "Give one example or more."),
    ):
        yield from draft.missing(here, key, what, fix)


def _name(draft: Draft, here: Steps, column: ColumnObject) -> Iterator[Problem]:
    source = draft.folder == OPERATIONAL
    if column.name and not (_SOURCE_COLUMN if source else _MODEL_COLUMN).fullmatch(column.name):
        message = f"`{shown(column.name)}` is no name for a column."
        fix = (
            "Use letters, digits and `_`, and begin with a letter."
            if source
            else "Use snake_case: small letters, digits and `_`, and begin with a letter."
        )
        yield draft.problem((*here, "name"), "NAME_INVALID", message, fix)
    if column.physicalName is not None and column.physicalName != column.name:
        message = "A column has one name on all engines."
        yield draft.problem(
            (*here, "physicalName"), "NAME_DISAGREES", message, "Leave `physicalName` out."
        )


def _types(draft: Draft, here: Steps, column: ColumnObject) -> Iterator[Problem]:
    logical, physical = column.logicalType, column.physicalType
    if logical is not None and logical not in LOGICAL_TYPES:
        message = f"`{shown(logical)}` is no logical type that a BI tool can read."
        fix = suggestion(logical, LOGICAL_TYPES)
        yield draft.problem((*here, "logicalType"), "TYPE_DISAGREES", message, fix)
        logical = None
    if physical is not None and physical not in DUCKDB_TYPES:
        message = f"`{shown(physical)}` is no BigQuery type that a contract may use."
        fix = suggestion(physical, DUCKDB_TYPES)
        yield draft.problem((*here, "physicalType"), "TYPE_DISAGREES", message, fix)
        physical = None
    if logical and physical and physical not in LOGICAL_TYPES[logical]:
        message = f"A column of logical type {logical} cannot be {physical} on BigQuery."
        fix = f"Write {' or '.join(LOGICAL_TYPES[logical])}, or change the logical type."
        yield draft.problem((*here, "physicalType"), "TYPE_DISAGREES", message, fix)
    stated = []
    for index, item in enumerate(column.customProperties or []):
        at = (*here, "customProperties", index)
        if item.property == DUCKDB_TYPE_PROPERTY:
            stated.append((at, item.value))
        else:
            message = f"`{shown(item.property)}` means nothing at a column."
            fix = suggestion(str(item.property), [DUCKDB_TYPE_PROPERTY])
            yield draft.problem((*at, "property"), "KEY_UNKNOWN", message, fix)
    if not stated:
        message = f"The column {shown(column.name)} does not say its type on DuckDB."
        expected = DUCKDB_TYPES.get(physical or "", "BIGINT")
        fix = f"Write `customProperties: [{{property: duckdbType, value: {expected}}}]`."
        yield draft.problem(here, "VALUE_MISSING", message, fix)
    for at, _ in stated[1:]:
        message = f"The column {shown(column.name)} says its type on DuckDB twice."
        yield draft.problem(at, "TYPE_DISAGREES", message, "Keep one of them.")
    for at, value in stated:
        if physical and value != DUCKDB_TYPES[physical]:
            message = f"`{shown(value)}` on DuckDB does not hold what {physical} holds on BigQuery."
            fix = f"Write {DUCKDB_TYPES[physical]}."
            yield draft.problem((*at, "value"), "TYPE_DISAGREES", message, fix)


def _classification(draft: Draft, here: Steps, column: ColumnObject) -> Iterator[Problem]:
    stated = column.classification
    if stated is not None and stated not in CLASSIFICATIONS:
        message = f"`{shown(stated)}` is no classification."
        fix = suggestion(stated, CLASSIFICATIONS)
        yield draft.problem((*here, "classification"), "CLASSIFICATION", message, fix)
    elif (column.name or "").lower() in PERSONAL_NAMES and stated != PERSONAL:
        message = f"The column {column.name} stands for a person, but is not classified so."
        at = (*here, "classification") if stated else here
        yield draft.problem(at, "PERSONAL", message, "Write `classification: personal`.")


def _options(draft: Draft, here: Steps, column: ColumnObject) -> Iterator[Problem]:
    options, logical = column.logicalTypeOptions, column.logicalType
    if options is None or logical not in LOGICAL_TYPES:
        return
    at: Steps = (*here, "logicalTypeOptions")

    def wrong(key: str, message: str, fix: str, rule: str = "RANGE") -> Problem:
        return draft.problem((*at, key), rule, message, fix)

    for key in type(options).model_fields:
        value = getattr(options, key)
        if value is None:
            continue
        if logical not in _OPTIONS_OF[key]:
            message = f"`{key}` means nothing for the type {logical}."
            yield wrong(key, message, "Leave it out.")
        elif key in BOUNDS and comparable(logical, value) is None:
            message = f"The {key} `{shown(value)}` is no value of type {logical}."
            yield wrong(key, message, f"Write {HOW[logical]}.")
    for first, second in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if getattr(options, first) is not None and getattr(options, second) is not None:
            message = f"`{first}` and `{second}` are both stated."
            yield wrong(second, message, "Keep one of the two.")
    if options.multipleOf is not None and options.multipleOf <= 0:
        yield wrong("multipleOf", "A step of 0 or less leaves no values.", "Write a step above 0.")
    for key in ("minLength", "maxLength"):
        if (getattr(options, key) or 0) < 0:
            yield wrong(key, f"`{key}` is below 0.", "Write 0 or more.")
    limits = limits_of(logical, options)
    if limits.empty():
        message = "No value is within this range."
        fix = "Correct minimum, maximum or multipleOf."
        yield draft.problem(at, "RANGE", message, fix)
    low, high = options.minLength, options.maxLength
    if low is not None and high is not None and low > high:
        message = f"No text is at least {low} and at most {high} characters long."
        yield wrong("minLength", message, "Correct one of the two.")
    if options.pattern is not None:
        reason = complaint(options.pattern)
        if reason:
            message = f"The pattern {reason}."
            fix = "Write a simpler pattern, in the syntax of RE2."
            yield wrong("pattern", message, fix, "PATTERN")


def _values(draft: Draft, here: Steps, column: ColumnObject) -> Iterator[Problem]:
    logical = column.logicalType
    if logical not in LOGICAL_TYPES:
        return
    limits = limits_of(logical, column.logicalTypeOptions)
    allowed: list[Any] = []
    for index, entry in enumerate(column.enum or []):
        at: Steps = (*here, "enum", index)
        yield from draft.missing(at, "value", "The allowed value", "State the value.")
        yield from draft.missing(at, "description", "The allowed value", "Say what it means.")
        if entry.value is None:
            continue
        reason = _refusal(logical, limits, entry.value)
        if reason:
            message = f"The allowed value `{shown(entry.value)}` {reason}."
            fix = "Correct the value, or the column's type and limits."
            yield draft.problem((*at, "value"), "ENUM", message, fix)
        if (type(entry.value), entry.value) in allowed:
            message = f"The allowed value `{shown(entry.value)}` stands twice."
            yield draft.problem((*at, "value"), "ENUM", message, "Keep one of them.")
        allowed.append((type(entry.value), entry.value))
    if column.enum == []:
        message = "An empty enum allows nothing."
        yield draft.problem((*here, "enum"), "ENUM", message, "List the values, or leave it out.")
    for index, example in enumerate(column.examples or []):
        reason = _refusal(logical, limits, example)
        if reason is None and allowed and (type(example), example) not in allowed:
            reason = "is not one of the allowed values"
        if reason:
            message = f"The example `{shown(example)}` {reason}."
            fix = "Give an example that keeps the column's promises."
            yield draft.problem((*here, "examples", index), "EXAMPLE", message, fix)


def _refusal(logical: str, limits: Limits, value: Any) -> str | None:
    known = comparable(logical, value)
    if known is None:
        return f"is not {HOW[logical]}"
    return limits.refusal(known)


def _grain(draft: Draft) -> Iterator[Problem]:
    positions: dict[int, Steps] = {}
    keys = 0
    for here, column in draft.columns():
        position = column.primaryKeyPosition
        if not column.primaryKey:
            if position is not None and position != -1:
                message = (
                    f"The column {shown(column.name)} has a place in the grain, but is not in it."
                )
                fix = "Write `primaryKey: true`, or leave `primaryKeyPosition` out."
                yield draft.problem((*here, "primaryKeyPosition"), "GRAIN", message, fix)
            continue
        keys += 1
        if column.required is False:
            message = f"The grain column {shown(column.name)} may be null."
            fix = "Write `required: true`, or take it out of the grain."
            yield draft.problem((*here, "required"), "GRAIN", message, fix)
        if position is None:
            message = f"The grain column {shown(column.name)} has no place in the order."
            fix = "Write `primaryKeyPosition`, counted from 1."
            yield draft.problem((*here, "primaryKey"), "GRAIN", message, fix)
        elif position in positions:
            first = draft.tree.line((*positions[position], "primaryKeyPosition"))
            message = f"Two columns are number {position} of the grain: the first on line {first}."
            fix = "Number them 1, 2, 3, …"
            yield draft.problem((*here, "primaryKeyPosition"), "GRAIN", message, fix)
        else:
            positions[position] = here
    wanted = set(range(1, keys + 1))
    if len(positions) == keys and set(positions) != wanted:
        odd = min(set(positions) - wanted)
        message = f"The grain has {keys} columns, but one of them is number {odd}."
        at = (*positions[odd], "primaryKeyPosition")
        yield draft.problem(at, "GRAIN", message, "Number them 1, 2, 3, …")
    if not keys and (draft.table and draft.table.properties):
        message = "No column identifies a row."
        fix = "Mark the columns of the grain with `primaryKey: true` and `primaryKeyPosition`."
        yield draft.problem(COLUMNS, "GRAIN", message, fix)
