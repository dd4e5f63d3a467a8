"""Which columns and which partitions of which stored tables a query reads.

Views are put into the query, as BigQuery does; then SQLGlot's optimizer takes out what is not
needed. A table that stands twice in a query is counted once, with all columns and partitions that
either place needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer import optimize
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.pushdown_predicates import pushdown_predicates
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from mesh.cost.sizes import Scan, TableSize

_RULES = (qualify, pushdown_projections, pushdown_predicates)
_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}
_TRUNCATIONS = (exp.Cast, exp.Date, exp.TsOrDsToDate, exp.DateTrunc, exp.TimestampTrunc)


@dataclass(frozen=True)
class Relations:
    """All that a query may read, by `schema.name`.

    schemas: columns and BigQuery types. views: the queries of those that are views. sizes: of
    the stored ones.
    """

    schemas: Mapping[str, Mapping[str, str]]
    views: Mapping[str, exp.Expr]
    sizes: Mapping[str, TableSize]

    @cached_property
    def known(self) -> MappingSchema:
        """The schemas as SQLGlot's optimizer wants them."""
        schema: dict[str, Any] = {}
        for name, columns in self.schemas.items():
            database, table = name.split(".")
            schema.setdefault(database, {})[table] = {
                column.lower(): type_ for column, type_ in columns.items()
            }
        return MappingSchema(schema, dialect="bigquery")


@dataclass
class _Read:
    columns: set[str] = field(default_factory=set)
    first: date | None = None
    last: date | None = None
    seen: bool = False

    def add(self, columns: set[str], first: date | None, last: date | None) -> None:
        """Another place where the table is read."""
        self.columns |= columns
        if not self.seen:
            self.first, self.last, self.seen = first, last, True
            return
        self.first = min(self.first, first) if self.first and first else None
        self.last = max(self.last, last) if self.last and last else None


def scan(query: exp.Expr, relations: Relations) -> Scan:
    """The bytes that BigQuery would count for a query."""
    return _sized(_reads(query, relations), relations)


def _sized(reads: Mapping[str, _Read], relations: Relations) -> Scan:
    tables = {}
    for name, read in reads.items():
        size = relations.sizes.get(name)
        if size is None:
            continue
        rows = size.rows_between(read.first, read.last)
        widths = size.columns
        tables[name] = rows * sum(widths.get(column, 8.0) for column in read.columns)
    return Scan(tables)


def _reads(query: exp.Expr, relations: Relations) -> dict[str, _Read]:
    expanded = _with_views(query.copy(), relations)
    try:
        optimized = optimize(
            expanded,
            schema=relations.known,
            dialect="bigquery",
            rules=_RULES,
            validate_qualify_columns=False,
        )
    except SqlglotError:
        optimized = annotate_types(expanded)
    reads: dict[str, _Read] = {}
    for scope in traverse_scope(optimized):
        for alias, source in scope.sources.items():
            if not isinstance(source, exp.Table):
                continue
            name = f"{source.db}.{source.name}"
            size = relations.sizes.get(name)
            columns = {column.name.lower() for column in scope.source_columns(alias)}
            known = {column.lower() for column in relations.schemas.get(name, {})}
            first, last = _bounds(scope, alias, size.partition_column if size else None)
            reads.setdefault(name, _Read()).add(columns & known, first, last)
    return reads


def _with_views(query: exp.Expr, relations: Relations) -> exp.Expr:
    """The query with each view's query in the view's place."""
    for table in list(query.find_all(exp.Table)):
        name = f"{table.db}.{table.name}"
        if table.args.get("catalog"):
            table.set("catalog", None)
        if name in relations.views:
            view = _with_views(relations.views[name].copy(), relations)
            alias = table.alias or table.name
            table.replace(
                exp.Subquery(this=view, alias=exp.TableAlias(this=exp.to_identifier(alias)))
            )
    return query


def _bounds(scope: Scope, alias: str, column: str | None) -> tuple[date | None, date | None]:
    """First and last day of the partitions that the conditions of a query leave."""
    first: date | None = None
    last: date | None = None
    where = scope.expression.args.get("where")
    if column is None or where is None:
        return None, None
    for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        low, high = _limits(condition.unnest(), alias, column)
        first = max(filter(None, (first, low)), default=None)
        last = min(filter(None, (last, high)), default=None)
    return first, last


def _limits(condition: exp.Expr, alias: str, column: str) -> tuple[date | None, date | None]:
    if isinstance(condition, exp.Between) and _is_column(condition.this, alias, column):
        return _day(condition.args["low"]), _day(condition.args["high"])
    if not isinstance(condition, tuple(_FLIPPED)):
        return None, None
    left, right = condition.this, condition.expression
    kind: type[exp.Expr]
    if _is_column(left, alias, column):
        day, kind = _day(right), type(condition)
    elif _is_column(right, alias, column):
        day, kind = _day(left), _FLIPPED[type(condition)]
    else:
        return None, None
    if kind is exp.EQ:
        return day, day
    return (day, None) if kind in (exp.GT, exp.GTE) else (None, day)


def _is_column(side: exp.Expr, alias: str, column: str) -> bool:
    side = side.unnest()
    while isinstance(side, _TRUNCATIONS) and side.this is not None:
        side = side.this.unnest()
    return (
        isinstance(side, exp.Column)
        and side.name.lower() == column.lower()
        and side.table in ("", alias)
    )


def _day(side: exp.Expr) -> date | None:
    literal = side.find(exp.Literal)
    if literal is None or side.find(exp.Column) is not None:
        return None
    try:
        return date.fromisoformat(literal.name[:10])
    except ValueError:
        return None
