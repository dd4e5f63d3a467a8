"""The query that compares a product with what it is made from, in BigQuery's dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlglot import exp, parse_one

from mesh.contracts.medians import expanded
from mesh.contracts.sql import DIALECT, TABLE, parse_expression

# Sums of floating point numbers depend on the order in which they are added.
ROUNDING = "1e-9"
GROUP = "group_"
# How values are called, and whether rounding can be in them.
EXACT, ROUNDED = "value_", "rounded_"
EPOCH = date(1970, 1, 1)
# Microseconds of a day, and a number of days that no date lies further before the epoch.
DAY, SHIFT = 86_400_000_000, 1_000_000


@dataclass(frozen=True)
class Side:
    """What is asked of one of the two. rows: from which; groups, values: expressions, in order.

    The groups and values of the two sides belong together one by one.
    """

    rows: str
    groups: Sequence[str]
    values: Sequence[str]
    where: str = ""
    having: str = ""

    def query(self, values: Sequence[str]) -> str:
        """values: how they are called."""
        groups = [f"{sql(text)} AS {GROUP}{n}" for n, text in enumerate(self.groups)]
        named = [f"{sql(text)} AS {name}" for text, name in zip(self.values, values, strict=True)]
        # Without groups there is one row of nothing, also where there are no rows.
        having = [f"({sql(self.having)})"] if self.having else []
        having += [] if groups else ["COUNT(*) > 0"]
        parts = [
            f"SELECT {', '.join([*groups, *named])} {self.rows}",
            f"WHERE {sql(self.where)}" if self.where else "",
            f"GROUP BY {', '.join(f'{GROUP}{n}' for n in range(len(groups)))}" if groups else "",
            f"HAVING {' AND '.join(having)}" if having else "",
        ]
        return " ".join(parts)

    def values_query(self) -> exp.Select:
        """The values alone."""
        names = [f"value_{number}" for number in range(len(self.values))]
        rows = expanded(parse_one(self.query(names), into=exp.Select, dialect=DIALECT))
        return exp.select(*names).from_(rows.subquery("side"))


def sides(here: Side, there: Side, type_of: Callable[[str], str]) -> exp.Union:
    """What the two say, one after the other: short, and all that their comparison needs.

    Raises RuleSqlError when an expression cannot be used.
    """
    values = [
        f"{EXACT if _is_exact(own, type_of) else ROUNDED}{number}"
        for number, own in enumerate(here.values)
    ]
    own, other = (
        parse_one(side.query(values), into=exp.Select, dialect=DIALECT) for side in (here, there)
    )
    return exp.union(own, other, distinct=False, copy=False)


def differences(sides: exp.Union) -> exp.Select:
    """Groups that are not on both sides, or have values that differ: their names, and what is
    found. Nothing is equal to nothing."""
    here, there = sides.left.copy(), sides.right.copy()
    source = _text(f"{there.args['from_'].find(exp.Table).sql(dialect=DIALECT)} ")
    pairs = list(zip(here.selects, there.selects, strict=True))
    grouped = [pair for pair in pairs if pair[0].alias.startswith(GROUP)]
    groups = [(own.alias, own.this) for own, _ in grouped]
    days = {own.alias for own, other in pairs if _is_day(own) or _is_day(other)}
    selected, told = [name for name, _ in groups], []
    for own, other in pairs[len(groups) :]:
        number = own.alias.rpartition("_")[2]
        left, right = f"here_{number}", f"there_{number}"
        for name, is_here in ((left, 1), (right, 0)):
            selected.append(f"MAX(IF(is_here = {is_here}, {own.alias}, NULL)) AS {name}")
        same = f"{left} = {right}"
        if own.alias.startswith(ROUNDED):
            size = f"GREATEST(1, LEAST(ABS({left}), ABS({right})))"
            same = f"{same} OR ABS({left} - {right}) <= {ROUNDING} * {size}"
        of_days = _makes_days(own) or _makes_days(other)
        one, two = (
            f"COALESCE(CAST({f'CAST({side} AS DATE)' if of_days else side} AS STRING), 'nothing')"
            for side in (left, right)
        )
        mine, theirs = (_text(f"{text.this.sql(dialect=DIALECT)} is ") for text in (own, other))
        words = f"CONCAT('; ', {mine}, {one}, ', in ', {source}, {theirs}, {two})"
        equal = f"COALESCE({same}, {left} IS NULL AND {right} IS NULL)"
        told.append(f"IF({equal}, '', {words})")
    for side, is_here in ((here, 1), (there, 0)):  # Once all that is told of them has been read.
        for column in side.selects:
            if column.alias in days:
                column.set("this", _number(column.this))
        side.select(f"{is_here} AS is_here", dialect=DIALECT, copy=False)
    by = ", ".join(name for name, _ in groups)
    shown = [
        f"{_as_shown(pair, group in days)} AS {name}"
        for pair, (group, _), name in zip(
            grouped, groups, _names([node for _, node in groups]), strict=True
        )
    ]
    query = f"""
        SELECT {", ".join([*shown, ""])} CONCAT(
          CASE WHEN most = 0 THEN 'missing' WHEN least = 1 THEN CONCAT('not in ', RTRIM({source}))
          ELSE 'differs' END, told) AS found
        FROM (
          SELECT {", ".join([by, ""]) if by else ""} most, least, CONCAT({", ".join(told)}) AS told
          FROM (
            SELECT {", ".join(selected)}, MAX(is_here) AS most, MIN(is_here) AS least
            FROM sides {f"GROUP BY {by}" if by else ""}
          ) AS compared
        ) AS judged
        WHERE most = 0 OR least = 1 OR told <> ''"""
    select = parse_one(query, into=exp.Select, dialect=DIALECT)
    both = exp.union(here, there, distinct=False, copy=False)
    next(t for t in select.find_all(exp.Table) if t.name == "sides").replace(
        both.subquery("sides", copy=False)
    )
    return expanded(select, copy=False)


def of_interval(query: exp.Select, rows: exp.Expr) -> exp.Select | None:
    """The query with the source's rows of the days that `rows` is held to, as `within` makes it.

    None where `rows` is held to none, or where the groups are not of its time.
    """
    held = query.copy()
    sides = held.find(exp.Union)
    spans = list(rows.find_all(exp.Between))
    bounds = [span.args[end] for span in spans for end in ("low", "high")]
    if sides is None or not all(isinstance(bound, exp.Cast) for bound in bounds) or not spans:
        return None
    time = spans[0].this.name
    for here, there in zip(sides.left.selects, sides.right.selects, strict=True):
        of_time = {column.name for column in here.find_all(exp.Column)} == {time}
        if here.alias.startswith(GROUP) and of_time:
            day = there.unalias()
            low_high = [[_day(span.args[end], day) for end in ("low", "high")] for span in spans]
            days = [exp.Between(this=day.copy(), low=low, high=high) for low, high in low_high]
            sides.right.where(exp.or_(*days), copy=False)
            return held
    return None


def sql(text: str) -> str:
    """An expression as it stands in the query."""
    return parse_expression(text).node.sql(dialect=DIALECT)


def _day(bound: exp.Expr, group: exp.Expr) -> exp.Expr:
    """The day of a bound, as a group is written: a date, or the number of one."""
    day = date.fromisoformat(bound.this.name[:10])
    if group.find(exp.UnixMicros, exp.UnixDate):
        return exp.Literal.number((day - EPOCH).days)
    return exp.cast(exp.Literal.string(day.isoformat()), exp.DataType.Type.DATE)


def _is_day(group: exp.Expr) -> bool:
    """Where a session has a time zone, DuckDB takes ten times as long for the dates of moments."""
    return group.alias.startswith(GROUP) and isinstance(group.unalias(), exp.Date)


def _as_shown(pair: tuple[exp.Expr, exp.Expr], by_number: bool) -> str:
    """A group in what is found."""
    group = pair[0].alias
    if by_number:
        group = f"DATE_FROM_UNIX_DATE({group})"
    return f"CAST({group} AS DATE)" if by_number or any(map(_makes_days, pair)) else group


def _makes_days(value: exp.Expr) -> bool:
    """Whether a value is a day of which DuckDB makes a moment, on both sides, which reads worse."""
    node = value.unalias()
    node = node.this if isinstance(node, exp.Max | exp.Min) else node
    return isinstance(node, exp.DateTrunc | exp.DateAdd | exp.DateSub)


def _number(day: exp.Expr) -> exp.Expr:
    if not isinstance(day, exp.Date):
        return exp.UnixDate(this=day.copy())
    # The quotient is cut off, so that all days are counted from one before the first.
    micros = exp.UnixMicros(this=day.this.copy()) + SHIFT * DAY
    return exp.Sub(this=micros // DAY, expression=exp.Literal.number(SHIFT))


def _is_exact(own: str, type_of: Callable[[str], str]) -> bool:
    """Whether a value is counted, so that no rounding can be in it."""
    node = expanded(parse_expression(own).node)
    if isinstance(node, exp.Count | exp.CountIf):
        return True
    types = {type_of(column.name) for column in node.find_all(exp.Column)}
    return "number" not in types and not node.find(exp.Div, exp.Avg, exp.SafeDivide)


def _names(expressions: Sequence[exp.Expr]) -> list[str]:
    """How the groups are called in what is found: by their column, if it is one."""
    found: list[str] = []
    for number, node in enumerate(expressions):
        columns = {one.name for one in node.find_all(exp.Column)}
        name = columns.pop() if len(columns) == 1 else ""
        found.append(f"{GROUP}{number}" if name in (*found, "", "found") else name)
    return found


def _text(text: str) -> str:
    return exp.Literal.string(text.replace(TABLE, "${table}")).sql(dialect=DIALECT)
