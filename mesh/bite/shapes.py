"""The shapes of rules that are tried where no rule of a contract notices a damage.

A shape is SQL in BigQuery's dialect over the product's rows, `own_rows`: `c` is the damaged column,
`a` and `b` are others, `k` stands for some columns of the key. Whether a shape holds is seen in the
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, permutations
from typing import Any

import yaml
from sqlglot import exp, parse_one

from mesh.bite.ways import is_number, is_time
from mesh.contracts import Column, Contract
from mesh.contracts.constraints.base import literal
from mesh.contracts.sql import DIALECT, TABLE
from mesh.contracts.types import NUMERIC_TYPES
from mesh.files.dumper import Dumper

ROWS = "own_rows"
# Of so many rows that could have broken it, and did not, at most one in seven is likely to.
MOST_OF_CHANCE = 20


@dataclass(frozen=True)
class Shape:
    """id, words: with the names of columns in them. sql: the condition of a row, or offending rows.

    of: which columns can be `c`. others: how many other columns there are, of its type, or, if it
    is sided, of those that could be `c` too. keyed: whether there is a `k`. is_loose: whether
    numbers that have nothing to do with each other often keep it. of_rows: how many rows could
    have broken it; where they are fewer than MOST_OF_CHANCE it is no rule.
    """

    id: str
    words: str
    sql: str
    of: Callable[[Column], bool] = lambda column: True
    others: int = 0
    keyed: bool = False
    sided: bool = False
    is_loose: bool = False
    dimension: str = "consistency"
    of_rows: str = ""


def _fraction(column: Column) -> bool:
    return column.bigquery_type == "FLOAT64"


def _text(column: Column) -> bool:
    return column.logical_type == "string"


def _ordered(column: Column) -> bool:
    return is_number(column) or is_time(column)


SHAPES: tuple[Shape, ...] = (
    Shape("{c}_is_there", "{c} is there in each row.", "c IS NOT NULL", dimension="completeness"),
    Shape(
        "{c}_is_{b}_of_{a}",
        "{c} is {b} as a share of {a}.",
        "ABS(c * a - b) < 0.000001",
        _fraction,
        2,
    ),
    Shape(
        "{c}_is_{a}_less_{b}",
        "{c} is what {a} is above {b}.",
        "ABS(a - b - c) < 0.000001",
        is_number,
        2,
    ),
    Shape(
        "{c}_is_a_share_of_all_{a}",
        "{c} is {a} as a share of all of them.",
        "SELECT own.c FROM own_rows AS own CROSS JOIN (SELECT SUM(a) AS total FROM own_rows)"
        " AS together WHERE ABS(own.c * together.total - own.a) > 0.000001",
        _fraction,
        1,
    ),
    Shape(
        "{c}_adds_up_{k}",
        "The shares in {c} are 1 together for each {k}.",
        "SELECT k FROM own_rows GROUP BY k HAVING ABS(SUM(c) - 1) > 0.000001",
        _fraction,
        keyed=True,
    ),
    Shape(
        "{c}_is_all_{a}_{k}",
        "{c} is all {a} of a {k}.",
        "SELECT k FROM own_rows GROUP BY k, c HAVING SUM(a) <> c",
        is_number,
        1,
        keyed=True,
    ),
    Shape(
        "one_{c}_{k}",
        "A {k} has one {c}.",
        "SELECT k FROM own_rows GROUP BY k HAVING COUNT(DISTINCT c) + MAX(IF(c IS NULL, 1, 0)) > 1",
        keyed=True,
        # The first row of each group breaks nothing, nor does any where all have the same.
        of_rows="SELECT IF(MAX(different) > 1, SUM(others), 0) AS others FROM (SELECT k,"
        " COUNT(*) - 1 AS others, (SELECT COUNT(DISTINCT c) FROM own_rows) AS different"
        " FROM own_rows GROUP BY k) AS groups_of_rows",
    ),
    Shape(
        "one_{c}",
        "All rows have the same {c}.",
        "SELECT COUNT(DISTINCT c) AS different FROM own_rows HAVING COUNT(DISTINCT c) > 1",
        of_rows="SELECT COUNT(*) - 1 AS others FROM own_rows",
    ),
    Shape(
        "{c}_and_{a}_come_together",
        "{c} is there where {a} is, and nowhere else.",
        "(c IS NULL) = (a IS NULL)",
        lambda column: not column.required,
        1,
        sided=True,
    ),
    Shape(
        "{c}_is_a_first_day",
        "{c} is the first day of its month.",
        "EXTRACT(DAY FROM c) = 1",
        is_time,
        dimension="conformity",
    ),
    Shape(
        "{c}_is_past",
        "{c} is not in the future.",
        "CAST(c AS DATE) <= CURRENT_DATE()",
        is_time,
        dimension="timeliness",
    ),
    Shape(
        "{c}_has_no_blanks_around",
        "{c} neither begins nor ends with a blank.",
        "c = TRIM(c)",
        _text,
        dimension="conformity",
    ),
    Shape("{c}_is_at_most_{a}", "{c} is at most {a}.", "c <= a", _ordered, 1, is_loose=True),
    Shape("{c}_is_at_least_{a}", "{c} is at least {a}.", "c >= a", _ordered, 1, is_loose=True),
)


@dataclass(frozen=True)
class Proposal:
    """A rule as it would stand under `quality`. is_loose: whether it may hold by chance of the rows
    that there are. of_rows: asks how many of them could have broken it."""

    rule: dict[str, Any]
    is_loose: bool = False
    of_rows: exp.Expr | None = None

    @property
    def id(self) -> str:
        return str(self.rule["id"])

    def lines(self, indent: int = 6) -> list[str]:
        """The rule in YAML, as deep as rules stand in a contract."""
        text = yaml.dump([self.rule], Dumper=Dumper, sort_keys=False, allow_unicode=True, width=90)
        return [" " * indent + line if line else "" for line in text.splitlines()]


Pairs = Callable[[str, str, Sequence[str]], Container[tuple[str, str]]]
"""From a condition, `c` and numbers to the pairs of them that can be its `a` and `b`."""


def proposals(contract: Contract, column: Column | None, pairs: Pairs) -> Iterator[Proposal]:
    """The rules of all shapes for a column, or for the rows as such.

    pairs: fifty numbers make 2,500 pairs, nearly none of which fits.
    """
    if column is None:
        at_least = {"metric": "rowCount", "mustBeGreaterThan": 0}
        rule = stated("there_are_rows", "There are rows.", "completeness", "library", at_least)
        yield Proposal(rule)
    for one in [column] if column else contract.columns:
        if one.enum:
            yield Proposal(_all_values(one))
    for shape in SHAPES if column else ():
        if column and shape.of(column):
            for names in _names(contract, column, shape, pairs):
                yield _filled(shape, names)


def _names(
    contract: Contract, column: Column, shape: Shape, pairs: Pairs
) -> Iterator[dict[str, Any]]:
    """What the columns of a shape can be called, with `c` as one of them."""
    alike = [other for other in contract.columns if other is not column]
    if shape.sided:
        alike = [other for other in alike if shape.of(other)]
    else:
        kinds = NUMERIC_TYPES if is_number(column) else {column.logical_type}
        alike = [other for other in alike if other.logical_type in kinds]
        alike = [other for other in alike if not _is_name(other)]
        if shape.is_loose and _is_name(column):
            alike = []
        elif shape.is_loose:
            # Money is not compared with counts.
            alike = [other for other in alike if other.bigquery_type == column.bigquery_type]
    keys = [name for name in contract.grain if name != column.name]
    groups = [g for size in range(len(keys), 0, -1) for g in combinations(keys, size)]
    if column.grain_position is None:
        groups = [group for group in groups if len(group) < len(contract.grain)]
    others = [one.name for one in alike]
    fitting = pairs(shape.sql, column.name, others) if shape.others == 2 else None
    for chosen in permutations(others, shape.others):
        if fitting is not None and chosen not in fitting:
            continue
        names: dict[str, Any] = {"c": column.name, **dict(zip("ab", chosen, strict=False))}
        if not shape.keyed:
            yield names
        for group in groups if shape.keyed else ():
            yield {**names, "k": group}


def _is_name(column: Column) -> bool:
    """Whether a number tells what a row is of, which is neither more nor less than another.

    One in a key does, and `shop_id` and `shopId` outside of it; what is `paid` is an amount.
    """
    named = column.name.lower() == "id" or column.name.endswith(("_id", "_ID", "Id"))
    return is_number(column) and (named or column.grain_position is not None)


def _filled(shape: Shape, names: dict[str, Any]) -> Proposal:
    group = names.get("k", ())
    name = shape.id.format(**names | {"k": f"per_{'_'.join(group)}"})
    words = shape.words.format(**names | {"k": " and ".join(group)})
    rule = _sql(name, words, shape.dimension, _written(shape.sql, names))
    of_rows = _written(shape.of_rows, names) if shape.of_rows else None
    return Proposal(rule, shape.is_loose, of_rows)


def _all_values(column: Column) -> dict[str, Any]:
    """Each allowed value is there."""
    values = [literal(column.logical_type, one.value) for one in column.enum]
    first, *others = [exp.select(exp.alias_(value, column.name)) for value in values]
    every = exp.union(first, *others, distinct=False) if others else first
    own = exp.select(exp.column(column.name)).distinct().from_(exp.table_(TABLE)).subquery("own")
    known, here = exp.column(column.name, "known"), exp.column(column.name, "own")
    query = (
        exp.select(known)
        .from_(every.subquery("known"))
        .join(own, on=exp.EQ(this=here, expression=known.copy()), join_type="LEFT")
        .where(exp.Is(this=here.copy(), expression=exp.null()))
    )
    words = f"Each {column.name} is there."
    return _sql(f"each_{column.name}_is_there", words, "completeness", query)


def _sql(id: str, words: str, dimension: str, sql: exp.Expr) -> dict[str, Any]:
    if isinstance(sql, exp.Query):
        query = exp.select("COUNT(*)").from_(sql.subquery("offending"))
    else:
        query = exp.select("COUNT(*)").from_(exp.table_(TABLE)).where(exp.Not(this=exp.paren(sql)))
    text = query.sql(dialect=DIALECT, pretty=True).replace(TABLE, "${table}")
    return stated(id, words, dimension, "sql", {"query": text, "mustBe": 0})


def stated(id: str, words: str, dimension: str, type: str, more: dict[str, Any]) -> dict[str, Any]:
    """A rule as it stands under `quality` of a contract."""
    return {
        "id": id[:120],
        "type": type,
        "description": words,
        "dimension": dimension,
        "severity": "error",
        **more,
    }


def reconciling(
    id: str, words: str, source: str, by: dict[str, str] | list[str], measures: dict[str, str]
) -> dict[str, Any]:
    """The rule that these aggregates are the source's, for each group if there is a `by`."""
    said = {"reconcilesWith": source} | ({"by": by} if by else {}) | {"measures": measures}
    return stated(id, words, "completeness", "custom", {"engine": "mesh", "implementation": said})


def ties_to(rule: dict[str, Any]) -> str:
    """The product with which a stated rule reconciles, if it does."""
    return str(rule.get("implementation", {}).get("reconcilesWith", ""))


@lru_cache(maxsize=64)
def _parsed(sql: str) -> exp.Expr:
    return parse_one(sql, dialect=DIALECT)


def _written(sql: str, names: dict[str, Any]) -> exp.Expr:
    """The SQL of a shape with real columns and tables."""

    def real(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and isinstance(name := names.get(node.name), str):
            return exp.column(name, table=node.args.get("table"))
        if isinstance(node, exp.Table) and node.name == ROWS:
            return exp.table_(TABLE, alias=node.alias or None)
        return node

    made = _parsed(sql).transform(real)
    if group := names.get("k"):
        parts = list(made.find_all(exp.Select, exp.Group))
        for part in parts:
            listed = [
                new
                for one in part.expressions
                for new in ([exp.column(k) for k in group] if one.name == "k" else [one])
            ]
            part.set("expressions", listed)
    return made
