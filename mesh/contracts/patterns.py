"""Regular expressions that both engines take and that cannot hang any tool that tries them.

BigQuery and DuckDB match with RE2, in linear time. Other readers of a contract match with
backtracking, so what is ambiguous under an endless repetition is refused too.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from re import _constants as op
from re import _parser as sre_parse
from typing import Any

MAX_LENGTH = 500
MAX_REPEAT = 1000
MANY = 10
"""A repetition that may go on for longer than this is treated like an endless one."""

_FOREIGN = {
    op.ASSERT: "a lookaround",
    op.ASSERT_NOT: "a lookaround",
    op.GROUPREF: "a backreference",
    op.GROUPREF_EXISTS: "a condition on a group",
}
for _name, _text in (
    ("ATOMIC_GROUP", "an atomic group"),
    ("POSSESSIVE_REPEAT", "a possessive repetition"),
):
    if hasattr(op, _name):
        _FOREIGN[getattr(op, _name)] = _text
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)
_ALPHABET = [chr(code) for code in range(32, 127)] + ["\t", "\n", "\r", "é", "中"]


def complaint(pattern: str) -> str | None:
    """Why this pattern cannot be used, as the end of a sentence, or None."""
    if len(pattern) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = sre_parse.parse(pattern)
    except (re.error, OverflowError) as error:
        return f"does not compile: {error}"
    except RecursionError:
        return "is nested too deeply"
    try:
        return _foreign(parsed) or _ambiguous(parsed)
    except RecursionError:
        return "is nested too deeply"


@lru_cache(maxsize=256)
def refused_by_engine(pattern: str) -> str | None:
    """Why RE2 itself refuses the pattern, as the end of a sentence, or None. Loads DuckDB."""
    import duckdb

    try:
        matches(pattern, ("",))
    except duckdb.Error as error:
        return f"is refused by the engines: {str(error).splitlines()[0]}"
    return None


@lru_cache(maxsize=256)
def matches(pattern: str, texts: tuple[str, ...]) -> list[bool]:
    """Which texts the pattern finds a match in, by RE2 as DuckDB has it. Loads DuckDB.

    Raises duckdb.Error when RE2 refuses the pattern.
    """
    import duckdb
    from sqlglot import exp

    if not texts:
        return []
    # Literals instead of parameters: with parameters the client loads pandas, which takes a second.
    found = [
        exp.func("regexp_matches", exp.Literal.string(text), exp.Literal.string(pattern))
        for text in texts
    ]
    with duckdb.connect() as connection:
        row = connection.execute(exp.select(*found).sql(dialect="duckdb")).fetchone()
    return [bool(value) for value in row or ()]


def _foreign(items: Any, factor: int = 1) -> str | None:
    for code, value in items:
        if code in _FOREIGN:
            return f"uses {_FOREIGN[code]}, which RE2 does not know"
        times = factor
        if code in _REPEATS:
            low, high, _ = value
            times = factor * max(int(low), 1 if high is op.MAXREPEAT else int(high), 1)
            if times > MAX_REPEAT:
                return f"repeats something more than {MAX_REPEAT} times"
        for part in _parts(code, value):
            found = _foreign(part, times)
            if found:
                return found
    return None


def _parts(code: Any, value: Any) -> list[Any]:
    if code in _REPEATS:
        return [value[2]]
    if code is op.SUBPATTERN:
        return [value[3]]
    if code is op.BRANCH:
        return list(value[1])
    return []


def _ambiguous(items: Any) -> str | None:
    """Find an endless repetition whose rounds can be cut in more than one way."""
    for code, value in items:
        if _is_long(code, value) and not _rounds_are_clear(value[2]):
            return "repeats a repetition (or an alternative) in a way that can take for ever"
        for part in _parts(code, value):
            found = _ambiguous(part)
            if found:
                return found
    previous: frozenset[str] | None = None
    endless = 0
    for code, value in _flatten(items):
        if _is_long(code, value):
            chars = _all_chars(value[2])
            endless = endless + 1 if previous is not None and previous & chars else 1
            if endless > 2:
                return "has three endless repetitions of the same characters in a row"
            previous = chars
        elif previous is not None and not previous >= _all_chars([(code, value)]):
            previous, endless = None, 0
    return None


def _is_long(code: Any, value: Any) -> bool:
    return code in _REPEATS and (value[1] is op.MAXREPEAT or int(value[1]) > MANY)


def _rounds_are_clear(body: Any) -> bool:
    """Whether each round of a repeated body begins (or ends) where only it can."""
    flat = _flatten(body)
    if not any(code in _REPEATS or code is op.BRANCH for code, _ in flat):
        return True
    if len(flat) == 1 and flat[0][0] is op.BRANCH:
        firsts = [_flatten(branch) for branch in flat[0][1][1]]
        if any(
            not branch or any(code in _REPEATS or code is op.BRANCH for code, _ in branch)
            for branch in firsts
        ):
            return False
        sets = [_all_chars([branch[0]]) for branch in firsts]
        return sum(len(chars) for chars in sets) == len(frozenset().union(*sets))
    if any(code is op.BRANCH for code, _ in flat):
        return False
    for edge, rest in ((flat[0], flat[1:]), (flat[-1], flat[:-1])):
        if edge[0] not in _REPEATS and not _all_chars([edge]) & _all_chars(rest):
            return all(_rounds_are_clear(value[2]) for code, value in rest if code in _REPEATS)
    return False


def _flatten(items: Any) -> list[tuple[Any, Any]]:
    """The items with plain groups opened and anchors left out."""
    flat: list[tuple[Any, Any]] = []
    for code, value in items:
        if code is op.SUBPATTERN:
            flat.extend(_flatten(value[3]))
        elif code is not op.AT:
            flat.append((code, value))
    return flat


def _all_chars(items: Any) -> frozenset[str]:
    """The characters of a small alphabet that the items can match at any place."""
    chars: frozenset[str] = frozenset()
    for code, value in items:
        parts = _parts(code, value)
        if parts:
            chars = chars.union(*(_all_chars(part) for part in parts))
        elif code is op.LITERAL:
            chars |= {chr(value)}
        elif code is not op.AT:
            chars |= {c for c in _ALPHABET if _single_matches(code, value, c)}
    return chars


def _single_matches(code: Any, value: Any, char: str) -> bool:
    if code is op.ANY:
        return True
    if code is op.NOT_LITERAL:
        return ord(char) != value
    if code is op.CATEGORY:
        return _in_category(value, char)
    if code is op.IN:
        items = list(value)
        negate = bool(items) and items[0][0] is op.NEGATE
        return any(_in_item(item, char) for item in items[negate:]) != negate
    return True


def _in_item(item: tuple[Any, Any], char: str) -> bool:
    code, value = item
    if code is op.LITERAL:
        return ord(char) == value
    if code is op.RANGE:
        return value[0] <= ord(char) <= value[1]
    return _in_category(value, char)


def _in_category(category: Any, char: str) -> bool:
    known = {
        op.CATEGORY_DIGIT: char.isdigit(),
        op.CATEGORY_NOT_DIGIT: not char.isdigit(),
        op.CATEGORY_SPACE: char.isspace(),
        op.CATEGORY_NOT_SPACE: not char.isspace(),
        op.CATEGORY_WORD: char.isalnum() or char == "_",
        op.CATEGORY_NOT_WORD: not (char.isalnum() or char == "_"),
    }
    return known.get(category, True)
