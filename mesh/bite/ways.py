"""The standard ways in which the rows of a product are damaged: one record each.

A way says what becomes of the rows in DuckDB's SQL, over a table `source` that has the product's
columns and `n`, the number of the row in the order of its key. `c` is the damaged column, `d` its
neighbour of the same type, `k` stands for the columns of the key that the date is not part of.
ONE(c) is the value of the middle row, RAREST(c) and COMMONEST(c) are what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from sqlglot import exp, parse_one

from mesh.contracts import Column, Contract
from mesh.contracts.types import NUMERIC_TYPES, TIME_TYPES

DIALECT = "duckdb"
SOURCE = "source"
POSITION = "bite_position"


def is_number(column: Column) -> bool:
    return column.logical_type in NUMERIC_TYPES


def is_time(column: Column) -> bool:
    return column.logical_type in TIME_TYPES


def is_share(column: Column) -> bool:
    """Whether its values are parts of one whole."""
    return is_number(column) and (column.minimum, column.maximum) == (0, 1)


def _is_key(column: Column) -> bool:
    return column.grain_position is not None


def _key_of(*kinds: str) -> Callable[[Column], bool]:
    return lambda column: _is_key(column) and not column.enum and column.logical_type in kinds


# The columns that a way can be of.
_OF: Mapping[str, Callable[[Column], bool]] = {
    "any": lambda column: True,
    "key": _is_key,
    "key of days": _key_of("date"),
    "key of numbers": _key_of("integer"),
    "other key": _key_of("string", "integer", "number"),
    "value": lambda column: not _is_key(column),
    "number": lambda column: not _is_key(column) and is_number(column),
    "fraction": lambda column: not _is_key(column) and column.bigquery_type == "FLOAT64",
    "share": lambda column: not _is_key(column) and is_share(column),
    "amount": lambda column: _OF["number"](column) and not is_share(column),
    "category": lambda column: bool(column.enum) or column.logical_type == "boolean",
    "enum": lambda column: bool(column.enum) and column.logical_type == "string",
    "text": lambda column: column.logical_type == "string" and not column.enum,
    "nullable": lambda column: not column.required,
    "boolean": lambda column: column.logical_type == "boolean",
    "time": is_time,
}


@dataclass(frozen=True)
class Way:
    """One way. words: what is done, to be read after the name of the damaged product's rows.

    of: to which columns it is done; nothing for a way that concerns whole rows. new: the value that
    the column gets. keep: which rows stay. again: which rows are there a second time.
    """

    id: str
    words: str
    of: str = ""
    new: str = "c"
    keep: str = ""
    again: str = ""
    paired: bool = False


_REPEATED = "LEAD(c, 1, (SELECT ARG_MIN(c, n) FROM source)) OVER (ORDER BY n)"

WAYS: tuple[Way, ...] = (
    # rows: what is not there, or there too often
    Way("none", "no row is left", keep="FALSE"),
    Way("half", "every second row is gone", keep="n % 2 = 0"),
    Way("one_lost", "one row is gone", keep="n <> ONE(n)"),
    Way("one_left", "one row is left", keep="n = ONE(n)"),
    Way("doubled", "every row is there twice", again="TRUE"),
    Way("one_doubled", "one row is there twice", again="n = ONE(n)"),
    Way("without_one", "all rows of one {c} are gone", "other key", keep="c <> ONE(c)"),
    Way("without_day", "all rows of one {c} are gone", "key of days", keep="c <> ONE(c)"),
    Way(
        "without_newest",
        "all rows of the newest {c} are gone",
        "key of days",
        keep="c <> (SELECT MAX(c) FROM source)",
    ),
    Way(
        "without_rarest",
        "all rows of the rarest {c} are gone",
        "category",
        keep="c IS DISTINCT FROM RAREST(c)",
    ),
    Way(
        "without_commonest",
        "all rows of the commonest {c} are gone",
        "category",
        keep="c IS DISTINCT FROM COMMONEST(c)",
    ),
    # values: of a column that is no key
    Way("null", "{c} is NULL", "any", new="NULL"),
    Way("null_once", "{c} is NULL in one row", "any", new="IF(n = ONE(n), NULL, c)"),
    Way("zero", "{c} is 0", "number", new="0"),
    Way("negative", "{c} has the other sign", "number", new="-c"),
    Way("times_100", "{c} is a hundred times as much", "amount", new="c * 100"),
    Way("percent", "{c} is in percent", "share", new="c * 100"),
    Way("halved", "{c} is half as much", "number", new="c / 2"),
    Way("plus_one", "{c} is one more", "amount", new="c + 1"),
    Way("minus_one", "{c} is one less", "amount", new="c - 1"),
    Way("one_off", "{c} is one more in one row", "amount", new="IF(n = ONE(n), c + 1, c)"),
    Way("rounded", "{c} is rounded", "fraction", new="ROUND(c)"),
    Way("infinite", "{c} is infinite", "fraction", new="'infinity'"),
    Way("not_a_number", "{c} is not a number", "fraction", new="'nan'"),
    Way("shifted", "{c} is that of the next row", "value", new=_REPEATED),
    Way("constant", "{c} is the same in all rows", "value", new="ONE(c)"),
    Way("swapped", "{c} and {d} are swapped", "value", new="d", paired=True),
    Way("empty", "{c} is empty text", "text", new="''"),
    Way("truncated", "{c} is cut to three letters", "text", new="SUBSTRING(c, 1, 3)"),
    Way("padded", "{c} ends with a blank", "text", new="c || ' '"),
    Way("upper", "{c} is in capitals", "text", new="UPPER(c)"),
    Way(
        "exchanged",
        "the commonest {c} and the rarest are exchanged",
        "category",
        new="CASE c WHEN COMMONEST(c) THEN RAREST(c) WHEN RAREST(c) THEN COMMONEST(c) ELSE c END",
    ),
    Way("unknown", "{c} is a word that is none of its values", "enum", new="'unknown'"),
    Way("negated", "{c} is the opposite", "boolean", new="NOT c"),
    Way("stale", "{c} is a year earlier", "time", new="c - INTERVAL 1 YEAR"),
    Way("next_month", "{c} is a month later", "time", new="c + INTERVAL 1 MONTH"),
    Way("next_day", "{c} is a day later", "time", new="c + INTERVAL 1 DAY"),
    Way("future", "{c} is in 2099", "time", new="'2099-01-01'"),
    # keys
    Way("collided", "{c} is the same in all rows", "key", new="ONE(c)"),
    Way("moved", "{c} is that of the next row", "key", new=_REPEATED),
    Way(
        "merged",
        "the commonest {c} is told as another one",
        "key",
        new="IF(c = COMMONEST(c), RAREST(c), c)",
    ),
    Way(
        "renumbered",
        "{c} is numbered anew",
        "key of numbers",
        new="DENSE_RANK() OVER (ORDER BY c) + 1000000",
    ),
    # joins
    Way("unmatched_dropped", "rows without {c} are gone", "nullable", keep="c IS NOT NULL"),
    Way("matched_doubled", "rows with {c} are there twice", "nullable", again="c IS NOT NULL"),
    Way(
        "wrongly_matched",
        "{c} of every second row is that of the next",
        "value",
        new=f"IF(n % 2 = 0, {_REPEATED}, c)",
    ),
    # aggregates
    Way("average", "{c} is an average", "number", new="AVG(c) OVER (PARTITION BY k)"),
    Way("total", "{c} is a total", "number", new="SUM(c) OVER (PARTITION BY k)"),
    Way("largest", "{c} is the largest", "number", new="MAX(c) OVER (PARTITION BY k)"),
    Way(
        "running", "{c} is a running total", "number", new="SUM(c) OVER (PARTITION BY k ORDER BY n)"
    ),
    Way("counted_once", "{c} counts each once", "amount", new="LEAST(c, 1)"),
)


@dataclass(frozen=True)
class Damage:
    """A way, applied to a product. id: `rows.half`, or `<column>.<way>`.

    column, other: what it changes the values of, if not whole rows. words: what was done.
    """

    id: str
    way: Way
    contract: Contract
    column: Column | None = None
    other: Column | None = None

    @property
    def words(self) -> str:
        names = {"c": self.column, "d": self.other}
        return self.way.words.format(**{k: f"`{v.name}`" for k, v in names.items() if v})

    @property
    def changed(self) -> frozenset[str]:
        """The columns whose values change; none where rows come or go."""
        if self.way.keep or self.way.again:
            return frozenset()
        return frozenset(one.name for one in (self.column, self.other) if one)

    def query(self, source: exp.Table, only: frozenset[str] | None = None) -> exp.Query:
        """The damaged rows. source: the rows, numbered. In DuckDB's dialect.

        only: columns that are wanted; those that change are then there as they were `before` too.
        """
        selected: list[exp.Expr]
        if only is None:
            new = [self._projected(c) for c in self.contract.columns if c.name in self.changed]
            selected = [exp.Star(except_=[exp.column(POSITION, quoted=True)], replace=new or None)]
        else:
            selected = [self._projected(c) for c in self.contract.columns if c.name in only]
            selected += [exp.alias_(exp.column(name), before(name)) for name in self.changed]
        query = exp.Select(expressions=selected).from_(source.copy(), copy=False)
        if self.way.keep:
            query.where(self._sql(self.way.keep), copy=False)
        if self.way.again:
            again = query.copy().where(self._sql(self.way.again), copy=False)
            query = exp.union(query, again, distinct=False, copy=False)  # type: ignore[assignment]
        for table in query.find_all(exp.Table):
            if table.name == SOURCE and not table.db:
                table.replace(source.copy())
        return query

    def _projected(self, column: Column) -> exp.Expr:
        plain = exp.column(column.name, quoted=True)
        swapped = {self.column: self.other, self.other: self.column} if self.way.paired else {}
        if column == self.column:
            new = self._sql(self.way.new)
        elif other := swapped.get(column):
            new = exp.column(other.name, quoted=True)
        else:
            return plain
        cast = exp.Cast(this=new, to=_type(column.duckdb_type).copy())
        return exp.alias_(cast, column.name, quoted=True)

    def _sql(self, text: str) -> exp.Expr:
        names = {"c": self.column, "d": self.other}

        def real(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column):
                return node
            if node.name == "n":
                return exp.column(POSITION, quoted=True)
            column = names.get(node.name)
            return exp.column(column.name, quoted=True) if column else node

        sql = _parsed(text).transform(real)
        for window in sql.find_all(exp.Window):
            if window.args.get("partition_by"):
                window.set("partition_by", [exp.column(k, quoted=True) for k in self._groups])
        return sql

    @property
    def _groups(self) -> list[str]:
        """What remains of the key without its date, or without its last column."""
        columns = [c for c in self.contract.columns if c.name in self.contract.grain]
        rest = [c.name for c in columns if not is_time(c)]
        return rest if len(rest) < len(columns) else list(self.contract.grain[:-1])


@lru_cache(maxsize=64)
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect=DIALECT)


def before(column: str) -> str:
    """How the value that a column had is called beside the damaged one."""
    return f"{column} before"


_PICKS = {
    # Of two that are as near to the middle, the first.
    "ONE": "(SELECT ARG_MIN(x, ABS(n * 4 - 1 - (SELECT MAX(n) * 2 FROM source))) FROM source)",
    "RAREST": "(SELECT x FROM source WHERE NOT x IS NULL GROUP BY x ORDER BY COUNT(*), x LIMIT 1)",
    "COMMONEST": "(SELECT x FROM source WHERE NOT x IS NULL GROUP BY x"
    " ORDER BY COUNT(*) DESC, x DESC LIMIT 1)",
}


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    def picked(node: exp.Expr) -> exp.Expr:
        pick = _PICKS.get(node.name) if isinstance(node, exp.Anonymous) else None
        if pick is None:
            return node
        of = node.expressions[0].name
        query = parse_one(pick, dialect=DIALECT)
        return query.transform(lambda n: exp.column(of) if n == exp.column("x") else n)

    return parse_one(text, dialect=DIALECT).transform(picked)


def damages(contract: Contract) -> tuple[Damage, ...]:
    """All standard damages of a product, as its contract alone tells them."""
    return tuple(_damages(contract))


def _damages(contract: Contract) -> Iterator[Damage]:
    for way in WAYS:
        if not way.of:
            yield Damage(f"rows.{way.id}", way, contract)
            continue
        columns = [column for column in contract.columns if _OF[way.of](column)]
        if way.paired:
            for column, other in _neighbours(columns):
                yield Damage(
                    f"{column.name}.swapped_with_{other.name}", way, contract, column, other
                )
            continue
        for column in columns:
            yield Damage(f"{column.name}.{way.id}", way, contract, column)


def _neighbours(columns: list[Column]) -> Iterator[tuple[Column, Column]]:
    """Each column with the next one of its type."""
    for kind in dict.fromkeys(column.bigquery_type for column in columns):
        yield from pairwise(column for column in columns if column.bigquery_type == kind)
