"""What happened to the columns of a product: there or not, name, type, meaning, order."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.contracts.model import Column
from mesh.contracts.types import CLASSIFICATIONS, PERSONAL
from mesh.review.findings import Finding
from mesh.review.pair import Pair
from mesh.review.values import compare_values
from mesh.review.words import same_words, shortened, units

# The engine types by what they hold: a type fits into those that stand for it.
_FITS_INTO = {
    "INT64": ("NUMERIC", "FLOAT64", "STRING"),
    "NUMERIC": ("STRING",),
    "FLOAT64": ("STRING",),
    "BOOL": ("STRING",),
    "DATE": ("TIMESTAMP", "STRING"),
    "TIMESTAMP": ("STRING",),
}
COVERED = frozenset(
    {
        *("id", "name", "logical_type", "bigquery_type", "description", "classification"),
        *("promises", "grain_position", "identifies", "deprecated", "tags", "examples"),
        *("line", "lines"),
    }
)
"""The fields of a Column that are compared here, in `values` or in `grain`."""


def compare_columns(pair: Pair) -> Iterator[Finding]:
    yield from _there(pair)
    for old, new in pair.columns:
        if old and new:
            yield from _identity(pair, old, new)
            yield from _type(pair, old, new)
            yield from _description(pair, old, new)
            yield from _classification(pair, old, new)
            yield from _deprecation(pair, old, new)
            yield from _labels(pair, old, new)
            yield from compare_values(pair, old, new)
    yield from _order(pair)


def _there(pair: Pair) -> Iterator[Finding]:
    old_names = {column.name: column for column in pair.old.columns}
    for old, new in pair.columns:
        if new is None and old is not None:
            again = pair.new.column(old.name)
            if again is None:
                message = f"Column {old.name} was deleted."
                yield pair.gone("COLUMN_NO_DELETE", message, old.line, column=old.name)
        elif old is None and new is not None:
            known = old_names.get(new.name)
            if known is None:
                message = f"Column {new.name} ({new.bigquery_type}) was added."
                yield pair.report("COLUMN_ADDED", message, new.line, column=new.name)
            else:
                message = f"The name {new.name} now stands for another column (id {new.id})."
                yield pair.report(
                    "COLUMN_NO_REUSE", message, new.line_of("name"), known.line, column=new.name
                )


def _identity(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    if old.name != new.name:
        taken_over = pair.old.column(new.name)
        message = f"Column {old.name} was renamed to {new.name} (its id {old.id} stayed)."
        if taken_over:
            message = f"Column {old.name} took over the name {new.name} of another column."
        yield pair.report(
            "COLUMN_NO_RENAME",
            message,
            new.line_of("name"),
            old.line_of("name"),
            column=old.name,
            before=old.name,
            after=new.name,
        )
    if old.id != new.id:
        message = f"Column {new.name} has another id."
        yield pair.report(
            "COLUMN_SAME_ID",
            message,
            new.line_of("id"),
            old.line_of("id"),
            column=old.name,
            before=old.id,
            after=new.id,
            fix=f"Write `id: {old.id}` again.",
        )


def _type(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    before = (old.logical_type, old.bigquery_type)
    after = (new.logical_type, new.bigquery_type)
    if before == after:
        return
    if new.bigquery_type in _FITS_INTO.get(old.bigquery_type, ()):
        rule, how = "COLUMN_TYPE_NO_WIDEN", "was widened"
    elif old.bigquery_type in _FITS_INTO.get(new.bigquery_type, ()):
        rule, how = "COLUMN_TYPE_NO_NARROW", "was narrowed"
    else:
        rule, how = "COLUMN_SAME_TYPE", "was changed"
    shown = [old.bigquery_type, new.bigquery_type]
    if shown[0] == shown[1]:
        shown = [", ".join(before), ", ".join(after)]
    key = next(
        key
        for key, b, a in zip(("logicalType", "physicalType"), before, after, strict=True)
        if b != a and (key != "logicalType" or old.bigquery_type == new.bigquery_type)
    )
    yield pair.report(
        rule,
        f"The type of {old.name} {how}: {shown[0]} became {shown[1]}.",
        new.line_of(key),
        old.line_of(key),
        column=old.name,
        before=shown[0],
        after=shown[1],
    )


def _description(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    if same_words(old.description, new.description):
        return
    details = {
        "column": old.name,
        "before": shortened(old.description),
        "after": shortened(new.description),
    }
    lines = (new.line_of("description"), old.line_of("description"))
    was, now = units(old.description), units(new.description)
    numeric = old.logical_type in ("integer", "number", "timestamp", "date")
    if numeric and was != now and was:
        gone, new_ones = " and ".join(sorted(was - now)), " and ".join(sorted(now - was))
        how = f"{gone or 'the old one'} became {new_ones or 'none'}"
        yield pair.report(
            "COLUMN_SAME_UNIT", f"The unit of {old.name} was changed: {how}.", *lines, **details
        )
        return
    message = f"The description of {old.name} was changed."
    yield pair.report("COLUMN_SAME_DESCRIPTION", message, *lines, **details)


def _classification(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    if old.classification == new.classification:
        return
    order = CLASSIFICATIONS
    known = old.classification in order and new.classification in order
    raised = known and order.index(new.classification) > order.index(old.classification)
    if old.classification == PERSONAL:
        rule = "COLUMN_PERSONAL_NO_RELEASE"
    else:
        rule = "COLUMN_CLASSIFICATION_NO_RAISE" if raised else "COLUMN_CLASSIFICATION_NO_LOWER"
    message = (
        f"The classification of {old.name} was {'raised' if raised else 'lowered'}: "
        f"{old.classification} became {new.classification}."
    )
    yield pair.report(
        rule,
        message,
        new.line_of("classification"),
        old.line_of("classification"),
        column=old.name,
        before=old.classification,
        after=new.classification,
    )


def _deprecation(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    if new.deprecated and not old.deprecated:
        message = f"Column {old.name} is deprecated."
        yield pair.report("COLUMN_DEPRECATED", message, new.line_of("deprecated"), column=old.name)
    if old.deprecated and not new.deprecated:
        message = f"Column {old.name} is no longer deprecated."
        yield pair.report("COLUMN_DEPRECATION_LIFTED", message, new.line, column=old.name)


def _labels(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    for key, before, after in (
        ("tags", sorted(old.tags), sorted(new.tags)),
        ("examples", list(map(repr, old.examples)), list(map(repr, new.examples))),
    ):
        if before != after:
            yield pair.report(
                "COLUMN_SAME_LABELS",
                f"The {key} of {old.name} were changed.",
                new.line_of(key),
                old.line_of(key),
                column=old.name,
                before=shortened(", ".join(before)),
                after=shortened(", ".join(after)),
            )


def _order(pair: Pair) -> Iterator[Finding]:
    """Positions count for those who read by them, unless a column before is gone in any case."""
    kept_then = [old.name for old, new in pair.columns if old and new]
    to_old = {new.name: old.name for old, new in pair.columns if old and new}
    now = [to_old.get(column.name) for column in pair.new.columns]
    while now and now[-1] is None:
        now.pop()
    kept_now = [name for name in now if name is not None]
    some_are_gone = len(kept_then) < len(pair.old.columns)
    if kept_then == now or (kept_then == kept_now and some_are_gone):
        return
    if kept_then == kept_now:
        first = pair.new.columns[now.index(None)]
        message = f"Column {first.name} was put before others, which move on by one."
    else:
        moved = next(now for then, now in zip(kept_then, kept_now, strict=True) if then != now)
        first = pair.new.columns[now.index(moved)]
        message = f"The columns stand in another order, from {moved} on."
    yield pair.report(
        "COLUMN_SAME_ORDER",
        message,
        first.line,
        before=", ".join(kept_then),
        after=", ".join(column.name for column in pair.new.columns),
    )
