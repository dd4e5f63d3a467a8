"""A query with its shorthands written out, and the parts of it that a reader does not look at."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp
from sqlglot.transforms import eliminate_window_clause

# What each part of a query is asked for when it is read, and what changes none of its rows.
_ORDERED = ("order", "with_", "hint")
SELECT = (
    *("expressions", "from_", "joins", "where", "group", "having", "qualify"),
    *("distinct", "limit", "offset", *_ORDERED),
)
SET_OPERATION = ("this", "expression", "distinct", "limit", "offset", *_ORDERED)
JOIN = ("this", "on", "side", "kind", "hint")
SOURCE = ("this", "db", "catalog", "alias", "expressions", "offset", *_ORDERED)


def written_out(query: exp.Expr) -> exp.Expr:
    """A copy without the type that the query itself gives a column, USING, and names of windows."""
    query = query.copy()
    for select in _outermost(query):
        for projection in select.expressions:
            value = projection.unalias().unnest()
            if isinstance(value, exp.Cast) and isinstance(projection, exp.Alias):
                projection.set("this", value.this)
    for select in query.find_all(exp.Select):
        without_using(select)
    return with_windows(query)


def with_windows(query: exp.Expr) -> exp.Expr:
    """Write each window out where its name stands, in the query itself."""
    for select in list(query.find_all(exp.Select)):
        eliminate_window_clause(select)
    return query


def _outermost(query: exp.Expr) -> Iterator[exp.Select]:
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        yield from _outermost(query.this)
        yield from _outermost(query.expression)
    elif isinstance(query, exp.Select):
        yield query


def without_using(select: exp.Select) -> None:
    """Name a column of USING by the first of its tables, where the others hold the same or nothing.

    SQLGlot writes COALESCE over all tables before. Of a join to the left, or of an inner one, the
    first has the value whenever there is one.
    """
    first: dict[exp.Expr, exp.Expr] = {}

    def name_first(around: exp.Expr) -> None:
        for node in list(around.find_all(exp.Coalesce)):
            others = {first.get(one) for one in node.expressions}
            known = others == {first.get(node.this, node.this)}
            if known and isinstance(node.this, exp.Column) and node.parent_select is select:
                node.replace(node.this)

    for join in select.args.get("joins") or []:
        on = join.args.get("on")
        if on is None or join.side in ("RIGHT", "FULL"):
            continue
        name_first(on)
        for one in on.flatten() if isinstance(on, exp.And) else [on]:
            sides = [one.left, one.right] if isinstance(one, exp.EQ) else []
            columns = [side for side in sides if isinstance(side, exp.Column)]
            columns.sort(key=lambda column: column.table != join.alias_or_name)
            if [column.table == join.alias_or_name for column in columns] == [True, False]:
                own, other = columns
                first.setdefault(own, first.get(other, other))
    name_first(select)


def unread(node: exp.Expr, known: Collection[str]) -> list[str]:
    """What a part of a query says besides, such as a sample: not to be known must not hide it."""
    return [
        f"{key} {_text(value)}"
        for key, value in sorted(node.args.items())
        if key not in known and value
    ]


def around(node: exp.Expr) -> list[str]:
    """The same of a table, or of a query in FROM, with the brackets around it."""
    said = unread(node, SOURCE) if isinstance(node, (exp.Table, exp.UDTF)) else []
    while isinstance(node.parent, exp.Subquery) and node.parent.this is node:
        node = node.parent
        # How the rows in brackets are ordered decides where a limit stands behind them.
        limits = {"offset", "order"} if node.args.get("limit") else {"offset"}
        known = set(SOURCE) - limits
        said += unread(node, known)
    return said


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
