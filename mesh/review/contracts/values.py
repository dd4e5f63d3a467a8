"""Which values a consumer may meet: more than before breaks, fewer does not.

Bounds are compared as sets of values, not as keys: `exclusiveMinimum: 0` of a whole number is
`minimum: 1`, and a step of 1 says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from mesh.contracts.model import Column
from mesh.contracts.values import comparable, is_multiple, is_number
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import same_words
from mesh.review.findings import Finding


def compare_values(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    yield from _nulls(pair, old, new)
    yield from _unique(pair, old, new)
    yield from _enum(pair, old, new)
    types = {old.logical_type, new.logical_type}
    if len(types) == 1 or types <= {"integer", "number"}:
        yield from _range(pair, old, new)
    if len(types) == 1:
        yield from _step(pair, old, new)
        yield from _length(pair, old, new)
        yield from _pattern(pair, old, new)


def _nulls(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    lines = (new.line_of("required"), old.line_of("required"))
    if old.required and not new.required:
        message = f"{old.name} may now be null."
        yield pair.report("NULL_NO_ALLOW", message, *lines, column=old.name)
    if new.required and not old.required:
        message = f"{old.name} can no longer be null."
        yield pair.report("NULL_REFUSED", message, *lines, column=old.name)


def _unique(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    lines = (new.line_of("unique"), old.line_of("unique"))
    if old.unique and not new.unique and pair.new.grain != (new.name,):
        message = f"{old.name} is no longer promised to be unique."
        yield pair.report("UNIQUE_NO_DROP", message, *lines, column=old.name)
    if new.unique and not old.unique and pair.old.grain != (old.name,):
        yield pair.report("UNIQUE_ADDED", f"{old.name} is now unique.", *lines, column=old.name)


def _enum(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    was = {_value(v.value): v for v in old.enum}
    now = {_value(v.value): v for v in new.enum}
    line, before = new.line_of("enum"), old.line_of("enum")

    def listed(values: Any) -> str:
        return ", ".join(str(v.value) for v in values)

    details = {"column": old.name, "before": listed(old.enum), "after": listed(new.enum)}
    if was and not now:
        message = f"{old.name} may now take any value: its list of allowed values is gone."
        yield pair.gone("ENUM_NO_WIDEN", message, before, **details)
        return
    if now and not was:
        message = f"{old.name} is now one of: {listed(new.enum)}."
        yield pair.report("ENUM_NARROWED", message, line, **details)
        return
    added = [value for key, value in now.items() if key not in was]
    removed = [value for key, value in was.items() if key not in now]
    if added:
        message = f"{old.name} may now take a new value: {listed(added)}."
        yield pair.report("ENUM_NO_WIDEN", message, added[0].line, before, **details)
    if removed:
        message = f"{old.name} no longer takes the value: {listed(removed)}."
        yield pair.gone("ENUM_NARROWED", message, removed[0].line, **details)
    for key in was.keys() & now.keys():
        if not same_words(was[key].description, now[key].description):
            yield pair.report(
                "ENUM_SAME_MEANING",
                f"The value {now[key].value} of {old.name} is explained otherwise.",
                now[key].line,
                was[key].line,
                column=old.name,
                before=was[key].description,
                after=now[key].description,
            )


def _value(value: object) -> tuple[str, object]:
    return ("number" if is_number(value) else type(value).__name__, value)


class _Bound(NamedTuple):
    value: Any
    open: bool
    text: str


def _bound(column: Column, low: bool) -> _Bound | None:
    """The strictest bound of one side, as a value that can be compared."""
    closed, opened = (
        (column.minimum, column.exclusive_minimum)
        if low
        else (column.maximum, column.exclusive_maximum)
    )
    found = []
    for stated, is_open in ((closed, False), (opened, True)):
        value = comparable(column.logical_type, stated)
        if value is None:
            continue
        if is_open and column.logical_type == "integer":
            value, is_open = value + (1 if low else -1), False
        found.append(_Bound(value, is_open, f"{'above' if low else 'below'} {stated}"))
        if not is_open:
            found[-1] = found[-1]._replace(text=f"{'at least' if low else 'at most'} {value}")
    if not found:
        return None
    return (max if low else min)(found, key=lambda b: (b.value, b.open if low else not b.open))


def _range(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    wider, tighter = [], []
    for low in (True, False):
        was, now = _bound(old, low), _bound(new, low)
        if was == now or (was and now and (was.value, was.open) == (now.value, now.open)):
            continue
        change = f"{was.text if was else 'without limit'} became " + (
            now.text if now else "without limit"
        )
        if was is None:
            tighter.append(change)
        elif now is None:
            wider.append(change)
        else:
            same = was.value == now.value
            loosened = was.open if same else (now.value < was.value) == low
            (wider if loosened else tighter).append(change)
    for rule, changes, word in (
        ("RANGE_NO_WIDEN", wider, "wider"),
        ("RANGE_NARROWED", tighter, "narrower"),
    ):
        if changes:
            message = f"The range of {old.name} is {word}: {' and '.join(changes)}."
            yield _option(pair, rule, message, old, new)


def _option(pair: Pair, rule: str, message: str, old: Column, new: Column) -> Finding:
    was = old.line_of("logicalTypeOptions")
    if "logicalTypeOptions" in new.lines:
        line = new.line_of("logicalTypeOptions")
        return pair.report(rule, message, line, was, column=old.name)
    return pair.gone(rule, message, was, column=old.name)


def _step(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    was, now = (_meaningful_step(column) for column in (old, new))
    if was == now:
        return
    if was is None or (now is not None and is_multiple(now, was)):
        message = f"{old.name} now comes in steps of {now}."
        yield _option(pair, "STEP_TIGHTENED", message, old, new)
    else:
        text = f"in steps of {now}" if now is not None else "in any step"
        message = f"{old.name} came in steps of {was}, and now {text}."
        yield _option(pair, "STEP_NO_LOOSEN", message, old, new)


def _meaningful_step(column: Column) -> int | float | None:
    step = column.multiple_of
    if step is None or (column.logical_type == "integer" and Fraction(str(step)) == 1):
        return None
    return int(step) if float(step).is_integer() else step


def _length(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    shorter = (new.min_length or 0) - (old.min_length or 0)
    unlimited = float("inf")
    was_max = unlimited if old.max_length is None else old.max_length
    now_max = unlimited if new.max_length is None else new.max_length
    spans = [
        f"{column.min_length or 0} to {'any' if column.max_length is None else column.max_length}"
        for column in (old, new)
    ]
    message = f"The length of {old.name} was changed: {spans[0]} became {spans[1]} characters."
    if shorter < 0 or now_max > was_max:
        yield _option(pair, "LENGTH_NO_WIDEN", message, old, new)
    elif shorter > 0 or now_max < was_max:
        yield _option(pair, "LENGTH_NARROWED", message, old, new)


def _pattern(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    if old.pattern == new.pattern:
        return
    if old.pattern is None:
        message = f"{old.name} now keeps to a pattern: {new.pattern}"
        yield _option(pair, "PATTERN_ADDED", message, old, new)
    elif new.pattern is None:
        message = f"{old.name} no longer keeps to its pattern {old.pattern}"
        yield _option(pair, "PATTERN_NO_CHANGE", message, old, new)
    else:
        message = f"{old.name} keeps to another pattern: {old.pattern} became {new.pattern}"
        yield _option(pair, "PATTERN_NO_CHANGE", message, old, new)
