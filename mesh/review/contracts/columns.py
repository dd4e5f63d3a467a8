"""What happened to the columns of a product: there or not, name, type, meaning, order."""

from __future__ import annotations

from mesh.contracts.findings import same_words
from mesh.contracts.model import Column
from mesh.contracts.types import CLASSIFICATIONS, NUMERIC_TYPES, PERSONAL, TIME_TYPES
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import both_shortened, units
from mesh.review.rules import (
    BREAKS,
    MAJOR,
    MINOR,
    NEXT,
    PATCH,
    SAY,
    TELLS,
    WARNS,
    Change,
    Found,
    Rules,
)

# The engine types by what they hold: a type fits into those that stand for it.
_FITS_INTO = {
    "INT64": ("NUMERIC", "FLOAT64", "STRING"),
    "NUMERIC": ("STRING",),
    "FLOAT64": ("STRING",),
    "BOOL": ("STRING",),
    "DATE": ("DATETIME", "TIMESTAMP", "STRING"),
    "DATETIME": ("STRING",),
    "TIMESTAMP": ("STRING",),
}
_MEASURED = NUMERIC_TYPES | TIME_TYPES
table: Rules[[Pair]] = Rules("column")
rule: Rules[[Pair, Column, Column]] = Rules("column")


def _at(
    key: str, pair: Pair, old: Column, new: Column, message: str, both: tuple[str, str]
) -> Change:
    """A change at a key of a column. both: what stood there, and what does."""
    line, (before, after) = new.line_of(key), both
    return pair.change(message, line, column=old.name, before=before, after=after)


@table(
    BREAKS,
    MAJOR,
    "Keep it until the end date of this major version, and leave it out of the next one.",
)
def column_no_delete(pair: Pair) -> Found:
    """A column that is read is not taken away."""
    for old, new in pair.columns:
        if old and new is None and pair.new.column(old.name) is None:
            yield pair.gone(f"Column {old.name} was deleted.", old.line, column=old.name)


@table(BREAKS, MAJOR, "Give the new column a name that was never used.")
def column_no_reuse(pair: Pair) -> Found:
    """A known name does not begin to mean another column: queries would go on, wrongly."""
    for old, new in pair.columns:
        known = pair.old.column(new.name) if new and old is None else None
        if new and known:
            message = f"The name {new.name} now stands for another column (id {new.id})."
            yield pair.change(message, new.line_of("name"), column=new.name)


@table(TELLS, MINOR)
def column_added(pair: Pair) -> Found:
    """A further column changes no query that names its columns."""
    for old, new in pair.columns:
        if new and old is None and pair.old.column(new.name) is None:
            message = f"Column {new.name} ({new.bigquery_type}) was added."
            yield pair.change(message, new.line, column=new.name)


@table(WARNS, MINOR, "Put new columns at the end, and leave the others in their order.")
def column_same_order(pair: Pair) -> Found:
    """Who reads by position (UNION, INSERT … SELECT *) meets other columns."""
    # Positions count for those who read by them, unless a column before is gone in any case.
    kept_then = [old.name for old, _ in pair.kept]
    to_old = {new.name: old.name for old, new in pair.kept}
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
    after = ", ".join(column.name for column in pair.new.columns)
    yield pair.change(message, first.line, before=", ".join(kept_then), after=after)


@rule(
    BREAKS,
    MAJOR,
    "Keep the old name in this version, and use the new one in the next major version.",
)
def column_no_rename(pair: Pair, old: Column, new: Column) -> Found:
    """A column keeps its name (the stable id tells a rename from a drop and an add)."""
    if old.name == new.name:
        return
    message = f"Column {old.name} was renamed to {new.name} (its id {old.id} stayed)."
    if pair.old.column(new.name):
        message = f"Column {old.name} took over the name {new.name} of another column."
    yield _at("name", pair, old, new, message, (old.name, new.name))


@rule(WARNS, PATCH, "Write the old id again.")
def column_same_id(pair: Pair, old: Column, new: Column) -> Found:
    """An id stays, so that reviews can follow a column."""
    if old.id != new.id:
        message, fix = f"Column {new.name} has another id.", f"Write `id: {old.id}` again."
        line = new.line_of("id")
        yield pair.change(message, line, column=old.name, before=old.id, after=new.id, fix=fix)


def _types(column: Column) -> tuple[str, str, str]:
    return (column.logical_type, column.bigquery_type, column.duckdb_type)


def _retyped(pair: Pair, old: Column, new: Column, how: str) -> Change:
    before, after = _types(old), _types(new)
    keys = ("logicalType", "physicalType", "customProperties")
    differ = [key for key, was, now in zip(keys, before, after, strict=True) if was != now]
    same = old.bigquery_type == new.bigquery_type
    key = differ[0] if same or differ[0] != "logicalType" else differ[1]
    shown = (", ".join(before), ", ".join(after)) if same else (before[1], after[1])
    message = f"The type of {old.name} {how}: {shown[0]} became {shown[1]}."
    return _at(key, pair, old, new, message, shown)


def _fits(one: Column, other: Column) -> bool:
    return other.bigquery_type in _FITS_INTO.get(one.bigquery_type, ())


@rule(BREAKS, MAJOR, NEXT)
def column_same_type(pair: Pair, old: Column, new: Column) -> Found:
    """Joins, comparisons and charts rely on the type."""
    if _types(old) != _types(new) and not _fits(old, new) and not _fits(new, old):
        yield _retyped(pair, old, new, "was changed")


@rule(BREAKS, MAJOR, NEXT)
def column_type_no_widen(pair: Pair, old: Column, new: Column) -> Found:
    """A wider type does not fit into the consumer's column, and divides or joins otherwise."""
    if _fits(old, new):
        yield _retyped(pair, old, new, "was widened")


@rule(BREAKS, MAJOR, NEXT)
def column_type_no_narrow(pair: Pair, old: Column, new: Column) -> Found:
    """A narrower type loses digits that a consumer used."""
    if _fits(new, old):
        yield _retyped(pair, old, new, "was narrowed")


def _described(pair: Pair, old: Column, new: Column, message: str) -> Change:
    both = both_shortened(old.description, new.description)
    return _at("description", pair, old, new, message, both)


@rule(WARNS, PATCH, "See whether only the words changed, or the meaning too.")
def column_same_description(pair: Pair, old: Column, new: Column) -> Found:
    """The description is the meaning: other words may mean another thing."""
    if not same_words(old.description, new.description) and not _other_unit(old, new):
        yield _described(pair, old, new, f"The description of {old.name} was changed.")


def _other_unit(old: Column, new: Column) -> bool:
    was, now = units(old.description), units(new.description)
    return old.logical_type in _MEASURED and bool(was) and was != now


@rule(BREAKS, MAJOR, "Add a column in the new unit beside this one.")
def column_same_unit(pair: Pair, old: Column, new: Column) -> Found:
    """A number in another unit is wrong by a factor, and no query notices."""
    if _other_unit(old, new):
        was, now = units(old.description), units(new.description)
        gone, come = (" and ".join(sorted(those)) for those in (was - now, now - was))
        how = f"{gone or 'the old one'} became {come or 'none'}"
        message = f"The unit of {old.name} was changed: {how}."
        yield _described(pair, old, new, message)


@rule(TELLS, PATCH)
def column_same_labels(pair: Pair, old: Column, new: Column) -> Found:
    """Tags, examples and notes help readers; no query holds them."""
    for key, before, after in (
        ("tags", sorted(old.tags), sorted(new.tags)),
        ("examples", list(map(repr, old.examples)), list(map(repr, new.examples))),
    ):
        if before != after:
            both = both_shortened(", ".join(before), ", ".join(after))
            yield _at(key, pair, old, new, f"The {key} of {old.name} were changed.", both)


@rule(WARNS, MINOR, SAY)
def column_deprecated(pair: Pair, old: Column, new: Column) -> Found:
    """Consumers learn in time that a column goes."""
    if new.deprecated and not old.deprecated:
        message = f"Column {old.name} is deprecated."
        yield pair.change(message, new.line_of("deprecated"), column=old.name)


@rule(TELLS, MINOR)
def column_deprecation_lifted(pair: Pair, old: Column, new: Column) -> Found:
    """Consumers learn that a column stays."""
    if old.deprecated and not new.deprecated:
        message = f"Column {old.name} is no longer deprecated."
        yield pair.change(message, new.line, column=old.name)


def _classified(pair: Pair, old: Column, new: Column) -> Change:
    how = "raised" if _raised(old, new) else "lowered"
    before, after = old.classification, new.classification
    message = f"The classification of {old.name} was {how}: {before} became {after}."
    return _at("classification", pair, old, new, message, (before, after))


def _raised(old: Column, new: Column) -> bool:
    was, now = (old.classification, new.classification)
    ranks = list(CLASSIFICATIONS)
    return {was, now} <= {*ranks} and ranks.index(now) > ranks.index(was)


@rule(
    BREAKS,
    MAJOR,
    "Agree with each consumer, and publish the stricter version as the next major one.",
)
def column_classification_no_raise(pair: Pair, old: Column, new: Column) -> Found:
    """Who was free to show or copy a column no longer is."""
    if _raised(old, new) and old.classification != PERSONAL:
        yield _classified(pair, old, new)


@rule(WARNS, MINOR, "Let the owner of the data confirm it.")
def column_classification_no_lower(pair: Pair, old: Column, new: Column) -> Found:
    """Data that was protected is protected less."""
    same = old.classification == new.classification
    if not same and not _raised(old, new) and old.classification != PERSONAL:
        yield _classified(pair, old, new)


@rule(BREAKS, MINOR, "Keep `classification: personal`.")
def column_personal_no_release(pair: Pair, old: Column, new: Column) -> Found:
    """Personal data does not become anything else by a line in a file."""
    if old.classification == PERSONAL != new.classification:
        yield _classified(pair, old, new)
