"""Grain and service levels: compared as what they promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mesh.contracts.checks.product import end_of_life
from mesh.contracts.findings import same_words
from mesh.contracts.model import ServiceLevel
from mesh.review.contracts.pair import Pair
from mesh.review.rules import BREAKS, MAJOR, MINOR, NEXT, PATCH, TELLS, WARNS, Change, Found, Rules
from mesh.words import many

_MORE_IS_BETTER = {"availability", "completeness", "retention", "endOfSupport"}
_LESS_IS_BETTER = {
    *("errorRate", "freshness", "frequency", "generalAvailability", "latency"),
    *("timeToDetect", "timeToNotify", "timeToRepair"),
}
# Units that are words, of which there can be several.
_COUNTED = {"minute", "hour", "day", "week", "month", "year"}
grain: Rules[[Pair]] = Rules("grain")
rule: Rules[[Pair]] = Rules("service")


def _grains(pair: Pair) -> tuple[list[str], list[str]]:
    """The columns of the grain in both, by their names of now."""
    was = [pair.names.get(name, f"{name} (gone)") for name in pair.old.grain]
    return was, list(pair.new.grain)


@grain(BREAKS, MAJOR, NEXT)
def grain_same(pair: Pair) -> Found:
    """Another grain multiplies rows in each join and each sum."""
    was, now = _grains(pair)
    if set(was) == set(now):
        return
    before, after = ", ".join(pair.old.grain), ", ".join(now)
    changed = [c for c in pair.new.columns if (c.name in now) != (c.name in was)]
    changed += [c for c in pair.new.columns if c.name in now[:1]]
    line = changed[0].line_of("primaryKey") if changed else 1
    message = f"The grain was {before or 'not stated'}, and is {after or 'not stated'}."
    yield pair.change(message, line, before=before, after=after)


@grain(TELLS, PATCH)
def grain_same_order(pair: Pair) -> Found:
    """The order of the grain says how the product is laid out, not what a row is."""
    was, now = _grains(pair)
    first = pair.new.column(now[0]) if now else None
    if set(was) == set(now) and was != now and first:
        before, after = ", ".join(pair.old.grain), ", ".join(now)
        message = f"The columns of the grain stand in another order: {after}."
        yield pair.change(message, first.line_of("primaryKey"), before=before, after=after)


@grain(WARNS, PATCH, "See whether only the words changed, or the rows too.")
def grain_same_words(pair: Pair) -> Found:
    """The sentence on what one row is may hide another grain."""
    before, after = pair.old.grain_label, pair.new.grain_label
    if not same_words(before, after):
        line = pair.line_of(("schema", 0, "dataGranularityDescription"))
        message = "The sentence on what one row is was changed."
        yield pair.change(message, line, before=before, after=after)


def _levels(pair: Pair) -> Iterator[tuple[ServiceLevel | None, ServiceLevel | None]]:
    old, new = (_by_kind(c.service_levels) for c in (pair.old, pair.new))
    return ((old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new]))


def _kept(pair: Pair) -> Iterator[tuple[ServiceLevel, ServiceLevel]]:
    return ((old, new) for old, new in _levels(pair) if old and new)


def _by_kind(levels: tuple[ServiceLevel, ...]) -> dict[tuple[str, str], ServiceLevel]:
    """By kind, and where there are several of a kind, by id; `endOfLife` is left to versions."""
    kinds = [level.property for level in levels]
    return {
        (s.property, s.id if kinds.count(s.property) > 1 else ""): s
        for s in levels
        if s.property != "endOfLife"
    }


def _shown(level: ServiceLevel) -> str:
    if level.unit in _COUNTED and isinstance(level.value, int):
        return many(level.value, level.unit)
    return f"{level.value} {level.unit or ''}".strip()


def _better(old: ServiceLevel, new: ServiceLevel) -> bool | None:
    """Whether a level promises more than before; None where both are the same or incomparable."""
    was, now = _amount(old), _amount(new)
    known = old.property in _MORE_IS_BETTER | _LESS_IS_BETTER
    if was is None or now is None or was[0] != now[0] or was == now or not known:
        return None
    return (now > was) == (old.property in _MORE_IS_BETTER)


def _amount(level: ServiceLevel) -> tuple[str, float] | None:
    """Something that can be compared with the other level of the same kind, or None."""
    if level.days is not None:
        return ("days", level.days)
    date = end_of_life(level.value)
    if date is not None:
        return ("date", date.toordinal())
    if isinstance(level.value, int | float) and not isinstance(level.value, bool):
        return (level.unit or "", level.value)
    return None


def _changed(pair: Pair, old: ServiceLevel, new: ServiceLevel, how: str) -> Change:
    before, after = _shown(old), _shown(new)
    message = f"The {old.property} {how}: {before} became {after}."
    return pair.change(message, new.line, before=before, after=after)


def _worse(*kinds: str) -> Callable[[Pair], Found]:
    def find(pair: Pair) -> Found:
        for old, new in _kept(pair):
            if old.property in kinds and _better(old, new) is False:
                yield _changed(pair, old, new, "is worse")

    return find


@rule(BREAKS, MAJOR, NEXT)
def service_no_delete(pair: Pair) -> Found:
    """A promise on delivery is not taken back."""
    for old, new in _levels(pair):
        if old and not new:
            message = f"The promise on {old.property} was taken back: {_shown(old)}."
            yield pair.gone(message, old.line)


@rule(TELLS, MINOR)
def service_added(pair: Pair) -> Found:
    """A further promise asks nothing of a consumer."""
    for old, new in _levels(pair):
        if new and not old:
            message = f"A promise on {new.property} was added: {_shown(new)}."
            yield pair.change(message, new.line)


_OWN = {
    "freshness": "A report that was of last month would show an older one.",
    "completeness": "Totals would miss rows that used to be there.",
    "retention": "Comparisons with the past need the past.",
}
for _kind, _guards in _OWN.items():
    rule.add(f"{_kind.upper()}_NO_LOOSEN", BREAKS, MAJOR, _guards, NEXT, _worse(_kind))


@rule(BREAKS, MAJOR, NEXT)
def service_no_loosen(pair: Pair) -> Found:
    """Plans of the consumers rest on the promised service."""
    yield from _worse(*(_MORE_IS_BETTER | _LESS_IS_BETTER) - _OWN.keys())(pair)
    for old, new in _kept(pair):
        was, now = _amount(old), _amount(new)
        same = _shown(old) == _shown(new) or (was == now and was is not None)
        if _better(old, new) is None and not same:
            yield _changed(pair, old, new, "was changed")


@rule(TELLS, MINOR)
def service_tightened(pair: Pair) -> Found:
    """A better service asks nothing of a consumer."""
    for old, new in _kept(pair):
        if _better(old, new):
            yield _changed(pair, old, new, "is better")


@rule(BREAKS, MAJOR, NEXT)
def service_same_measure(pair: Pair) -> Found:
    """The same number, measured on another thing, is another promise."""
    for old, new in _kept(pair):
        element = pair.names.get(old.element or "", old.element)
        if (element, old.measured_by) != (new.element, new.measured_by):
            was, now = (
                f"on {side.element or 'the whole'} by {side.measured_by or 'no rule'}"
                for side in (old, new)
            )
            message = f"The {old.property} is measured otherwise: {was} before, {now} now."
            yield pair.change(message, new.line)


@rule(TELLS, PATCH)
def service_same_words(pair: Pair) -> Found:
    """The description explains a service level; it does not promise more."""
    for old, new in _kept(pair):
        if not same_words(old.description, new.description) or old.id != new.id:
            yield pair.change(f"The {old.property} is described otherwise.", new.line)
