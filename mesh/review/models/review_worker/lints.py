"""Which lint rules run on which model, and whether they still complain of what is wrong."""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlmesh.core.model as core
from sqlglot import exp
from sqlmesh import Context
from sqlmesh.core.console import NoopConsole
from sqlmesh.core.linter.definition import select_rules
from sqlmesh.core.linter.rule import Rule

from .facts import READS_EVERYTHING, LintRule, without

_NOT_OURS = {"sqlmesh", "builtins", "abc"}
_Made = tuple[str, core.Model, Any]


def lint_levels(context: Context, model: core.Model) -> dict[str, str]:
    """The lint rules that run on a model: `error`, or `warning`."""
    linter = context._linters.get(model.project)
    if linter is None or not linter.enabled:
        return {}
    ignored = {*select_rules(linter.all_rules, model.ignored_rules)}
    levels = dict.fromkeys(linter.warn_rules, "warning") | dict.fromkeys(linter.rules, "error")
    return {name: level for name, level in levels.items() if name not in ignored}


def lint_rules(context: Context) -> tuple[dict[str, LintRule], tuple[str, ...]]:
    """The lint rules that a project runs, and the made-up models of which they could complain."""
    linters = [one for one in context._linters.values() if one.enabled]
    made = list(_made_up(context)) if linters else []
    found = {
        name: _lint_rule(context, linter.all_rules[name], level, made)
        for linter in linters
        for level, rules in (("warning", linter.warn_rules), ("error", linter.rules))
        for name in rules
    }
    return found, tuple(what for what, _, _ in made)


def refused(context: Context, model: core.Model) -> tuple[str, ...]:
    """Why `sqlmesh lint` refuses a model, each as `rule: message`."""
    linter = context._linters.get(model.project)
    if linter is not None:
        with suppress(Exception):
            _, violations = linter.lint_model(model, context, NoopConsole())
            errors = (one for one in violations if one.violation_type == "error")
            return tuple(f"{one.rule.name}: {one.violation_msg}" for one in errors)
    return ()


def _lint_rule(context: Context, rule: type[Rule], level: str, made: list[_Made]) -> LintRule:
    said = []
    for what, model, around in made:
        try:
            if rule(around).check_model(model):
                said.append(what)
        except Exception:
            # It is not silent: a plan would stop here too.
            said.append(what)
    own = [one for one in rule.__mro__ if one.__module__.split(".")[0] not in _NOT_OURS]
    code, path, line = "", "", 1
    for one in reversed(own):
        with suppress(OSError, TypeError, SyntaxError):
            lines, line = inspect.getsourcelines(one)
            code += _code("".join(lines))
            path = os.path.relpath(inspect.getsourcefile(one) or "", context.path)
    if path.startswith(os.pardir):
        path, line = "", 1  # It is installed, and the project's change is elsewhere.
    digest = hashlib.sha256(code.encode()).hexdigest() if code else ""
    return LintRule(rule.name, level, path, line, digest, tuple(sorted(set(said))))


def _code(text: str) -> str:
    """Source without comments, docstrings and layout."""
    tree = ast.parse(textwrap.dedent(text))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def _made_up(context: Context) -> Iterator[_Made]:
    """Models with something wrong, each with what is wrong and what is around it.

    Of each schema the first model, and the first that is audited.
    """
    models = [m for _, m in sorted(context.models.items()) if not m.kind.is_external and m.is_sql]
    chosen = {(m.schema_name, bool(m.audits)): m for m in reversed(models)}.values()
    for model in chosen:
        name = f"{model.schema_name}.{exp.to_table(model.name).name}"
        yield f"{name} without audits", model.copy(update={"audits": []}), context
        grains = [exp.column("made_up")]
        yield f"{name} with another grain", model.copy(update={"grains": grains}), context
        others = {fqn: m for fqn, m in context.models.items() if fqn != model.fqn}
        beside = min(others.values(), key=lambda m: m.name, default=model)
        around = SimpleNamespace(models=others, path=context.path, config=context.config)
        yield without(name), beside, around
        star = " CROSS JOIN ".join(f"{_table(m)} AS t{n}" for n, m in enumerate(others.values()))
        for what, query in (
            ("with other columns", "SELECT 1 AS made_up"),
            (READS_EVERYTHING, f"SELECT * FROM {star}"),
        ):
            if star or "*" not in query:
                yield f"{name} {what}", _model(context, model, model.name, query), context
        new = exp.to_table(model.name)
        new.set("this", exp.to_identifier("made_up"))
        yield f"{name} that is new", _model(context, model, new.sql(), "SELECT 1 AS a"), context


def _table(model: core.Model) -> str:
    return exp.to_table(model.fqn).sql("bigquery", identify=True)


def _model(context: Context, like: core.Model, name: str, query: str) -> core.Model:
    return core.create_sql_model(
        name,
        exp.maybe_parse(query, dialect="bigquery"),
        path=Path(like._path or ""),
        dialect="bigquery",
        default_catalog=context.default_catalog,
        project=like.project,
    )
