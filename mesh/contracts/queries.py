"""What a query means, so that two ways to write one thing are the same.

A column is known by how it is computed from the tables that are read, the rows by what decides
about them. Names of CTEs, aliases, comments, the order of conditions and of joins that stand beside
each other, and steps that pass rows through do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from mesh.contracts.conditions import GROUPED
from mesh.contracts.relation import SEEN, Relation, blur, digest
from mesh.contracts.sources import is_followed, is_named, made_rows, makes_rows, pivoted, unfollowed
from mesh.contracts.spelling import JOIN, SELECT, SET_OPERATION, around, unread, written_out
from mesh.contracts.values import Resolve, conditions_of, replaced, short, value, whole


def by_name(table: exp.Table) -> Relation:
    """A table of which nothing is known but its name."""
    return Relation((".".join(part.name for part in table.parts),))


def read_query(
    query: exp.Expr,
    table: Callable[[exp.Table], Relation] = by_name,
    *,
    by_rows: bool = False,
) -> Relation:
    """The meaning of a query, qualified as far as it goes. table: the meaning of what it reads.

    The type that the query itself gives a column does not count: it is told of as a type. by_rows:
    take each outer join for a part of the rows, also one that finds one row or none, and so changes
    but its own values; then these, and those of windows, are the same whatever the rows are.
    """
    query = written_out(query)
    if is_followed(query) and (scope := build_scope(query)):
        return _Reader(table, by_rows).read(scope, {})
    steps = {step.alias for step in query.find_all(exp.CTE)}
    tables = [one for one in query.find_all(exp.Table) if one.db or one.name not in steps]
    return unfollowed(query, map(table, tables))


class _Reader:
    def __init__(self, table: Callable[[exp.Table], Relation], by_rows: bool) -> None:
        self.table, self.by_rows = table, by_rows

    def read(self, scope: Scope, outer: dict[str, Relation]) -> Relation:
        """outer: the relations around a subquery, by alias."""
        query = scope.expression.unnest()
        if isinstance(query, exp.SetOperation):
            made = self._union(query, [self.read(part, outer) for part in scope.union_scopes])
        elif isinstance(query, exp.Select):
            made = self._select(scope, query, outer)
        else:
            made = self._text_of(query, scope)
        more = around(query)
        return made.closed(*more) if more else made

    def _union(self, union: exp.SetOperation, parts: list[Relation]) -> Relation:
        def together(texts: list[exp.Expr]) -> exp.Expr:
            return short(exp.Anonymous(this=union.key, expressions=texts))

        if isinstance(union, exp.Union):
            parts = sorted(parts, key=lambda part: (part.rows, *part.texts.values()))
        kind = f"{union.key} {'distinct' if union.args.get('distinct') else 'all'}"
        values = [list(part.columns.values()) for part in parts]
        columns = {
            name: together([side[index] for side in values if index < len(side)])
            for index, name in enumerate(parts[0].columns)
        }
        texts = [value.sql() for value in columns.values()] if "distinct" in kind else []
        clauses = [f"{key} {union.args[key]}" for key in ("limit", "offset") if union.args.get(key)]
        if clauses and (order := union.args.get("order")):
            by = _by_columns(columns, lambda node: node)
            clauses.append(f"order {[value(one, by).sql() for one in order.expressions]}")
        clauses += unread(union, SET_OPERATION)
        rows = digest(kind, *(part.rows for part in parts), *texts, *clauses)
        deciding = tuple(one for part in parts for one in part.deciding)
        return Relation((rows,), columns=columns, deciding=deciding)

    def _select(self, scope: Scope, select: exp.Select, outer: dict[str, Relation]) -> Relation:
        here = dict(outer)
        # LATERAL has a scope of its own around its query.
        sources = [one for _, one in scope.selected_sources.values() if isinstance(one, Scope)]
        scopes = [scope, *(one for one in sources if makes_rows(one))]
        inside = [inner for one in scopes for inner in one.subquery_scopes]
        subqueries = {id(inner.expression): inner for inner in inside}

        def resolved(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column):
                return _resolve(node, here, scope)
            if inner := subqueries.get(id(node)):
                return whole(self.read(inner, here))
            if isinstance(node, exp.Table) and is_named(node):
                return whole(self._read_by_name(node, scope))
            if isinstance(node, exp.Select | exp.SetOperation):
                return whole(self._text_of(node, scope))
            return node

        made = self._joined(scope, select, here, resolved)
        where = select.args.get("where")
        conditions = conditions_of(where and where.this, resolved)
        made = replace(
            made,
            conditions=(*made.conditions, *conditions),
            deciding=(*made.deciding, *conditions),
        )
        return self._grouped(select, made, resolved)

    def _joined(
        self,
        scope: Scope,
        select: exp.Select,
        here: dict[str, Relation],
        resolved: Resolve,
    ) -> Relation:
        """The rows of FROM and its joins."""
        outside = [*here.values()]
        known = {id(join.this.unnest()): join for join in select.args.get("joins") or []}
        joins = {}
        inner = set()
        for alias, (node, source) in scope.selected_sources.items():
            joins[alias] = join = known.get(id(node.unnest()))
            here[alias] = self._source(node, source, scope, here, resolved)
            if join is None or not (
                join.side or join.kind not in ("", "INNER", "CROSS") or unread(join, JOIN)
            ):
                inner.add(alias)
        # Several relations of one table, as around a subquery: which of them a column is of must
        # not depend on the order.
        seen = Counter(blur(name) for one in outside for name in one.names)
        for alias in sorted(scope.selected_sources, key=lambda a: here[a].rows):
            names = here[alias].names
            if number := max((seen[name] for name in names), default=0):
                here[alias] = here[alias].copied(number)
            seen.update(names)
        tables: list[str] = []
        conditions: list[exp.Expr] = []
        outer: list[str] = []
        deciding: list[exp.Expr] = []
        for alias in scope.selected_sources:
            join, relation = joins.get(alias), here[alias]
            on = conditions_of(join and join.args.get("on"), resolved)
            deciding += [*relation.deciding, *on]
            if join is None or alias in inner:
                tables += relation.tables
                conditions += [*relation.conditions, *on]
                outer += relation.joins
                continue
            if join.side != "LEFT":
                # The other side may be missing: what was asked of it comes before.
                whole = Relation(tuple(tables), tuple(conditions), tuple(outer)).closed()
                tables, conditions, outer = [*whole.tables], [], []
            on.sort(key=lambda one: one.sql())
            more = unread(join, JOIN)
            is_value = join.side == "LEFT" and not (more or self.by_rows)
            if is_value and _finds_one(join, alias, relation.key):
                rows = exp.Literal.string(relation.rows)
                here[alias] = replace(relation, by=(rows, *on))
                continue
            texts = [*dict.fromkeys(one.sql() for one in on)]
            outer.append(f"{join.side} {join.kind} {relation.rows} ON {texts} {more}")
        return Relation(
            tuple(tables) or ("nothing",),
            tuple(conditions),
            tuple(outer),
            deciding=tuple(deciding),
        )

    def _source(
        self,
        node: exp.Expr,
        source: exp.Table | Scope,
        scope: Scope,
        here: dict[str, Relation],
        resolved: Resolve,
    ) -> Relation:
        """What stands in FROM: a table, a query, or what makes rows out of values."""
        alias = node.args.get("alias")
        names = [one.name for one in alias.columns] if alias else []
        if makes_rows(source):
            known = made_rows(node, names or [node.alias], resolved)
        else:
            known = self.read(source, {}) if isinstance(source, Scope) else self.table(source)
            known = known.renamed(names)
        texts = around(node) if isinstance(node, exp.Table | exp.UDTF) else []
        texts += [] if known.columns or not names else [", ".join(names)]
        parts = [exp.Literal.string(text) for text in texts]
        known = replace(known, conditions=(*known.conditions, *parts))
        for pivot in node.args.get("pivots") or ():
            here[node.alias] = known
            known = here[pivot.alias] = pivoted(pivot, known, scope, resolved)
        return known

    def _read_by_name(self, table: exp.Table, scope: Scope) -> Relation:
        step = scope.cte_sources.get(table.name) if not table.db else None
        return self.read(step, {}) if isinstance(step, Scope) else self.table(table)

    def _text_of(self, part: exp.Expr, scope: Scope) -> Relation:
        tables = [one for one in part.find_all(exp.Table) if is_named(one)]
        return unfollowed(part, [self._read_by_name(one, scope) for one in tables])

    def _grouped(self, select: exp.Select, made: Relation, resolved: Resolve) -> Relation:
        """What a SELECT makes of joined rows: groups, windows, limits, and its columns."""
        group = select.args.get("group")
        known = {}
        for key in _keys_of(select, group):
            key = value(key, resolved)
            known[key.sql()] = key
        keys = [known[text] for text in sorted(known)]

        def aggregated(node: exp.Expr) -> exp.Expr:
            if not _aggregates(node):
                return resolved(node)
            return exp.Anonymous(this=GROUPED, expressions=[replaced(node, resolved), *keys])

        clauses = [*keys]
        having = select.args.get("having")
        if group or any(map(_groups, [*select.expressions, *filter(None, [having])])):
            args = group.args.items() if group else ()
            more = [str(arg) for name, arg in args if name not in ("expressions", "all") and arg]
            made = made.closed("by", *sorted(known), *more)
        # As the WHERE of a step that reads this one would ask it; so does QUALIFY of windows.
        asked = conditions_of(having and having.this, aggregated)
        made = replace(made, conditions=(*made.conditions, *asked))
        rows = exp.var(made.rows)

        def windowed(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Window) or self.by_rows:
                return aggregated(node)
            return exp.Anonymous(this=SEEN, expressions=[replaced(node, aggregated), rows.copy()])

        columns = {one.alias_or_name: value(one.unalias(), windowed) for one in select.expressions}
        qualify = select.args.get("qualify")
        kept = conditions_of(qualify and qualify.this, windowed)
        made = replace(made, conditions=(*made.conditions, *kept))
        clauses += [*asked, *kept]
        apart_by = select.args["distinct"].args.get("on") if select.args.get("distinct") else None
        if select.args.get("distinct") and not apart_by:
            # As grouped by all columns, before any limit.
            apart = {one.sql() for one in columns.values() if not isinstance(one, exp.Literal)}
            made = made.closed("by", *sorted(apart))
            clauses += columns.values()
        why = []
        for name in ("limit", "offset"):
            if clause := select.args.get(name):
                clauses.append(value(clause, resolved))
                why += [name, clauses[-1].sql()]
        if apart_by:
            clauses.append(value(apart_by, resolved))
            why += ["first of each", clauses[-1].sql()]
        holder = select.find_ancestor(exp.Array, exp.Query)
        in_order = select.args.get("limit") or apart_by or isinstance(holder, exp.Array)
        if in_order and select.args.get("order"):
            order = select.args["order"].expressions
            why += ["order", *(value(one, _by_columns(columns, windowed)).sql() for one in order)]
        why += unread(select, SELECT)
        if why:
            made = made.closed(*why)
        windows = [w for one in select.expressions for w in one.find_all(exp.Window)]
        clauses += [value(p, resolved) for w in windows for p in w.args.get("partition_by") or []]
        return replace(
            made,
            columns=columns,
            key=_key(select, known, columns),
            deciding=(*made.deciding, *clauses),
        )


def _by_columns(columns: Mapping[str, exp.Expr], resolved: Resolve) -> Resolve:
    """How ORDER BY is read: a name of one of the columns before it, or a number, is that column."""
    every = list(columns.values())

    def read(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name in columns:
            return columns[node.name].copy()
        if isinstance(node, exp.Literal) and node.is_int and isinstance(node.parent, exp.Ordered):
            return every[int(node.name) - 1].copy() if 0 < int(node.name) <= len(every) else node
        return resolved(node)

    return read


def _keys_of(select: exp.Select, group: exp.Expr | None) -> list[exp.Expr]:
    """What it is grouped by; by ALL is by each column that aggregates nothing."""
    if group is None:
        return []
    if group.args.get("all"):
        return [one.unalias() for one in select.expressions if not _groups(one)]
    return list(group.expressions)


def _key(
    select: exp.Select, grouped_by: Collection[str], columns: Mapping[str, exp.Expr]
) -> tuple[str, ...]:
    """The columns of a SELECT by which it has grouped, if these are all that it has grouped by."""
    if any(one.find(exp.UDTF, exp.Explode, exp.Posexplode) for one in select.expressions):
        return ()
    distinct, group = select.args.get("distinct"), select.args.get("group")
    if distinct and not distinct.args.get("on"):
        return tuple(columns)
    if not group or any(part for name, part in group.args.items() if name != "expressions"):
        return ()
    found = {name: text for name, one in columns.items() if (text := one.sql()) in grouped_by}
    return tuple(found) if {*found.values()} == {*grouped_by} else ()


def _finds_one(join: exp.Join, alias: str, key: tuple[str, ...]) -> bool:
    """Whether a join asks for one value of each column of a key: no row finds two then."""
    on, asked = join.args.get("on"), set[str]()
    for one in on.flatten() if isinstance(on, exp.And) else [on]:
        equal = one.unnest() if one else None
        sides = [equal.this, equal.expression] if isinstance(equal, exp.EQ) else []
        for column, other in zip(sides, sides[::-1], strict=True):
            foreign = all(c.table and c.table != alias for c in other.find_all(exp.Column))
            if isinstance(column, exp.Column) and column.table == alias and foreign:
                asked |= set() if other.find(exp.Query) else {column.name}
    return bool(key) and asked >= {*key}


def _resolve(column: exp.Column, here: dict[str, Relation], scope: Scope) -> exp.Expr:
    first, *fields = (part.name for part in column.parts)
    if len(fields) > 1 and first in here and column.table not in here:
        # A field of a STRUCT, which is written as a column of a table in a dataset is.
        value: exp.Expr = exp.paren(here[first].column(fields[0]))
        for field in fields[1:]:
            value = exp.Dot(this=value, expression=exp.to_identifier(field))
        return value
    alias, name = column.table, column.name
    if not alias:
        # An array in FROM sees what stands to its left, and no more.
        own = [alias for alias in scope.selected_sources if alias in here]
        owners = [a for a in own if a == name or name in here[a].columns] if len(own) > 1 else own
        alias = owners[0] if len(owners) == 1 else ""
    if alias in here:
        return exp.paren(here[alias].column(name))
    return exp.column(name, table=alias or None)


def _groups(node: exp.Expr) -> bool:
    """Whether it aggregates the rows of its own SELECT."""
    query = node.find_ancestor(exp.Query)
    return any(
        _aggregates(one) and one.find_ancestor(exp.Query) is query
        for one in node.find_all(exp.AggFunc)
    )


def _aggregates(node: exp.Expr) -> bool:
    """Whether it aggregates rows, and does not look at them from one, as in a window."""
    around = node.parent
    while isinstance(around, exp.IgnoreNulls | exp.RespectNulls | exp.Filter | exp.WithinGroup):
        around = around.parent
    return isinstance(node, exp.AggFunc) and not isinstance(around, exp.Window)
