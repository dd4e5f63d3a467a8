"""In what a product agrees with what it is made from, group by group, as its rows show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product

import duckdb
from sqlglot import exp, parse_one

from mesh.bite.copy import Copy
from mesh.bite.shapes import Proposal, reconciling
from mesh.bite.ways import is_number, is_share, is_time
from mesh.contracts import Column, Contract
from mesh.contracts.constraints.base import literal
from mesh.contracts.personal import person
from mesh.contracts.sql import DIALECT
from mesh.contracts.types import DATETIME, TIME_TYPES

# So many columns of a key are tried in all their combinations.
KEYS = 4


@dataclass(frozen=True)
class _Value:
    """An aggregate on one side. kind: numbers are compared with numbers, texts with texts."""

    aggregate: str
    text: str
    kind: str


def reconciliations(
    copy: Copy, sources: Sequence[Contract], column: Column | None, asked: Sequence[str] = ()
) -> Iterator[Proposal]:
    """Rules `reconcilesWith` that hold on the rows, the most detailed first.

    column: that they have to speak of; None for those on the rows as such. asked: conditions of
    the source's rows that the product may be made by.
    """
    for source in sources:
        there = _others(source, [one for one in asked if _can_be_asked(copy, source, one)])
        for by in _groups(copy.contract, source):
            if column is not None and column.grain_position and column.name not in str(by):
                continue
            measures = _agreeing(copy, source, by, column, there)
            if measures:
                yield _rule(copy.contract, source, by, measures, column)


def _groups(own: Contract, source: Contract) -> Iterator[tuple[tuple[str, str], ...]]:
    """Pairs of expressions by which both sides can be grouped, the most first."""
    ways = []
    for name in own.grain[:KEYS]:
        column = own.column(name)
        found = _counterparts(column, source) if column else []
        ways.append([(name, other) for other in found])
    for size in range(len(ways), -1, -1):
        for chosen in combinations([way for way in ways if way], size):
            yield from product(*chosen)


def _counterparts(column: Column, source: Contract) -> list[str]:
    same = [
        other.name
        for other in source.columns
        if person(other.name) == person(column.name) and other.logical_type == column.logical_type
    ]
    if same or column.logical_type != "date":
        return same
    times = [other for other in source.columns if is_time(other)]
    ways_to_days = {"timestamp": "DATE({})", DATETIME: "CAST({} AS DATE)"}
    days = [ways_to_days.get(t.logical_type, "{}").format(t.name) for t in times]
    return list(chain.from_iterable((f"DATE_TRUNC({day}, MONTH)", day) for day in days))


def _can_be_asked(copy: Copy, source: Contract, condition: str) -> bool:
    names = {column.name for column in _parsed(condition).find_all(exp.Column)}
    if not names <= {column.name for column in source.columns}:
        return False
    query = exp.select("1").from_(copy.memory.product(source.product)).where(_parsed(condition))
    try:
        copy.memory.keep(query.limit(1))  # Asked again for each column.
    except duckdb.Error:
        return False
    return True


def _agreeing(
    copy: Copy,
    source: Contract,
    by: tuple[tuple[str, str], ...],
    column: Column | None,
    there: Sequence[_Value],
) -> dict[str, str]:
    """Own aggregates, each with the first of the source's that is the same in all groups."""
    here = _own(copy.contract, column)
    pairs = [
        (a, b)
        for a in here
        for b in there
        if a.kind == b.kind
        and b.aggregate in _AGREES[a.aggregate]
        and (a.aggregate != "min" or b.aggregate == "min" or a.kind in TIME_TYPES)
        # Two single values of other names are the same by chance, the newest days by design.
        and (by or a.aggregate in ("sum", "count") or a.kind in TIME_TYPES or a.text == b.text)
        and (by or b.aggregate != "avg")
    ]
    if not pairs:
        return {}
    sides = [
        side(copy.memory.product(one.product), [pair[n] for pair in by], [v.text for v in values])
        for n, (one, values) in enumerate(((copy.contract, here), (source, there)))
    ]
    places = [(here.index(a), there.index(b), a.kind == "number") for a, b in pairs]
    try:  # Kept, since what the source says is the same for all columns.
        own, other = (copy.memory.keep(one) for one in sides)
        unmatched, *counts = copy.memory.rows(differing(own, other, len(by), places))[0]
    except duckdb.Error:
        return {}
    agreeing: dict[str, str] = {}
    for (a, b), count in zip(pairs, counts, strict=True):
        # Where sums are the same, the largest and the least need not be told.
        summed = any(one.startswith("SUM") for one in agreeing)
        if not unmatched and not count and not (summed and a.aggregate in ("max", "min")):
            agreeing.setdefault(a.text, b.text)
    if by and not unmatched and not agreeing and (column is None or column.grain_position):
        agreeing = {f"COUNT(DISTINCT {here})": f"COUNT(DISTINCT {there})" for here, there in by[:1]}
    return agreeing


def side(table: exp.Expr, keys: Sequence[str], values: Sequence[str]) -> exp.Select:
    """What one side says: of each group, by its keys `k0`, …, the values `v0`, …."""
    named = [exp.alias_(_parsed(text), f"k{n}") for n, text in enumerate(keys)]
    told = [exp.alias_(_parsed(text), f"v{n}") for n, text in enumerate(values)]
    query = exp.select(*named, *told).from_(table)
    return query.group_by(*[exp.column(one.alias) for one in named]) if keys else query


def differing(
    own: exp.Table | exp.Subquery,
    other: exp.Table | exp.Subquery,
    keys: int,
    pairs: Sequence[tuple[int, int, bool]],
) -> exp.Select:
    """How many groups are on one side alone, and for each pair of values in how many they differ.

    pairs: the numbers of two values, and whether rounding may be in them.
    """
    differs = [
        f"COUNTIF(ABS(o.v{a} - s.v{b}) > 0.000001 OR (o.v{a} IS NULL) <> (s.v{b} IS NULL))"
        if is_rounded
        else f"COUNTIF(o.v{a} IS DISTINCT FROM s.v{b})"
        for a, b, is_rounded in pairs
    ]
    lost = " OR ".join(f"o.k{n} IS NULL OR s.k{n} IS NULL" for n in range(keys))
    query = exp.select(*map(_parsed, [f"COUNTIF({lost or 'FALSE'})", *differs]))
    query = query.from_(exp.alias_(own, "o", table=True))
    on = [_parsed(f"o.k{n} = s.k{n}") for n in range(keys)]
    there = exp.alias_(other, "s", table=True)
    if not on:
        return query.join(there, join_type="CROSS")
    return query.join(there, on=exp.and_(*on), join_type="FULL")


def _own(contract: Contract, column: Column | None) -> list[_Value]:
    if column is not None and not column.grain_position:
        return list(_aggregates(column))
    found = [_Value("count", "COUNT(*)", "number")]
    amounts = [c for c in contract.columns if not c.grain_position and _is_amount(c)]
    found += [_Value("sum", f"SUM({c.name})", "number") for c in amounts]
    return found


def _others(source: Contract, asked: Sequence[str]) -> list[_Value]:
    """Counts first: what is in a sum by chance is less likely in them."""
    found = [_Value("count", "COUNT(*)", "number")]
    found += [_Value("count", f"COUNT(DISTINCT {c})", "number") for c in source.grain]
    for column in source.columns:
        if not column.grain_position or not is_number(column):
            found += _aggregates(column)
        found += [_Value("avg", text, "number") for text in _averages(column)]
    for condition in asked:
        found.append(_Value("count", f"COUNTIF({condition})", "number"))
        found.append(_Value("avg", f"AVG(IF({condition}, 1, 0))", "number"))
    return found


def _averages(column: Column) -> Iterator[str]:
    """What a share or a mean of a group can be: of a number, or of the rows with a value."""
    if is_number(column) and not column.grain_position:
        yield f"AVG({column.name})"
    values = [one.value for one in column.enum]
    values += [True] if column.logical_type == "boolean" else []
    for value in values:
        said = literal(column.logical_type, value).sql(dialect=DIALECT)
        yield f"AVG(IF({column.name} = {said}, 1, 0))"


def _aggregates(column: Column) -> Iterator[_Value]:
    kind = "number" if is_number(column) else column.logical_type
    if _is_amount(column):
        yield _Value("sum", f"SUM({column.name})", kind)
    for aggregate in ("max", "min"):
        yield _Value(aggregate, f"{aggregate.upper()}({column.name})", kind)


def _is_amount(column: Column) -> bool:
    """Whether sums of it can be sums or counts of something else: shares cannot."""
    return is_number(column) and not is_share(column)


# With what an aggregate here can agree in the source.
_AGREES = {
    "sum": ("count", "sum"),
    "count": ("count", "sum"),
    "max": ("max", "avg"),
    "min": ("min", "max"),
}


def _rule(
    own: Contract,
    source: Contract,
    by: tuple[tuple[str, str], ...],
    measures: dict[str, str],
    column: Column | None,
) -> Proposal:
    groups = [here for here, _ in by]
    what = column.name if column else "rows"
    name = f"{what}_as_in_{source.name}" + (f"_per_{'_'.join(groups)}" if groups else "")
    same = " and ".join(f"{here} is {there}" for here, there in measures.items())
    told = f", for each {' and '.join(groups)}" if groups else ""
    words = f"{same} of {source.product}{told}."
    return Proposal(reconciling(name, words, source.product, dict(by), measures))


def _parsed(text: str) -> exp.Expr:
    return parse_one(text, dialect=DIALECT)
