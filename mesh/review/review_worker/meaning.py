"""What a query means, column by column, so that two ways to write one thing are the same.

Names of tables, CTEs and columns inside a query do not count, nor do comments, parentheses, the
order of conditions, or CTEs that pass rows through. A column is known by how it is computed from
its sources; a relation by the rows that it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

Origin = tuple[str, str]
"""A table, by the name that the resolver gives it, and one of its columns."""
_MIRRORED = {exp.GT: exp.LT, exp.GTE: exp.LTE}


@dataclass(frozen=True)
class ColumnMeaning:
    """How a column is computed.

    pure: from columns only. full: that, and over which rows. origins: the columns of other tables
    that its values come from. of: for a column that is only passed on, the rows it is passed from.
    """

    pure: str
    full: str
    origins: frozenset[Origin] = frozenset()
    of: str = ""


@dataclass
class Relation:
    """A table, a subquery or a CTE.

    rows: which rows it holds. filters: the columns that decide about its rows. compared: texts and
    numbers that columns are compared with, anywhere inside.
    """

    rows: str
    columns: dict[str, ColumnMeaning] = field(default_factory=dict)
    filters: set[Origin] = field(default_factory=set)
    compared: set[tuple[str, str, str]] = field(default_factory=set)
    open_ended: bool = False

    def column(self, name: str) -> ColumnMeaning:
        """The meaning of a column; one that is not known by name is known by its rows."""
        known = self.columns.get(name)
        if known:
            return known
        text = f"{self.rows}.{name}"
        origins = frozenset({(self.rows, name)}) if self.open_ended else frozenset()
        return ColumnMeaning(text, text, origins)


Resolve = Callable[[exp.Table], Relation]


def unknown_table(table: exp.Table) -> Relation:
    """A table of which nothing is known but its name."""
    return Relation(".".join(p.name for p in table.parts), open_ended=True)


def meaning_of(query: exp.Expression, resolve: Resolve = unknown_table) -> Relation:
    """The meaning of a query, qualified as far as it goes.

    The type that the query itself gives a column does not count: it is told of as a type.
    """
    query = query.copy()
    for select in _outermost(query):
        for projection in select.expressions:
            value = projection.unalias().unnest()
            if isinstance(value, exp.Cast) and isinstance(projection, exp.Alias):
                projection.set("this", value.this)
    scope = build_scope(query)
    if scope is None:
        return Relation(_digest("text", query.sql()))
    return _Reader(resolve).relation(scope, None)


def _outermost(query: exp.Expression) -> list[exp.Select]:
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        return [*_outermost(query.this), *_outermost(query.expression)]
    return [query] if isinstance(query, exp.Select) else []


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def _short(text: str) -> str:
    return text if len(text) < 120 else _digest(text)


@dataclass
class _Select:
    """One SELECT that is being read: its sources by alias, and what is around it."""

    sources: dict[str, Relation]
    labels: dict[str, str]
    outer: _Select | None
    scopes: dict[int, Scope]
    found: Relation

    def resolve(self, column: exp.Column) -> tuple[ColumnMeaning, str]:
        alias, name = column.table, column.name
        if not alias:
            if name in self.sources and self.sources[name].rows.startswith("unnest"):
                alias = name
            elif len(self.sources) == 1:
                alias = next(iter(self.sources))
            else:
                owners = [a for a, r in self.sources.items() if name in r.columns]
                alias = owners[0] if len(owners) == 1 else ""
        if alias in self.sources:
            return self.sources[alias].column(name), self.labels[alias]
        if self.outer:
            return self.outer.resolve(column)
        return ColumnMeaning(f"?.{name}", f"?.{name}"), ""


class _Reader:
    def __init__(self, resolve: Resolve) -> None:
        self.table = resolve
        self.known: dict[int, Relation] = {}

    def relation(self, scope: Scope, outer: _Select | None) -> Relation:
        key = id(scope)
        if key not in self.known or outer is not None:
            self.known[key] = self._read(scope, outer)
        return self.known[key]

    def _read(self, scope: Scope, outer: _Select | None) -> Relation:
        expression = scope.expression.unnest()
        if isinstance(expression, exp.SetOperation):
            return self._union(scope, expression, outer)
        if isinstance(expression, exp.Select):
            return self._select(scope, expression, outer)
        return Relation(_digest("other", expression.sql()))

    def _union(self, scope: Scope, union: exp.SetOperation, outer: _Select | None) -> Relation:
        parts = [self.relation(part, outer) for part in scope.union_scopes]
        names = list(parts[0].columns)
        by_place = [list(part.columns.values()) for part in parts]
        distinct = "distinct" if union.args.get("distinct") else "all"
        rows = [part.rows for part in parts]
        columns = {}
        for index, name in enumerate(names):
            here = [cs[index] for cs in by_place if index < len(cs)]
            if isinstance(union, exp.Union):
                here.sort(key=lambda c: c.full)
            columns[name] = ColumnMeaning(
                _digest("union", *sorted(c.pure for c in here)),
                _digest("union", *(c.full for c in here)),
                frozenset().union(*(c.origins for c in here)),
            )
        if isinstance(union, exp.Union):
            rows.sort()
        texts = [c.full for c in columns.values()] if distinct == "distinct" else []
        made = Relation(_digest(union.key, distinct, *rows, *texts), columns)
        for part in parts:
            made.filters |= part.filters
            made.compared |= part.compared
        return made

    def _select(self, scope: Scope, select: exp.Select, outer: _Select | None) -> Relation:
        found = Relation("")
        scopes = {id(s.expression): s for s in scope.subquery_scopes}
        here = _Select({}, {}, outer, scopes, found)
        for alias, (node, source) in scope.selected_sources.items():
            relation = self._source(node, source, here)
            label = relation.rows
            copies = sum(1 for known in here.labels.values() if known.split("#")[0] == label)
            here.sources[alias] = relation
            here.labels[alias] = f"{label}#{copies}" if copies else label
            found.filters |= relation.filters
            found.compared |= relation.compared
        clauses = self._rows(select, here)
        found.rows = _digest("select", *clauses) if len(clauses) > 1 else clauses[0]
        grouped = self._group(select, here, full=False), self._group(select, here, full=True)
        for projection in select.expressions:
            name = projection.alias_or_name
            value = projection.unalias()
            pure, full = self.text(value, here, False), self.text(value, here, True)
            if any(not isinstance(a.parent, exp.Window) for a in value.find_all(exp.AggFunc)):
                pure = _digest("group", pure, grouped[0]) if grouped[0] else pure
                full = _digest("group", full, grouped[1], found.rows)
            passed = here.resolve(value)[1] if isinstance(value, exp.Column) else ""
            found.columns[name] = ColumnMeaning(pure, full, self._origins(value, here), passed)
            self._note(value, here)
            for window in value.find_all(exp.Window):
                for part in window.args.get("partition_by") or []:
                    found.filters |= self._origins(part, here)
        if select.args.get("distinct"):
            texts = sorted(c.full for c in found.columns.values())
            found.rows = _digest("distinct", found.rows, *texts)
        # Whatever is long stays short, or models on models would grow without end.
        found.columns = {
            name: ColumnMeaning(_short(c.pure), _short(c.full), c.origins, c.of)
            for name, c in found.columns.items()
        }
        if select.is_star:
            found.open_ended = True
        return found

    def _source(self, node: exp.Expression, source: object, here: _Select) -> Relation:
        if isinstance(source, exp.Table):
            return self.table(source)
        assert isinstance(source, Scope)
        expression = source.expression
        if isinstance(expression, exp.UDTF):
            text = "unnest" + _digest(
                *(self.text(e, here, True) for e in _arguments(expression)),
                str(bool(expression.args.get("offset"))),
            )
            origins = frozenset().union(*(self._origins(e, here) for e in _arguments(expression)))
            return _Unnested(text, origins)
        return self.relation(source, None)

    def _rows(self, select: exp.Select, here: _Select) -> list[str]:
        """What decides about the rows of a SELECT; one text when it passes a source through."""
        joins = select.args.get("joins") or []
        conditions = list(_conjuncts(select.args.get("where")))
        inner = all(not j.side and j.kind in ("", "INNER", "CROSS") for j in joins)
        labels = list(here.labels.values())
        if inner:
            for join in joins:
                conditions += _conjuncts(join.args.get("on"))
            parts = sorted(labels) or ["nothing"]
        else:
            parts = labels[: len(labels) - len(joins)]
            for join, (alias, label) in zip(
                joins, list(here.labels.items())[len(parts) :], strict=False
            ):
                del alias
                on = sorted(self.text(c, here, True) for c in _conjuncts(join.args.get("on")))
                parts.append(f"{join.side} {join.kind}:{label}:{_digest(*on)}")
        for join in joins:
            for part in _conjuncts(join.args.get("on")):
                here.found.filters |= self._origins(part, here)
                self._note(part, here)
        texts = sorted({self.text(c, here, True) for c in conditions} - {"true"})
        parts += [f"where:{text}" for text in texts]
        for key in ("group", "having", "qualify", "limit", "offset"):
            clause = select.args.get(key)
            if clause is None:
                continue
            text = (
                self._group(select, here, True) if key == "group" else self.text(clause, here, True)
            )
            parts.append(f"{key}:{text}")
            conditions.append(clause)
        if select.args.get("limit") and select.args.get("order"):
            parts.append(f"order:{self.text(select.args['order'], here, True)}")
        if not select.args.get("group") and _aggregates(select):
            parts.append("one row")
        for condition in conditions:
            here.found.filters |= self._origins(condition, here)
            self._note(condition, here)
        return parts

    def _group(self, select: exp.Select, here: _Select, full: bool) -> str:
        group = select.args.get("group")
        if group is None:
            return ""
        by_name = {e.alias_or_name: e.unalias() for e in select.expressions}
        keys = []
        for key in group.expressions:
            if isinstance(key, exp.Literal) and key.name.isdigit():
                key = select.expressions[int(key.name) - 1].unalias()
            elif isinstance(key, exp.Column) and not key.table and key.name in by_name:
                key = by_name[key.name]
            keys.append(self.text(key, here, full))
        others = [
            self.text(v, here, full)
            for k, v in group.args.items()
            if k != "expressions" and v and not isinstance(v, list | bool)
        ]
        return _digest("keys", *sorted(set(keys)), *others)

    def _origins(self, node: exp.Expression, here: _Select) -> frozenset[Origin]:
        found: set[Origin] = set()
        for column in node.find_all(exp.Column):
            found |= here.resolve(column)[0].origins
        for query in node.find_all(exp.Query):
            scope = here.scopes.get(id(query))
            if scope is not None:
                inner = self.relation(scope, here)
                here.found.filters |= inner.filters
                here.found.compared |= inner.compared
                for column in inner.columns.values():
                    found |= column.origins
        return frozenset(found)

    def _note(self, node: exp.Expression, here: _Select) -> None:
        """Remember which constants columns are compared with."""
        for test in node.find_all(exp.EQ, exp.NEQ, exp.In):
            values = test.expressions if isinstance(test, exp.In) else [test.left, test.right]
            constants = [v.name for v in values if isinstance(v, exp.Literal)]
            columns = (
                test.this.find_all(exp.Column)
                if isinstance(test, exp.In)
                else test.find_all(exp.Column)
            )
            for column in columns:
                for table, name in here.resolve(column)[0].origins:
                    here.found.compared |= {(table, name, constant) for constant in constants}

    def text(self, node: object, here: _Select, full: bool) -> str:
        """One text for an expression: structure only, sources by meaning."""
        if isinstance(node, list):
            return "[" + ",".join(self.text(item, here, full) for item in node) + "]"
        if not isinstance(node, exp.Expression):
            return str(node).lower()
        if isinstance(node, exp.Paren | exp.Alias):
            return self.text(node.this, here, full)
        if isinstance(node, exp.Column):
            meaning, label = here.resolve(node)
            copy = label.partition("#")[2]
            if not full:
                return f"{meaning.pure}#{copy}" if copy else meaning.pure
            return meaning.full if meaning.of == label else f"{meaning.full}@{label}"
        if isinstance(node, exp.Cast) and _same_type(node):
            return self.text(node.this, here, full)
        if isinstance(node, exp.Literal):
            return _literal(node)
        if isinstance(node, exp.Identifier):
            return node.name.lower()
        if isinstance(node, exp.Query):
            scope = here.scopes.get(id(node)) or here.scopes.get(id(node.unnest()))
            if scope is not None:
                inner = self.relation(scope, here)
                return _digest(
                    inner.rows, *(c.full if full else c.pure for c in inner.columns.values())
                )
        if isinstance(node, exp.Count) and isinstance(node.this, exp.Star | exp.Literal):
            return "count(*)"
        for kind, mirrored in _MIRRORED.items():
            if type(node) is kind:
                node = mirrored(this=node.args["expression"], expression=node.this)
        if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
            node = exp.Case(
                ifs=[exp.If(this=node.this, true=node.args.get("true"))],
                default=node.args.get("false"),
            )
        if isinstance(node, exp.And | exp.Or | exp.Add | exp.Mul):
            parts: Iterable[str] = sorted(self.text(p, here, full) for p in node.flatten())
            if isinstance(node, exp.And | exp.Or):
                parts = sorted(set(parts))
            return f"{node.key}({','.join(parts)})"
        if isinstance(node, exp.EQ | exp.NEQ):
            pair = sorted((self.text(node.left, here, full), self.text(node.right, here, full)))
            return f"{node.key}({','.join(pair)})"
        if isinstance(node, exp.In) and node.expressions:
            values = sorted({self.text(e, here, full) for e in node.expressions})
            if len(values) == 1:
                return f"eq({','.join(sorted((self.text(node.this, here, full), values[0])))})"
            return f"in({self.text(node.this, here, full)},{','.join(values)})"
        parts = []
        for key, value in node.args.items():
            if value is None or value is False or value == []:
                continue
            if key == "partition_by":
                parts.append("by=" + ",".join(sorted(self.text(v, here, full) for v in value)))
            else:
                parts.append(f"{key}={self.text(value, here, full)}")
        return f"{node.key}({';'.join(parts)})"


class _Unnested(Relation):
    """The rows of an array: each of its columns comes from the array."""

    def __init__(self, rows: str, origins: frozenset[Origin]) -> None:
        super().__init__(rows)
        self._origins = origins

    def column(self, name: str) -> ColumnMeaning:
        del name
        return ColumnMeaning(self.rows, self.rows, self._origins)


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    if isinstance(node, exp.Unnest):
        return list(node.expressions)
    return [node.this] if isinstance(node.this, exp.Expression) else []


def _conjuncts(node: exp.Expression | None) -> list[exp.Expression]:
    if node is None:
        return []
    if isinstance(node, exp.Where):
        node = node.this
    node = node.unnest()
    return (
        [part for p in node.flatten() for part in _conjuncts(p)]
        if isinstance(node, exp.And)
        else [node]
    )


def _aggregates(select: exp.Select) -> bool:
    return any(
        not isinstance(a.parent, exp.Window) and a.parent_select is select
        for e in select.expressions
        for a in e.find_all(exp.AggFunc)
    )


def _same_type(cast: exp.Cast) -> bool:
    inner = cast.this.type
    return inner is not None and inner == cast.to and not isinstance(cast, exp.TryCast)


def _literal(node: exp.Literal) -> str:
    if node.is_string:
        return f"'{node.name}'"
    try:
        return format(Decimal(node.name).normalize(), "f")
    except InvalidOperation:
        return node.name
