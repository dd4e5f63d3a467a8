"""The query that compares a product with what it is made from, in BigQuery's dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlglot import exp, parse_one

from mesh.contracts.sql import DIALECT, parse_expression

# Sums of floating point numbers depend on the order in which they are added.
ROUNDING = "1e-9"
GROUP = "group_"
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Side:
    """What is asked of one of the two. rows: from which; groups, values: expressions, in order.

    The groups and values of the two sides belong together one by one.
    """

    name: str
    rows: str
    groups: Sequence[str]
    values: Sequence[str]
    where: str = ""
    having: str = ""

    def query(self, is_here: int) -> str:
        groups = [f"{one} AS {GROUP}{n}" for n, one in enumerate(self.groups)]
        values = [f"{sql(text)} AS value_{n}" for n, text in enumerate(self.values)]
        # Without groups there is one row of nothing, also where there are no rows.
        having = [f"({sql(self.having)})"] if self.having else []
        having += [] if groups else ["COUNT(*) > 0"]
        parts = [
            f"SELECT {', '.join([*groups, *values])}, {is_here} AS is_here {self.rows}",
            f"WHERE {sql(self.where)}" if self.where else "",
            f"GROUP BY {', '.join(_groups(self))}" if groups else "",
            f"HAVING {' AND '.join(having)}" if having else "",
        ]
        return " ".join(parts)

    def values_query(self) -> exp.Select:
        """The values alone."""
        rows = parse_one(self.query(1), into=exp.Select, dialect=DIALECT)
        named = [one for one in rows.expressions if one.alias.startswith("value_")]
        return exp.select(*(one.alias for one in named)).from_(rows.subquery("side"))


def differences(here: Side, there: Side, type_of: Callable[[str], str]) -> exp.Select:
    """Groups that are not on both sides, or have values that differ: their names, and what is
    found. Nothing is equal to nothing. Raises RuleSqlError when an expression cannot be used."""
    names, nodes = _names(here.groups), [parse_expression(text).node for text in here.groups]
    here, there, days = _by_number(here, there)
    selected, told, wrong = _groups(here), [], []
    for number, (own, other) in enumerate(zip(here.values, there.values, strict=True)):
        left, right, value = (f"{word}_{number}" for word in ("here", "there", "value"))
        for name, is_here in ((left, 1), (right, 0)):
            selected.append(f"MAX(IF(is_here = {is_here}, {value}, NULL)) AS {name}")
        same = f"{left} = {right}"
        if not _is_exact(own, type_of):
            size = f"GREATEST(1, LEAST(ABS({left}), ABS({right})))"
            same = f"{same} OR ABS({left} - {right}) <= {ROUNDING} * {size}"
        wrong.append(f"NOT COALESCE({same}, {left} IS NULL AND {right} IS NULL)")
        one, two = (f"COALESCE(CAST({side} AS STRING), 'nothing')" for side in (left, right))
        words = _text(f"; {own} is "), one, _text(f", in {there.name} {other} is "), two
        told.append(f"IF({wrong[-1]}, CONCAT({', '.join(words)}), '')")
    kinds = f"""
        CASE WHEN most = 0 THEN 'missing' WHEN least = 1 THEN {_text(f"not in {there.name}")}
        ELSE 'differs' END"""
    shown = [
        f"{_as_shown(node, group, group in days)} AS {name}"
        for node, group, name in zip(nodes, _groups(here), names, strict=True)
    ]
    shown.append(f"CONCAT({', '.join([kinds, *told])}) AS found")
    query = f"""
        SELECT {", ".join(shown)}
        FROM (
          SELECT {", ".join(selected)}, MAX(is_here) AS most, MIN(is_here) AS least
          FROM ({here.query(1)} UNION ALL {there.query(0)}) AS sides
          {f"GROUP BY {', '.join(_groups(here))}" if here.groups else ""}
        ) AS compared
        WHERE most = 0 OR least = 1 OR {" OR ".join(wrong)}"""
    return parse_one(query, into=exp.Select, dialect=DIALECT)


def of_interval(query: exp.Select, rows: exp.Expr) -> exp.Select | None:
    """The query with the source's rows of the days that `rows` is held to, as `within` makes it.

    None where `rows` is held to none, or where the groups are not of its time.
    """
    held = query.copy()
    sides = held.find(exp.Union)
    spans = list(rows.find_all(exp.Between))
    if sides is None or not spans:
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


def _groups(side: Side) -> list[str]:
    return [f"{GROUP}{number}" for number in range(len(side.groups))]


def _day(bound: exp.Expr, group: exp.Expr) -> exp.Expr:
    """The day of a bound, as a group is written: a date, or the number of one."""
    day = date.fromisoformat(bound.this.name[:10])
    if group.find(exp.Div, exp.UnixDate):
        return exp.Literal.number((day - EPOCH).days)
    return exp.cast(exp.Literal.string(day.isoformat()), exp.DataType.Type.DATE)


def _by_number(here: Side, there: Side) -> tuple[Side, Side, set[str]]:
    """The sides with groups as SQL, and those of them that are days by their numbers.

    Where a session has a time zone, DuckDB takes ten times as long for the dates of moments.
    """
    days, written = set(), []
    for group, texts in zip(
        _groups(here), zip(here.groups, there.groups, strict=True), strict=True
    ):
        nodes = [parse_expression(text).node for text in texts]
        if any(isinstance(node, exp.Date) for node in nodes):
            days.add(group)
            nodes = [_number(node) for node in nodes]
        written.append([node.sql(dialect=DIALECT) for node in nodes])
    here = replace(here, groups=[one[0] for one in written])
    return here, replace(there, groups=[one[1] for one in written]), days


def _as_shown(node: exp.Expr, group: str, by_number: bool) -> str:
    """A group in what is found. DuckDB makes moments of days, which reads worse."""
    if by_number:
        group = f"DATE_FROM_UNIX_DATE({group})"
    return f"CAST({group} AS DATE)" if by_number or isinstance(node, exp.DateTrunc) else group


def _number(day: exp.Expr) -> exp.Expr:
    if not isinstance(day, exp.Date):
        return exp.UnixDate(this=day.copy())
    # SQLMesh stores rules in SQLGlot's own dialect, which has no division of whole numbers but one
    # that rounds. Until long after 2100 the quotient's error is less than a microsecond.
    micros = exp.UnixMicros(this=day.this.copy())
    days = exp.Floor(this=exp.Div(this=micros, expression=exp.Literal.number(86_400_000_000)))
    return exp.cast(days, exp.DataType.Type.BIGINT)


def _is_exact(own: str, type_of: Callable[[str], str]) -> bool:
    """Whether a value is counted, so that no rounding can be in it."""
    node = parse_expression(own).node
    if isinstance(node, exp.Count | exp.CountIf):
        return True
    types = {type_of(column.name) for column in node.find_all(exp.Column)}
    return "number" not in types and not node.find(exp.Div, exp.Avg, exp.SafeDivide)


def _names(expressions: Sequence[str]) -> list[str]:
    """How the groups are called in what is found: by their column, if it is one."""
    found: list[str] = []
    for number, text in enumerate(expressions):
        columns = {one.name for one in parse_expression(text).node.find_all(exp.Column)}
        name = columns.pop() if len(columns) == 1 else ""
        found.append(f"{GROUP}{number}" if name in (*found, "", "found") else name)
    return found


def _text(text: str) -> str:
    return exp.Literal.string(text).sql(dialect=DIALECT)
