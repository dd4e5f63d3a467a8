# ruff: noqa: E501 — a table is read by rows
"""Which values a consumer may meet: more than before breaks, fewer does not.

What became of a promise, its own kind tells; here it gets the rule that it falls under.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import product

from mesh.contracts.constraints import COLUMN_KINDS
from mesh.contracts.constraints.base import Effect
from mesh.review.contracts.pair import Pair
from mesh.review.rules import BREAKS, MAJOR, MINOR, NEXT, PATCH, TELLS, WARNS, Found, Rules

rule: Rules[[Pair]] = Rules("values")
_LOOSER, _TIGHTER, _OTHER, _WORDS = Effect.LOOSER, Effect.TIGHTER, Effect.OTHER, Effect.WORDS
_KINDS: set[str] = set()


def _of(kind: str, *effects: Effect) -> Callable[[Pair], Found]:
    _KINDS.add(kind)
    return lambda pair: _changes(pair, lambda one: one == kind, effects)


def of_other_kinds(pair: Pair, *effects: Effect) -> Found:
    """Changes of kinds of promises that there are no rules of their own for."""
    return _changes(pair, lambda one: one not in _KINDS, effects)


def _changes(pair: Pair, wanted: Callable[[str], bool], effects: Collection[Effect]) -> Found:
    kinds = [one for one in COLUMN_KINDS if wanted(one.kind)]
    for (old, new), kind in product(pair.kept, kinds):
        for one in kind.compare(old, new):
            if one.effect not in effects:
                continue
            line = one.line or new.line_of(kind.key)
            if one.is_gone or (one.line is None and kind.key not in new.lines):
                line = pair.line_now(one.was or old.line_of(kind.key))
            before, after = one.before or "", one.after or ""
            yield pair.change(one.message, line, column=old.name, before=before, after=after)


# fmt: off
rule.add("NULL_NO_ALLOW", BREAKS, MAJOR, "Sums, joins and filters lose rows when a value may be missing.", NEXT, _of("required", _LOOSER))
rule.add("NULL_REFUSED", TELLS, MINOR, "A value that is always there asks nothing of a consumer.", "", _of("required", _TIGHTER))
rule.add("UNIQUE_NO_DROP", BREAKS, MAJOR, "A join on a column that is no longer unique multiplies rows.", NEXT, _of("unique", _LOOSER))
rule.add("UNIQUE_ADDED", TELLS, MINOR, "A column that is unique asks nothing of a consumer.", "", _of("unique", _TIGHTER))
rule.add("ENUM_NO_WIDEN", BREAKS, MAJOR, "A consumer may meet a value that falls through each CASE and filter.", NEXT, _of("enum", _LOOSER))
rule.add("ENUM_NARROWED", TELLS, MINOR, "A value that no longer comes leaves a filter on it empty.", "", _of("enum", _TIGHTER))
rule.add("ENUM_SAME_MEANING", WARNS, PATCH, "What a value stands for is its meaning.", "See whether only the words changed, or the meaning too.", _of("enum", _WORDS))
rule.add("RANGE_NO_WIDEN", BREAKS, MAJOR, "A value outside the known range breaks thresholds, axes and buckets.", NEXT, _of("range", _LOOSER))
rule.add("RANGE_NARROWED", TELLS, MINOR, "Fewer values ask nothing of a consumer.", "", _of("range", _TIGHTER))
rule.add("STEP_NO_LOOSEN", BREAKS, MAJOR, "Values between the known steps fall out of groups and joins.", NEXT, _of("multiple_of", _LOOSER))
rule.add("STEP_TIGHTENED", TELLS, MINOR, "Coarser steps ask nothing of a consumer.", "", _of("multiple_of", _TIGHTER))
rule.add("LENGTH_NO_WIDEN", BREAKS, MAJOR, "A longer text is cut off, a shorter one is taken for nothing.", NEXT, _of("length", _LOOSER))
rule.add("LENGTH_NARROWED", TELLS, MINOR, "Fewer lengths ask nothing of a consumer.", "", _of("length", _TIGHTER))
rule.add("PATTERN_NO_CHANGE", BREAKS, MAJOR, "Whoever takes a text apart relies on its pattern.", NEXT, _of("pattern", _LOOSER, _OTHER))
rule.add("PATTERN_ADDED", TELLS, MINOR, "A pattern where there was none asks nothing of a consumer.", "", _of("pattern", _TIGHTER))
