"""What is asked of each column: types, description, classification, what it promises, grain."""

from __future__ import annotations

from functools import partial

from mesh.contracts.checks.record import Check, Subject, check
from mesh.contracts.constraints import COLUMN_KINDS, TABLE_KINDS, table_kind
from mesh.contracts.constraints.base import StatedColumn, refusal
from mesh.contracts.constraints.enum import Enum
from mesh.contracts.draft import COLUMNS, promises_of
from mesh.contracts.findings import Finding, Found, Purpose, odd_value
from mesh.contracts.personal import NOT_PERSONAL, person
from mesh.contracts.types import (
    CLASSIFICATIONS,
    DUCKDB_TYPE,
    DUCKDB_TYPES,
    LOGICAL_TYPES,
    NARROWER,
    PERSONAL,
    narrower,
)
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

MAX_DESCRIPTION = 1024


@check(
    "DESCRIPTION_TOO_LONG", "BigQuery refuses column descriptions of more than 1,024 characters."
)
def description_too_long(subject: Subject) -> Found:
    for here, column in subject.draft.columns():
        if len(column.description or "") > MAX_DESCRIPTION:
            message = f"The description has {len(column.description or ''):,} characters."
            fix = f"BigQuery takes {MAX_DESCRIPTION:,}: shorten it."
            yield Finding((*here, "description"), message, fix)


@check("TYPE_DISAGREES", "Logical type and the types on both engines belong together.")
def type_disagrees(subject: Subject) -> Found:
    for here, column in subject.draft.columns():
        logical, physical = column.logicalType, column.physicalType
        if logical is not None and logical not in LOGICAL_TYPES:
            message = f"`{shown(logical)}` is no logical type that a BI tool can read."
            yield Finding((*here, "logicalType"), message, suggestion(logical, LOGICAL_TYPES))
            logical = None
        if physical is not None and physical not in DUCKDB_TYPES:
            message = f"`{shown(physical)}` is no BigQuery type that a contract may use."
            yield Finding((*here, "physicalType"), message, suggestion(physical, DUCKDB_TYPES))
            physical = None
        if logical and physical and physical not in LOGICAL_TYPES[logical]:
            message = f"A column of logical type {logical} cannot be {physical} on BigQuery."
            fix = f"Write {' or '.join(LOGICAL_TYPES[logical])}, or change the logical type."
            yield Finding((*here, "physicalType"), message, fix)
        stated = [
            ((*here, "customProperties", index), item.value)
            for index, item in enumerate(column.customProperties or [])
            if item.property == DUCKDB_TYPE
        ]
        for at, _ in stated[1:]:
            message = f"The column {shown(column.name)} says its type on DuckDB twice."
            yield Finding(at, message, "Keep one of them.")
        for at, value in stated:
            if not physical:
                continue
            if value != DUCKDB_TYPES[physical] and not narrower(physical, str(value)):
                held = (DUCKDB_TYPES[physical], *NARROWER.get(physical, ()))
                message = f"`{shown(value)}` on DuckDB is no type for {physical} on BigQuery."
                smaller = ", or a DECIMAL of fewer digits" if physical == "NUMERIC" else ""
                yield Finding((*at, "value"), message, f"Write {' or '.join(held)}{smaller}.")


@check(
    "CLASSIFICATION", "The classification is one of a known few, so that personal data is found."
)
def classification(subject: Subject) -> Found:
    for here, column in subject.draft.columns():
        stated = column.classification
        if stated is not None and stated not in CLASSIFICATIONS:
            said = odd_value("classification", stated, CLASSIFICATIONS)
            yield Finding((*here, "classification"), *said)


@check("PERSONAL", "What leads to a person in one contract does so in all of them.")
def personal(subject: Subject) -> Found:
    if subject.around is None:
        return
    for here, column in subject.draft.columns():
        stated = column.classification
        place = subject.around.people.get(person(column.name or ""))
        careless = stated != PERSONAL and stated in (None, *CLASSIFICATIONS)
        if place and careless and NOT_PERSONAL not in (column.tags or ()):
            message = f"The column {column.name} stands for a person, but is not classified so."
            fix = (
                f"Write `classification: {PERSONAL}`, as {place} does, or `tags: [{NOT_PERSONAL}]` "
                "where the name means another thing."
            )
            yield Finding((*here, "classification") if stated else here, message, fix)


def _promises(sense: Purpose) -> Check:
    """The check of all kinds of promises that give this reason for theirs."""
    return Check(sense.id, sense.sentence, partial(_senseless, sense))


def _senseless(sense: Purpose, subject: Subject) -> Found:
    for column in subject.draft.stated_columns():
        if not column.logical_type:
            continue
        for kind in COLUMN_KINDS:
            if kind.sense != sense:
                continue
            for key, option in kind.options.items():
                if key in column.options and column.logical_type not in option.logical_types:
                    message = f"`{key}` means nothing for the type {column.logical_type}."
                    yield column.option(key, message, "Leave it out.")
            yield from kind.check(column)
            if kind is Enum:
                yield from _values(column)
    for _, stated in subject.draft.stated_rules():
        table = table_kind(stated.keys)
        if table and table.sense == sense:
            yield from table.impossible(stated)


_SENSES = dict.fromkeys([*(k.sense for k in COLUMN_KINDS), *(k.sense for k in TABLE_KINDS)])
PROMISES = tuple(_promises(sense) for sense in _SENSES)


def _values(column: StatedColumn) -> Found:
    """Allowed values that break another promise of their column."""
    others = [promise for promise in promises_of(column) if not isinstance(promise, Enum)]
    for number, entry in enumerate(column.keys.get(Enum.key) or []):
        if entry.value is None:
            continue
        reason = refusal(others, column.logical_type, entry.value)
        if reason:
            message = f"The allowed value `{shown(entry.value)}` {reason}."
            fix = "Correct the value, or the column's type, limits or pattern."
            yield Finding(column.at(Enum.key, number, "value"), message, fix)


@check("EXAMPLE", "Examples keep the promises of their column.")
def example(subject: Subject) -> Found:
    draft = subject.draft
    for column, (here, stated) in zip(draft.stated_columns(), draft.columns(), strict=True):
        # Whether a value is listed says least of what is wrong with it.
        promises = sorted(promises_of(column), key=lambda one: isinstance(one, Enum))
        for index, value in enumerate(stated.examples or []):
            reason = refusal(promises, column.logical_type, value)
            if reason:
                message = f"The example `{shown(value)}` {reason}."
                fix = "Give an example that keeps the column's promises."
                yield Finding((*here, "examples", index), message, fix)


@check("GRAIN", "The grain is stated, in order, and none of its columns may be null.")
def grain(subject: Subject) -> Found:
    draft = subject.draft
    positions: dict[int, Steps] = {}
    keys = 0
    for here, column in draft.columns():
        name, position = shown(column.name), column.primaryKeyPosition
        if not column.primaryKey:
            if position is not None and position != -1:
                message = f"The column {name} has a place in the grain, but is not in it."
                fix = "Write `primaryKey: true`, or leave `primaryKeyPosition` out."
                yield Finding((*here, "primaryKeyPosition"), message, fix)
            continue
        keys += 1
        if column.required is False:
            message = f"The grain column {name} may be null."
            fix = "Write `required: true`, or take it out of the grain."
            yield Finding((*here, "required"), message, fix)
        if position is None:
            message = f"The grain column {name} has no place in the order."
            fix = "Write `primaryKeyPosition`, counted from 1."
            yield Finding((*here, "primaryKey"), message, fix)
        elif position in positions:
            first = draft.line((*positions[position], "primaryKeyPosition"))
            message = f"Two columns are number {position} of the grain: the first on line {first}."
            yield Finding((*here, "primaryKeyPosition"), message, "Number them 1, 2, 3, …")
        else:
            positions[position] = here
    wanted = set(range(1, keys + 1))
    if len(positions) == keys and set(positions) != wanted:
        odd = min(set(positions) - wanted)
        message = f"The grain has {keys} columns, but one of them is number {odd}."
        at = (*positions[odd], "primaryKeyPosition")
        yield Finding(at, message, "Number them 1, 2, 3, …")
    if not keys and (draft.table and draft.table.properties):
        message = "No column identifies a row."
        fix = (
            "Mark the columns of the grain with `primaryKey: true` and `primaryKeyPosition`; where "
            "rows repeat, group or number them in the model first."
        )
        yield Finding(COLUMNS, message, fix)
