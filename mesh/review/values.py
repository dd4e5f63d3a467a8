"""Which values a consumer may meet: more than before breaks, fewer does not.

What became of a promise, its own kind tells; here it gets the rule of the review that it falls
under.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh.contracts.constraints import COLUMN_KINDS
from mesh.contracts.constraints.base import Change, ColumnPromise, Effect
from mesh.contracts.model import Column
from mesh.review.findings import Finding
from mesh.review.pair import Pair

_LOOSER, _TIGHTER, _OTHER, _WORDS = Effect.LOOSER, Effect.TIGHTER, Effect.OTHER, Effect.WORDS
_RULES = {
    "required": {_LOOSER: "NULL_NO_ALLOW", _TIGHTER: "NULL_REFUSED"},
    "unique": {_LOOSER: "UNIQUE_NO_DROP", _TIGHTER: "UNIQUE_ADDED"},
    "enum": {
        _LOOSER: "ENUM_NO_WIDEN",
        _TIGHTER: "ENUM_NARROWED",
        _WORDS: "ENUM_SAME_MEANING",
    },
    "range": {_LOOSER: "RANGE_NO_WIDEN", _TIGHTER: "RANGE_NARROWED"},
    "multiple_of": {_LOOSER: "STEP_NO_LOOSEN", _TIGHTER: "STEP_TIGHTENED"},
    "length": {_LOOSER: "LENGTH_NO_WIDEN", _TIGHTER: "LENGTH_NARROWED"},
    "pattern": {
        _LOOSER: "PATTERN_NO_CHANGE",
        _OTHER: "PATTERN_NO_CHANGE",
        _TIGHTER: "PATTERN_ADDED",
    },
}
# Of a kind that the review has no rules of its own for.
_OF_ANY_KIND = {
    _LOOSER: "QUALITY_NO_LOOSEN",
    _TIGHTER: "QUALITY_TIGHTENED",
    _OTHER: "QUALITY_SAME_RULE",
    _WORDS: "QUALITY_SAME_WORDS",
}


def compare_values(pair: Pair, old: Column, new: Column) -> Iterator[Finding]:
    for kind in COLUMN_KINDS:
        for change in kind.compare(old, new):
            yield _finding(pair, kind, change, old, new)


def _finding(
    pair: Pair, kind: type[ColumnPromise], change: Change, old: Column, new: Column
) -> Finding:
    rule = _RULES.get(kind.kind, _OF_ANY_KIND)[change.effect]
    details = {"column": old.name, "before": change.before, "after": change.after}
    was = change.was or old.line_of(kind.key)
    if change.is_gone or (change.line is None and kind.key not in new.lines):
        return pair.gone(rule, change.message, was, **details)
    return pair.report(rule, change.message, change.line or new.line_of(kind.key), was, **details)
