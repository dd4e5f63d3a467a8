"""What an incremental kind says of how rows are kept up, and whether a batch decides about them."""

from __future__ import annotations

import ast
import re

import sqlmesh.core.dialect as d
import sqlmesh.core.model as core
from sqlglot import exp
from sqlmesh.core.model.kind import TimeColumn

from .code import texts

# How a table is filled, which says nothing about its rows, unless a batch decides about them.
_PACE = frozenset({"name", "dialect", "batch_size", "batch_concurrency"})
_OF_TIME = re.compile(r"\b(start|end)_(?:date|ds|dtntz|dt|epoch|hour|millis|tstz|ts)\b")


def upkeep(model: core.Model, query: exp.Expr | None) -> dict[str, str]:
    """By its names; query: as it was rendered."""
    kind = model.kind
    if not kind.is_incremental:
        return {}
    stated = {name: value for name, value in kind if name not in _PACE and value}
    if kind.is_incremental_by_partition:
        stated["partitioned_by"] = model.partitioned_by
    if _by_batch(model, query):
        stated["interval_unit"] = model.interval_unit.value
        stated["batch_size"] = model.batch_size or "of all that is missing"
    return {name: _said(value, model.dialect) for name, value in stated.items()}


def _said(value: object, dialect: str) -> str:
    if isinstance(value, list):
        return ", ".join(_said(one, dialect) for one in value)
    if isinstance(value, TimeColumn):
        value = value.column
    return (
        value.sql(dialect) if isinstance(value, exp.Expr) else str(getattr(value, "value", value))
    )


def _by_batch(model: core.Model, query: exp.Expr | None) -> bool:
    """Whether a model has other rows where it is filled in other batches.

    It has where it reads what the batch before has left, asks for the end of a batch and not for
    its start, or makes rows of several that need not be in one batch.
    """
    if model.depends_on_self or _ends(model) == {"end"}:
        return True
    if query is None:
        return False
    written, plain = query, False
    if isinstance(model, core.SqlModel) and isinstance(model.query, exp.Query):
        written, plain = model.query, True
    several: list[exp.Expr] = [*written.find_all(exp.Limit)]
    if model.kind.is_incremental_by_unique_key:
        several += written.find_all(exp.AggFunc, exp.Window)
    else:
        several += (one for one in written.find_all(exp.Window) if not _within(model, one))
    # Where nothing is known of the text, each may be made of a batch.
    return any(not plain or _of_batch(one, written) for one in several)


def _of_batch(node: exp.Expr, query: exp.Expr) -> bool:
    """Whether what is made of several rows is made of those of a batch: they are picked by its
    ends in the same step, or in one that this reads, and not behind it."""
    steps = {cte.alias: cte.this for cte in query.find_all(exp.CTE)}
    waiting: list[exp.Expr] = [node.find_ancestor(exp.Query) or query]
    seen: set[str] = set()
    while waiting:
        step = waiting.pop()
        # The steps before it stand within the last one.
        own = list(step.walk(prune=lambda one: isinstance(one, exp.With)))
        if any(isinstance(one, d.MacroVar) and _OF_TIME.search(one.name.lower()) for one in own):
            return True
        read = {one.name for one in own if isinstance(one, exp.Table) and not one.db} - seen
        seen |= read
        waiting += [steps[name] for name in read if name in steps]
    return False


def _ends(model: core.Model) -> set[str]:
    """Which ends of a batch a model asks for."""
    if isinstance(model, core.PythonModel):
        code = ast.parse(model.python_env[model.entrypoint].payload)
        return {one.id for one in ast.walk(code) if isinstance(one, ast.Name)} & {"start", "end"}
    if not isinstance(model, core.SqlModel):
        return set()
    asked = [node.name.lower() for node in model.query.find_all(d.MacroVar)]
    if isinstance(model.query, d.JinjaQuery):
        asked.append(model.query.name)
    return {end for text in (*asked, *texts(model).values()) for end in _OF_TIME.findall(text)}


def _within(model: core.Model, window: exp.Window) -> bool:
    """Whether a window sees rows of one moment alone, which are all in one batch."""
    time = model.time_column.column.name if model.time_column else None
    parts = window.args.get("partition_by") or []
    return any(isinstance(part, exp.Column) and part.name == time for part in parts)
