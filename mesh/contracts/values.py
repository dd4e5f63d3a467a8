"""A value of a query as it is computed from the columns of what is read."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from mesh.contracts.conditions import conjuncts, plain, struct_of
from mesh.contracts.relation import Relation, blur, digest

Resolve = Callable[[exp.Expr], exp.Expr]
"""From a column, a table or a subquery to what stands for it; from anything else to itself."""
# Whatever is longer is known by its digest: queries on queries would grow without end.
LONGEST = 400


def value(node: exp.Expr, resolved: Resolve) -> exp.Expr:
    return short(plain(replaced(node, resolved)))


def conditions_of(node: exp.Expr | None, resolved: Resolve) -> list[exp.Expr]:
    """What must all hold."""
    return [short(one) for one in conjuncts(node and replaced(node, resolved))]


def replaced(node: exp.Expr, resolved: Resolve) -> exp.Expr:
    """An expression with its columns and subqueries replaced, which are known by identity."""
    new = resolved(node)
    if new is not node:
        return new
    made = type(node)()
    for key, arg in node.args.items():
        if isinstance(arg, list):
            arg = [replaced(a, resolved) if isinstance(a, exp.Expr) else a for a in arg]
        elif isinstance(arg, exp.Expr):
            arg = replaced(arg, resolved)
        made.set(key, arg)
    return made


def whole(read: Relation) -> exp.Expr:
    """All rows and columns of something as one value."""
    used = exp.Tuple(expressions=[*read.deciding])
    rows = exp.Literal.string(read.rows)
    return exp.Anonymous(this="query", expressions=[rows, *read.columns.values(), used])


def short(node: exp.Expr) -> exp.Expr:
    text = node.sql()
    if len(text) < LONGEST:
        return node
    if made := struct_of(node):
        # Each field for itself: whoever reads one does not read its neighbours.
        for one in made.expressions:
            if isinstance(one, exp.PropertyEQ):
                one.set("expression", short(one.expression))
        return node
    columns = {column.sql(): column for column in node.find_all(exp.Column)}
    return exp.Anonymous(
        this=digest(blur(text)), expressions=[columns[key] for key in sorted(columns)]
    )
