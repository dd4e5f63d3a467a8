"""Whether audits still notice what is wrong: each runs over rows that are made up.

What a check does says more than how it is written: it is asked in both revisions, and the answers
are compared. The rows stand in a DuckDB in memory; nothing of the project's database is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import duckdb
import sqlmesh.core.model as core
from sqlglot import exp
from sqlmesh import Context

from .facts import Audit, one_line

# It reads no file and writes none, also for what does not fit: as what `mesh` itself tries.
_TRYING: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "enable_external_access": False,
    "max_temp_directory_size": "0KiB",
    "memory_limit": "1GB",
    "threads": 1,
}
# SQLMesh renders for this day when it is told none.
_BUILT = "1970-01-01 12:00:00"
_BEFORE, _AFTER = "1900-02-03 04:05:06", "2999-12-30 23:59:59"
# A number with its step from column to column, a text, a time, a truth.
_Row = tuple[tuple[float, int] | None, str | None, str | None, bool | None]
_BROKEN: tuple[_Row, ...] = (
    (None, None, None, None),
    ((-999999937.37, 0), "", _BEFORE, False),
    *(((999999937.37, 0), " made up~", _AFTER, True),) * 2,
    ((-999999937.37, 0), "", _BUILT, False),
    *(((999999937.37, 0), " made up~", _BUILT, True),) * 2,
    ((100, 7), "made up", _BUILT, True),
    ((100, -7), "made up", _BUILT, False),
    (None, None, _BUILT, None),
)
_OTHER: _Row = ((17, 0), "other", _BUILT, True)


class Bench:
    """All tables of a project with one row each, of which one at a time is filled with others."""

    def __init__(self, context: Context) -> None:
        self._engine = duckdb.connect(":memory:", config=_TRYING)
        self._engine.execute("SET TimeZone = 'UTC'")
        self._columns: dict[str, Mapping[str, exp.DataType]] = {}
        for model in context.models.values():
            with suppress(Exception):
                self._create(model)

    def _create(self, model: core.Model) -> None:
        columns = model.columns_to_types or {}
        table = exp.to_table(model.fqn)
        if table.catalog:
            self._engine.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {_quoted(table.catalog)}")
        schema = exp.Table(this=table.args["db"], db=table.args.get("catalog"))
        self._engine.execute(f"CREATE SCHEMA IF NOT EXISTS {schema.sql('duckdb', identify=True)}")
        stated = ", ".join(f"{_quoted(n)} {kind.sql('duckdb')}" for n, kind in columns.items())
        self._engine.execute(f"CREATE TABLE {_sql(table)} ({stated})")
        self._columns[model.fqn] = columns
        self._fill(model.fqn, (_OTHER,))

    def _fill(self, name: str, rows: tuple[_Row, ...]) -> None:
        table, columns = _sql(exp.to_table(name)), self._columns[name]
        self._engine.execute(f"DELETE FROM {table}")
        values = [
            ", ".join(_value(kind, row, n) for n, kind in enumerate(columns.values()))
            for row in rows
        ]
        if values:
            self._engine.execute(f"INSERT INTO {table} VALUES ({'), ('.join(values)})")

    def audits(self, model: core.Model) -> Iterator[Audit]:
        """The audits that run on a model, and what they notice."""
        for audit, arguments in model.audits_with_args:
            if not audit.skip:
                yield self._audit(model, audit, dict(arguments))

    def _audit(self, model: core.Model, audit: Any, told: dict[str, Any]) -> Audit:
        blocks = told.pop("blocking", None)
        said, problem, asked = "", "", ""
        filled = [n for n in (model.fqn, *self._named(told.get("source"))) if n in self._columns]
        try:
            query = model.render_audit_query(audit, **told).sql("duckdb", copy=False)
            # Each revision has a database of its own.
            anywhere = query.replace(f"{_quoted(exp.to_table(model.fqn).catalog)}.", "")
            asked = hashlib.sha256(anywhere.encode()).hexdigest()[:20]
            for rows in (_BROKEN, ()):
                for name in filled:
                    self._fill(name, rows)
                said += self._answer(query)
        except Exception as error:
            problem = one_line(error)
        for name in filled:
            self._fill(name, (_OTHER,))
        rules = _rules(told)
        found = [r for r in rules if re.search(rf"(?<![\w.]){re.escape(r)}(?!\w)", said)]
        return Audit(
            audit.name,
            blocking=audit.blocking if blocks is None else blocks == exp.true(),
            stated=", ".join(f"{k} := {v.sql('bigquery')}" for k, v in told.items()),
            product=told["product"].name if "product" in told else "",
            rules=rules,
            noticed=(*([""] if said else []), *found),
            problem=problem,
            code=audit.query.sql("bigquery", comments=False),
            asked=asked,
        )

    def _answer(self, query: str) -> str:
        """What a query finds; an audit may say it in an error of its own."""
        try:
            return "\n".join(map(str, self._engine.execute(query).fetchmany(10000)))
        except duckdb.InvalidInputException as error:
            return str(error)

    def _named(self, source: exp.Expr | None) -> Iterator[str]:
        """The table that an audit checks instead of the model's own."""
        if isinstance(source, exp.Column):
            end = [part.name for part in source.parts]
            for name in self._columns:
                if [part.name for part in exp.to_table(name).parts][-len(end) :] == end:
                    yield name


def _sql(table: exp.Table) -> str:
    return table.sql("duckdb", identify=True)


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("duckdb")


def _value(kind: exp.DataType, row: _Row, position: int) -> str:
    number, text, time, truth = row
    made: object = text
    if kind.is_type(*exp.DataType.NUMERIC_TYPES):
        made = None if number is None else f"{number[0] + number[1] * position}"
    elif kind.is_type(*exp.DataType.TEMPORAL_TYPES):
        return f"TRY_CAST(CAST({_text(time)} AS TIMESTAMP) AS {kind.sql('duckdb')})"
    elif kind.is_type(exp.DataType.Type.BOOLEAN):
        made = truth
    return f"TRY_CAST({_text(made)} AS {kind.sql('duckdb')})"


def _text(value: object) -> str:
    return "NULL" if value is None else exp.Literal.string(str(value)).sql("duckdb")


def _rules(arguments: Mapping[str, exp.Expr]) -> tuple[str, ...]:
    """The ids in an audit's arguments: the texts with which tuples begin."""
    found = {
        one.expressions[0].name
        for argument in arguments.values()
        for one in argument.find_all(exp.Tuple)
        if one.expressions and one.expressions[0].is_string and len(one.expressions) > 1
    }
    return tuple(sorted(found))
