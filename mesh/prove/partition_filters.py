"""Tables that BigQuery lets nobody read without a filter on their partition column.

The filter stands beside the read, or further out: what is asked of a column that a subquery hands
on as it is, BigQuery asks of the table. A row that rests on others of the subquery, as a count, a
window or a LIMIT makes it, keeps a filter out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from mesh.environments.names import short_name
from mesh.prove.planner import Problem

if TYPE_CHECKING:
    from sqlmesh import Model

    from mesh.prove.project import BigQueryProject

REQUIRED = "require_partition_filter"
_COMPARISONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_TRUNCATIONS = (
    *(exp.Cast, exp.Date, exp.TsOrDsToDate),
    *(exp.DateTrunc, exp.DatetimeTrunc, exp.TimestampTrunc),
)
# Parts of a query by which a row rests on others.
_OF_SEVERAL_ROWS = ("group", "having", "distinct", "qualify", "limit", "offset")


def requires_filter(model: Model) -> bool:
    """Whether a model's table may be read with a filter on its partition column only."""
    required = model.physical_properties.get(REQUIRED)
    return required is not None and required != exp.false()


def filtered_tables(project: BigQueryProject) -> dict[str, str]:
    """Name of each table that may be read with a partition filter only -> its partition column.

    Both the model's name and its physical table's.
    """
    found = {}
    for name, model in project.models.items():
        if not requires_filter(model):
            continue
        for expression in model.partitioned_by:
            column = expression.find(exp.Column)
            if column is not None:
                found[name] = column.name
                found[short_name(project.table(name).sql("bigquery"))] = column.name
    return found


def unfiltered_reads(query: exp.Expr, required: Mapping[str, str]) -> Iterator[Problem]:
    """Tables that need a filter on their partition column and are read without."""
    if not required:
        return
    scopes = _Scopes(traverse_scope(query))
    for scope in scopes.all:
        # What an UNNEST can see beside itself is read by the SELECT that both stand in.
        for alias, (_, source) in scope.selected_sources.items():
            if not isinstance(source, exp.Table):
                continue
            column = required.get(f"{source.db}.{source.name}")
            if column is not None and not scopes.prune(scope, alias, column):
                yield (
                    f"{source.db}.{source.name} may be read only with a filter on its partition "
                    f"column: compare {column} with a constant in WHERE.",
                    f"`{source.db}`.`{source.name}`",
                )


class _Scopes:
    """The SELECTs and set operations of a statement, and which of them reads which."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self.all = list(scopes)
        self._readers: dict[int, list[tuple[Scope, str] | None]] = defaultdict(list)
        self._united: dict[int, Scope] = {}
        for scope in self.all:
            for alias, (read, source) in scope.selected_sources.items():
                if isinstance(source, Scope):
                    # What a PIVOT reads it counts before anything is left out.
                    reader = None if read.args.get("pivots") else (scope, alias)
                    self._readers[id(source.expression)].append(reader)
            for branch in scope.union_scopes or ():
                self._united[id(branch.expression)] = scope

    def prune(self, scope: Scope, alias: str, column: str) -> bool:
        """Whether rows of a source are left out by its column, here or by all who read this."""
        if any(prunes(one, alias, column) for one in _conditions(scope)):
            return True
        handed_on = list(_handed_on(scope.expression, alias, column))
        return any(self._prune_result(scope, position, name) for position, name in handed_on)

    def _prune_result(self, scope: Scope, position: int | None, name: str) -> bool:
        """The same for a column of what a SELECT or a set operation gives."""
        above = self._united.get(id(scope.expression))
        if above is not None:
            union = above.expression
            if not isinstance(union, exp.Union) or _rests_on_others(union):
                return False
            # Its columns are called as in its first branch.
            names = union.named_selects
            named = names[position] if position is not None and position < len(names) else name
            return self._prune_result(above, position, named)
        readers = self._readers[id(scope.expression)]
        return bool(readers) and all(one and self.prune(*one, name) for one in readers)


def _conditions(scope: Scope) -> Iterator[exp.Expr]:
    where = scope.expression.args.get("where")
    if where:
        yield where.this
    for join in scope.expression.args.get("joins") or []:
        if join.args.get("on") and not join.side:
            yield join.args["on"]


def _handed_on(select: exp.Expr, alias: str, column: str) -> Iterator[tuple[int | None, str]]:
    """Position and name under which a SELECT gives a column on as it is; after a * no position."""
    if not isinstance(select, exp.Select) or _rests_on_others(select):
        return
    counted = True
    for position, given in enumerate(select.expressions):
        inner = given.unalias().unnest()
        star = inner if isinstance(inner, exp.Star) else inner.this
        if isinstance(star, exp.Star):
            counted = False
            changed = [*(star.args.get("except_") or []), *(star.args.get("replace") or [])]
            renamed = star.args.get("rename") or []
            names = {one.alias_or_name.lower() for one in changed}
            names |= {one.this.name.lower() for one in renamed}
            of_source = not isinstance(inner, exp.Column) or inner.table == alias
            if of_source and column.lower() not in names:
                yield None, column
        elif _is_column(inner, alias, column):
            yield position if counted else None, given.alias_or_name


def _rests_on_others(query: exp.Expr) -> bool:
    """Whether a row of a query's result rests on several of those that it reads."""
    if any(query.args.get(part) for part in _OF_SEVERAL_ROWS):
        return True
    made = (part for one in query.expressions for part in one.find_all(exp.AggFunc, exp.Window))
    return any(part.find_ancestor(exp.Query) is query for part in made)


def prunes(condition: exp.Expr, alias: str, column: str) -> bool:
    """Whether BigQuery finds by a condition which partitions it need not read."""
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return any(prunes(part, alias, column) for part in (condition.left, condition.right))
    if isinstance(condition, exp.Or):
        return all(prunes(part, alias, column) for part in (condition.left, condition.right))
    if isinstance(condition, exp.Not) and isinstance(condition.this.unnest(), exp.Is):
        # Written as IS NOT NULL.
        condition = condition.this.unnest()
    kinds = (*_COMPARISONS, exp.Between, exp.In, exp.Is)
    if not isinstance(condition, kinds) or condition.args.get("unnest"):
        return False
    parts: list[exp.Expr] = list(condition.iter_expressions())
    if isinstance(condition, _COMPARISONS) and not _is_partition(parts[0], alias, column):
        parts.reverse()
    return _is_partition(parts[0], alias, column) and all(map(_is_constant, parts[1:]))


def _is_partition(side: exp.Expr, alias: str, column: str) -> bool:
    """The column, or a truncation of it, by which BigQuery still finds the partitions."""
    side = side.unnest()
    while isinstance(side, _TRUNCATIONS) and side.this is not None:
        side = side.this.unnest()
    return _is_column(side, alias, column)


def _is_column(side: exp.Expr, alias: str, column: str) -> bool:
    if not isinstance(side, exp.Column) or side.name.lower() != column.lower():
        return False
    return side.table in ("", alias)


def _is_constant(side: exp.Expr) -> bool:
    return side.find(exp.Column, exp.Query) is None
