"""What a complete contract states, and that nothing of it is left to be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.contracts.checks.product import STATUSES
from mesh.contracts.checks.record import Subject, check
from mesh.contracts.constraints import COLUMN_KINDS, TABLE_KINDS, table_kind
from mesh.contracts.draft import LEVELS, Draft
from mesh.contracts.findings import TODO, Finding, Found
from mesh.contracts.types import CLASSIFICATIONS, LOGICAL_TYPES
from mesh.files.problems import shown
from mesh.files.tree import Steps
from mesh.plain import one_line, steering

Needs = tuple[tuple[str, str], ...]
"""Keys, and what to write when one is missing."""

DESCRIPTION: Needs = (
    ("purpose", "Say what the product is for."),
    ("usage", "Say how to use it."),
    ("limitations", "Say what it cannot be used for."),
)
COLUMN: Needs = (
    ("id", "Give it an id that stays when the column is renamed."),
    ("name", "Name the column."),
    ("logicalType", "Write one of: " + ", ".join(LOGICAL_TYPES) + "."),
    ("physicalType", "Write the BigQuery type, such as INT64."),
    ("description", "Say in plain words what it holds, and in which unit."),
    ("classification", "Write one of: " + ", ".join(CLASSIFICATIONS) + "."),
    ("required", "Write `required: true`, or `false` when it may be null."),
    ("examples", "Give one example or more."),
)
RULE: Needs = (
    ("id", "Give it a stable id."),
    ("description", "Say in plain words what holds."),
    ("dimension", "Name the quality dimension, such as consistency."),
    ("severity", "Write `error` when it must stop a plan, else `warning`."),
    ("type", "Write `sql` or `library`."),
)
LEVEL: Needs = (
    ("id", "Give it a stable id."),
    ("property", "Say what is promised, such as freshness."),
    ("value", "State the value."),
    ("description", "Say in plain words what is promised."),
)
SERVER: Needs = (("server", "Give it a name."), ("type", "Write `duckdb` or `bigquery`."))


def _contract(draft: Draft) -> Needs:
    return (
        ("apiVersion", "Write `apiVersion: v3.2.0`."),
        ("kind", "Write `kind: DataContract`."),
        ("id", f"Write `id: {draft.product}`."),
        ("name", f"Write `name: {draft.file_name}`."),
        ("version", "Write `version: 1.0.0` for a new product."),
        ("status", "Write `status: active`, or one of: " + ", ".join(STATUSES) + "."),
        ("domain", f"Write `domain: {draft.folder}`."),
        ("description", "Say purpose, usage and limitations."),
        ("servers", "Say where the product lies: one server of type duckdb, one of bigquery."),
        ("schema", "Describe the table and its columns."),
        ("team", "Name the team that owns the product."),
        ("support", "Say where to ask."),
        ("roles", "Say who may read."),
        ("slaProperties", "State freshness, completeness and retention."),
    )


def _table(draft: Draft) -> Needs:
    return (
        ("id", f"Write `id: {draft.file_name}`."),
        ("name", f"Write `name: {draft.file_name}`."),
        ("physicalType", "Write `table` or `view`."),
        ("dataGranularityDescription", "Say what one row is: `One row per …`."),
        ("properties", "Describe the columns."),
    )


def _parts(draft: Draft) -> Iterator[tuple[Steps, str, Needs]]:
    """The parts of a contract: where, how it is called, and what it needs."""
    document = draft.document
    yield (), "The contract", _contract(draft)
    if document.description:
        yield ("description",), "The description", DESCRIPTION
    if document.team:
        yield ("team",), "The team", (("name", "Name the team."),)
    for index, _ in enumerate(document.support or []):
        yield ("support", index), "The support", (("channel", "Name the channel."),)
    for index, _ in enumerate(document.servers or []):
        yield ("servers", index), "The server", SERVER
    if draft.table:
        yield ("schema", 0), "The table", _table(draft)
    for steps, column in draft.columns():
        yield steps, f"The column {shown(column.name)}" if column.name else "The column", COLUMN
    for index, _ in enumerate(document.slaProperties or []):
        yield (*LEVELS, index), "The service level", LEVEL
    for rule, stated in draft.stated_rules():
        yield stated.steps, stated.name, RULE
        kind = table_kind(stated.keys)
        if kind:
            yield stated.steps, stated.name, tuple(kind.needs.items())
        elif rule.type and rule.metric is None:
            known = " or ".join(f"`{kind.metric}`" for kind in TABLE_KINDS if kind.metric)
            yield stated.steps, stated.name, (("metric", f"Write {known}."),)


@check("VALUE_MISSING", "A contract is complete: a consumer needs nothing else.")
def value_missing(subject: Subject) -> Found:
    draft = subject.draft
    for steps, what, needs in _parts(draft):
        for key, fix in needs:
            yield from draft.missing(steps, key, what, fix)
    for column in draft.stated_columns():
        for kind in COLUMN_KINDS:
            yield from kind.incomplete(column)
    for steps, text in unwritten(draft):
        key = next((step for step in reversed(steps) if isinstance(step, str)), "text")
        task = text.strip().removeprefix(TODO).lstrip(" :")
        fix = f"Write here: {shown(task, 200)}." if task else "Write it, or take it out."
        yield Finding(steps, f"The `{shown(key)}` is still to be written.", fix)


@check("TEXT_STEERS", "No sign in a contract steers what it is read in: a terminal, a log, a page.")
def text_steers(subject: Subject) -> Found:
    """What can be relied on all the same: texts are printed without such signs."""
    if subject.around is None:
        return
    for steps, text in _texts((), subject.draft.tree.data):
        if found := steering(text):
            yield Finding(
                steps,
                f"A text holds {found}, which is not seen but steers what it is read in.",
                f"Take it out of `{shown(one_line(text), 200)}`.",
            )


def unwritten(draft: Draft) -> Iterator[tuple[Steps, str]]:
    """The texts that a draft has in the place of what somebody is to write."""
    texts = _texts((), draft.tree.data)
    return ((steps, text) for steps, text in texts if text.lstrip().startswith(TODO))


def _texts(steps: Steps, node: Any) -> Iterator[tuple[Steps, str]]:
    if isinstance(node, str):
        yield steps, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts((*steps, str(key)), value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts((*steps, index), value)
