"""Made-up rows: values that have broken rules before, and those that a rule itself speaks of.

Nothing is left to chance: the same rule gets the same rows each time.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from sqlglot import exp

from mesh.contracts.types import DUCKDB_TYPES, TIMED, today

LONGEST_TEXT = 100_000
# Of a rule that counts, worlds with fewer and more rows are made up to here.
MOST_ROWS = 3_000
# Of so many rows each is drawn for itself.
_LARGE = 400
Value = str | None
"""A value as text that the engine casts to the column's type."""
Columns = tuple[tuple[str, "Pool"], ...]
"""The columns of a table by name."""

_FIRST, _BASE = datetime.date(1995, 1, 1), datetime.date(2020, 1, 1)
_DAYS = [
    *(_FIRST + datetime.timedelta(days=37 * number) for number in range(350)),
    *(datetime.date.fromisoformat(f"2019-{day}") for day in ("01-31", "02-28", "12-30", "12-31")),
    *(datetime.date.fromisoformat(f"2020-{day}") for day in ("01-01", "01-02", "02-29", "03-31")),
    *(datetime.date.fromisoformat(day) for day in ("1900-01-01", "1969-12-31", "1970-01-01")),
]
_TIMES = ("00:00:00", "00:00:01", "12:34:56", "23:59:59.999999")
_WHOLE = [str(n) for n in (*range(-2, 13), 28, 31, 60, 99, 100, 366, 1000, 50_000, -100)]
_MARKS = [chr(number) for number in (9, *range(32, 48), *range(58, 65), 92, 95, 124, 8364)]
_TEXTS = [
    *("", " ", "a", "b", "A", "ab", "é", "日本", " a", "a ", "a b", "a  b", "0", "1"),
    *("-1", "1.5", "2020-01-01", "null", "x" * 300, "'", '"', *_MARKS, *(f"a{m}b" for m in _MARKS)),
]
_FRACTIONS = [*_WHOLE, "0.5", "-0.5", "0.1", "0.001", "1e-9", "1.5", "3.3333", "99.9"]
_USUAL: Mapping[str, list[str]] = {
    "INT64": _WHOLE,
    "FLOAT64": _FRACTIONS,
    "NUMERIC": _FRACTIONS,
    "STRING": _TEXTS,
    "BOOL": ["true", "false"],
    "DATE": [day.isoformat() for day in _DAYS],
    "TIMESTAMP": [f"{day}T{_TIMES[n % 4]}+00:00" for n, day in enumerate(_DAYS)],
    "DATETIME": [f"{day}T{_TIMES[n % 4]}" for n, day in enumerate(_DAYS)],
}
# Arithmetic on these can go beyond the type.
_WILD: Mapping[str, tuple[str, ...]] = {
    "INT64": (str(2**63 - 1), str(-(2**63)), str(2**40), str(-(2**40))),
    "FLOAT64": ("1e300", "-1e300", "inf", "-inf", "nan"),
    "NUMERIC": ("99999999999999999999999999999", "-99999999999999999999999999999"),
    "DATE": ("0001-01-01", "9999-12-31"),
    "TIMESTAMP": ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"),
    "DATETIME": ("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
}


@dataclass(frozen=True)
class Pool:
    """The values that a column is given. own: that it is compared with; near: just beside them."""

    type: str
    own: tuple[Value, ...]
    near: tuple[Value, ...]
    usual: tuple[Value, ...]
    wild: tuple[Value, ...]

    def some(self, random: Random, number: int, *, wild: bool = False) -> list[Value]:
        kinds = [kind for kind in (self.own, self.own, self.own, self.near, self.usual) if kind]
        kinds += [self.wild] if wild and self.wild else []
        return [random.choice(kind) for kind in random.choices(kinds, k=number)]


def pools_of(
    types: Mapping[str, str], query: exp.Expr, promised: Mapping[str, Iterable[exp.Expr]]
) -> Columns | None:
    """The pools of those columns of a table that a query names; None where one is of a type that
    nothing is known of.

    promised: what the columns promise by themselves.
    """
    named = {column.name for column in query.find_all(exp.Column)}
    types = {name: kind for name, kind in types.items() if name in named} or dict(
        [*types.items()][:1]
    )
    if not set(types.values()) <= set(_USUAL):
        return None
    compared, every = _literals(query)
    timed = query.find(exp.CurrentDate, exp.CurrentTimestamp) is not None
    pools = []
    for name, kind in types.items():
        own, beside = _values(kind, compared[name])
        promises = _values(kind, [one for node in promised.get(name, ()) for one in _all(node)])
        others = _values(kind, every)
        if timed and kind in TIMED:
            beside += [_time(kind, today() + datetime.timedelta(days=n)) for n in _AROUND]
        near = (*beside, *promises[0], *promises[0], *promises[1])
        usual = (*_USUAL[kind], *others[0], *others[1])
        pools.append((name, Pool(kind, tuple(own), near, usual, _WILD.get(kind, ()))))
    return tuple(pools)


def table(name: str, columns: Columns) -> str:
    """The statement that makes a table of the values of its columns."""
    names = [exp.to_identifier(one, quoted=True).sql("duckdb") for one, _ in columns]
    typed = [
        f"UNNEST(CAST(CAST(? AS VARCHAR[]) AS {DUCKDB_TYPES[pool.type]}[])) AS {one}"
        for one, (_, pool) in zip(names, columns, strict=True)
    ]
    return f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {', '.join(typed)}"


def world(
    number: int, tables: Mapping[str, Columns], sizes: Sequence[int]
) -> dict[str, list[list[Value]]]:
    """The values of the columns of several tables, of as many rows as one of the sizes.

    In most worlds rows differ from one another in few columns, and columns of one name have the
    same value in all tables, so that keys meet, groups have several rows, and a whole
    condition is met.
    """
    random = Random(number)
    wild, alike, nulls = number % 5 == 4, number % 4 > 0, random.choice((0, 0.4))
    first = random.choice((0, 1, 2, 9))
    usual: dict[str, list[Value]] = {"INT64": [str(first + step) for step in range(3)]}
    same: dict[tuple[str, str], Value] = {}
    made = {}
    for name, columns in tables.items():
        size = random.choice(sizes) if number > 2 else sizes[0] * (number != 1 + (name != "t0"))
        drawn: list[list[Value]] = []
        for column, pool in columns:
            large = size >= _LARGE
            values = pool.some(random, size if large else random.choice((1, 2, 4)), wild=wild)
            if alike and not large and not pool.own and random.random() < 0.9:
                values = usual.setdefault(pool.type, values)[: random.choice((1, 2, 3))]
            if random.random() < nulls or large:
                gone: list[Value] = [None] * (1 + len(values) // 10)
                values = gone if random.random() < 0.4 and not large else [*values, *gone]
            usually = same.setdefault((column, pool.type), random.choice(values))
            stays = random.choice((0, 0.5, 0.8, 1)) if alike and not large else 0
            others = random.choices(values, k=size)
            drawn.append([usually if random.random() < stays else one for one in others])
        if size and random.random() < 0.3:
            drawn = [[*values, values[0]] for values in drawn]
        made[name] = drawn
    return made


_AROUND = (-800, -366, -32, -8, -2, -1, 0, 1, 2, 8, 32, 366, 800)


def numbers(node: exp.Expr) -> Iterator[float]:
    """The numbers that something is compared with."""
    for one in _all(node):
        if not one.is_string and one.find_ancestor(exp.Predicate):
            yield float(one.name)


def _all(node: exp.Expr) -> list[exp.Literal]:
    return [one for one in node.find_all(exp.Literal) if not one.find_ancestor(exp.DataType)]


def _literals(query: exp.Expr) -> tuple[dict[str, list[exp.Literal]], list[exp.Literal]]:
    """The literals of a query: those that a column is compared with, by its name, and all."""
    compared: dict[str, list[exp.Literal]] = defaultdict(list)
    every = _all(query)
    for one in every:
        around = one.parent
        while isinstance(around, exp.Cast | exp.Neg | exp.Paren | exp.Tuple):
            around = around.parent
        for column in around.find_all(exp.Column) if isinstance(around, exp.Predicate) else ():
            compared[column.name].append(one)
    return compared, every


def _values(kind: str, literals: Iterable[exp.Literal]) -> tuple[list[Value], list[Value]]:
    """The values of a type that literals say, and those beside them, each once."""
    found = [
        _near(kind, one.name, one.is_string, isinstance(one.parent, exp.RegexpLike))
        for one in dict.fromkeys(literals)
    ]
    said, beside = ({value: None for one in found for value in one[n]} for n in (0, 1))
    return [*said], [*beside]


@lru_cache(maxsize=4096)
def _near(kind: str, text: str, is_string: bool, is_pattern: bool) -> tuple[list[str], list[str]]:
    """The value of a type that a literal says, and values just below and above it."""
    said: list[str] = []
    near: list[str] = []
    with suppress(ValueError):
        said, near = _near_number(kind, float(text))
    if kind == "STRING" and is_string and len(text) < LONGEST_TEXT:
        plain = text.replace("%", "").replace("_", "a")
        said = [text, plain] if "%" in text else [text]
        near = [text.upper(), text.lower(), f"{text}x", f"x{text}", text[:-1], text[1:]]
        near += [f"x{plain}", f"{plain}x", text.replace("%", "x"), f"a{text}b"]
        letters = sorted(set(text))[:16] if is_pattern else []
        near += [one + other for one in letters for other in letters]
        # `^.*$` is meant to let all pass, and does but for lines.
        near += ["a\nb", "\n"] if is_pattern and ("\\n" in text or "\n" in text) else []
    if kind in TIMED and is_string:
        with suppress(ValueError):
            day = datetime.datetime.fromisoformat(text).date()
            said = [text] if kind != "DATE" and len(text) > 10 else [_time(kind, day)]
            for days in (-1, 0, 1):
                with suppress(OverflowError):
                    near.append(_time(kind, day + datetime.timedelta(days=days)))
    return said, near


def _near_number(kind: str, number: float) -> tuple[list[str], list[str]]:
    if not abs(number) < 2**62:
        return [], []
    whole = int(number)
    if kind == "INT64":
        return [str(whole)], [str(sign * whole + step) for sign in (1, -1) for step in (-1, 0, 1)]
    if kind in ("FLOAT64", "NUMERIC") and abs(number) < 1e15:
        steps = (0, -1, 1, -0.001, 0.001)
        near = [f"{sign * number + step:.9f}" for sign in (1, -1) for step in steps]
        return near[:1], near[1:]
    if kind == "STRING" and number == whole and 0 <= whole <= LONGEST_TEXT:
        return [str(whole)], ["a" * (whole + step) for step in (-1, 0, 1)]
    days: list[datetime.date] = []
    if kind in TIMED and number == whole and abs(number) < 10_000:
        for step in (-1, 0, 1):
            days += [_BASE + sign * datetime.timedelta(days=whole + step) for sign in (1, -1)]
        days.append(_BASE.replace(year=2020 + whole // 12 % 100, month=1 + whole % 12))
        for year in (whole - 1, whole, whole + 1) if 1 < whole < 9999 else ():
            days += [datetime.date(year, 1, 1), datetime.date(year, 12, 31)]
        days += [_BASE.replace(day=whole)] if 1 <= whole <= 31 else []
    return [], [_time(kind, day) for day in days]


def _time(kind: str, day: datetime.date) -> str:
    if kind == "DATE":
        return day.isoformat()
    return f"{day.isoformat()}T{_TIMES[day.day % 4]}{'+00:00' if kind == 'TIMESTAMP' else ''}"
