"""What BigQuery's planner refuses, and no analyzer of types sees: joins, subqueries, literals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from mesh.contracts.constraints.pattern import refused as pattern_refused

Problem = tuple[str, str]
"""What is wrong and what to do, in words, and a phrase of the statement by which it is found."""

_REGEXPS = (
    exp.RegexpLike,
    exp.RegexpExtract,
    exp.RegexpExtractAll,
    exp.RegexpReplace,
    exp.RegexpInstr,
)
_JSON_READERS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONExtractArray, exp.JSONValueArray)
_JSON_PATH = re.compile(
    r"(lax (recursive )?)?\$(\.[\w-]+|\.\"[^\"]*\"|\[\d+\]|\['[^']*'\]|\[\"[^\"]*\"\])*", re.UNICODE
)
_TIMES = {
    exp.DataType.Type.DATE: "DATE",
    exp.DataType.Type.TIMESTAMPTZ: "TIMESTAMP",
    exp.DataType.Type.TIMESTAMP: "DATETIME",
    exp.DataType.Type.TIME: "TIME",
}


def planner_limits(query: exp.Expr, refused: Callable[[str], str | None]) -> Iterator[Problem]:
    """All that is wrong in a query whose names and types are right.

    refused: what the analyzer says against a statement, if anything.
    """
    yield from _outer_joins(query)
    yield from _subqueries(query)
    yield from _samples(query)
    yield from _patterns(query)
    yield from _json_paths(query)
    yield from _times(query, refused)


def _outer_joins(query: exp.Expr) -> Iterator[Problem]:
    for join in query.find_all(exp.Join):
        condition, joined = join.args.get("on"), join.alias_or_name
        if not join.side or join.args.get("using") or isinstance(join.this, exp.Unnest):
            continue
        if condition is not None and any(_links(part, joined) for part in _parts(condition)):
            continue
        yield (
            f"BigQuery joins {joined} by {join.side} JOIN only where ON has an equality of columns "
            "from both sides: add one, or take an INNER or CROSS JOIN.",
            f"`{joined}`",
        )


def _links(condition: exp.Expr, table: str) -> bool:
    """Whether a condition says that something of the table equals something of the others."""
    if not isinstance(condition, exp.EQ):
        return False
    sides = [_tables(condition.left), _tables(condition.right)]
    if any("" in side for side in sides):
        return True
    return any(
        mine == {table} and theirs and table not in theirs
        for mine, theirs in (sides, reversed(sides))
    )


def _tables(side: exp.Expr) -> set[str]:
    return {column.table for column in side.find_all(exp.Column)}


def _parts(condition: exp.Expr) -> list[exp.Expr]:
    condition = condition.unnest()
    parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    return [part.unnest() for part in parts]


def _subqueries(query: exp.Expr) -> Iterator[Problem]:
    for scope in traverse_scope(query):
        outer = {column.table for column in scope.external_columns}
        if (
            not scope.is_correlated_subquery
            or not outer
            or not isinstance(scope.expression, exp.Select)
        ):
            continue
        read = [alias for alias, source in scope.sources.items() if _is_table(source)]
        read = [alias for alias in read if alias not in outer]
        if not read:
            continue
        where = scope.expression.args.get("where")
        linked = where is not None and any(
            _links(part, table) for part in _parts(where.this) for table in outer
        )
        limited = scope.expression.args.get("limit") and not scope.expression.find_ancestor(
            exp.Exists
        )
        if not linked or limited:
            yield (
                f"BigQuery cannot turn the subquery over {', '.join(read)} into a join: compare a "
                "column of it with the outer query's by =, without LIMIT, or write the join.",
                f"`{read[0]}`",
            )


def _is_table(source: exp.Expr | Scope) -> bool:
    if isinstance(source, Scope):
        return not isinstance(source.expression, exp.Unnest)
    return isinstance(source, exp.Table)


def _samples(query: exp.Expr) -> Iterator[Problem]:
    for sample in query.find_all(exp.TableSample):
        method = sample.text("method").upper()
        if method != "SYSTEM":
            yield f"BigQuery samples a table by SYSTEM alone, not by {method}.", method


def _patterns(query: exp.Expr) -> Iterator[Problem]:
    for function in query.find_all(*_REGEXPS):
        pattern = function.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            continue
        # RE2, which is DuckDB's too.
        if wrong := pattern_refused(pattern.name):
            yield (
                f"BigQuery cannot read the regular expression {pattern.name!r}: {wrong}.",
                (pattern.sql(dialect="bigquery")),
            )


def _json_paths(query: exp.Expr) -> Iterator[Problem]:
    for function in query.find_all(*_JSON_READERS):
        path = function.expression
        if isinstance(path, exp.Literal) and not _JSON_PATH.fullmatch(path.name):
            yield (
                f"BigQuery cannot read the JSON path {path.name!r}: write $.name or $[0].",
                (path.sql(dialect="bigquery")),
            )


def _times(query: exp.Expr, refused: Callable[[str], str | None]) -> Iterator[Problem]:
    for cast in query.find_all(exp.Cast):
        literal, name = cast.this, _TIMES.get(cast.to.this)
        if type(cast) is not exp.Cast or name is None or not isinstance(literal, exp.Literal):
            continue
        text = literal.sql(dialect="bigquery")
        if literal.is_string and (said := refused(f"SELECT {name} {text}")):
            yield f"BigQuery refuses the text {text} as a {name}: {said}", text
