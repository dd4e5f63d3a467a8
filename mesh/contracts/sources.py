"""What stands in FROM and is no table and no query, and what is not followed at all."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from mesh.contracts.relation import Relation, digest, made_from, one_of
from mesh.contracts.values import Resolve, replaced, short, value


def is_named(table: exp.Table) -> bool:
    """Whether it is a table, and no function that returns one."""
    return isinstance(table.this, exp.Identifier | exp.Var)


def makes_rows(source: exp.Table | Scope) -> bool:
    """Whether a source is neither a table nor a query."""
    if isinstance(source, Scope):
        return isinstance(source.expression, exp.UDTF)
    return not is_named(source)


def is_followed(query: exp.Expr) -> bool:
    """Whether it reads tables and queries alone; a step that reads itself is no query of others."""
    return not any(
        one.recursive
        if isinstance(one, exp.With)
        else not isinstance(one.this.unnest(), exp.Table | exp.UDTF | exp.Query)
        for one in query.find_all(exp.With, exp.CTE, exp.Subquery, exp.From, exp.Join)
    )


def made_rows(node: exp.Expr, names: list[str], resolved: Resolve) -> Relation:
    """The rows of an array, of values, or of a function. names: of its first columns."""
    parts: list[exp.Expr] = [
        exp.Literal.string(f"{node.key} {bool(offset := node.args.get('offset'))}")
    ]
    for key in ("this", "db", "catalog", "expressions", "rows_from"):
        arg = node.args.get(key) or []
        parts += [value(one, resolved) for one in (arg if isinstance(arg, list) else [arg])]
    made = made_from(*parts)
    columns = {name: one_of(made, str(place)) for place, name in enumerate(names)}
    if isinstance(offset, exp.Identifier):
        columns[offset.name] = one_of(made, "offset")
    return Relation((digest(made.sql()),), columns=columns, made=made, deciding=(made,))


def pivoted(pivot: exp.Pivot, known: Relation, scope: Scope, resolved: Resolve) -> Relation:
    """Rows and columns turned: each of them may come of all that was there."""
    turned = replaced(pivot, resolved)
    turned.set("alias", None)
    made = made_from(exp.Literal.string(known.rows), *known.columns.values(), short(turned))
    names = {column.name for column in scope.columns}
    return Relation(
        (digest(made.sql()),),
        columns={name: one_of(made, name, known.column(name)) for name in sorted(names)},
        made=made,
        deciding=(*known.deciding, made),
    )


def unfollowed(part: exp.Expr, read: Iterable[Relation]) -> Relation:
    """What nobody looks into, such as a step that reads itself: its text, and what it reads."""
    known = {one.rows: one for one in read}
    names = sorted({column.name for column in part.find_all(exp.Column)})
    every = part.find(exp.Star, exp.Pivot) is not None
    values = [
        one.column(name)
        for one in known.values()
        for name in ([*one.columns] if every and one.columns else names)
        if name in one.columns or not one.columns
    ]
    what = digest(part.sql(), *known, *(value.sql() for value in values))
    made: exp.Expr = exp.Anonymous(this=what, expressions=values)
    given = part.named_selects if isinstance(part, exp.Query) else ()
    return Relation((what,), columns={name: made.copy() for name in given}, deciding=(made,))
