"""Which rule of a contract an engine could not ask: an audit asks all of them in one query.

A rule may meet a value that it cannot work with, such as text that is no number in a CAST, or a
division by 0. The engine then ends the query in words of its own, which name no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.utils.errors import SQLMeshError

from mesh.contracts.audits import AUDIT, BREAKS, rules_of
from mesh.contracts.load import find
from mesh.errors import MeshError
from mesh.project import find_project, project_around
from mesh.words import listed
from mesh.wrapping import wrap

if TYPE_CHECKING:
    from sqlmesh.core.audit import Audit
    from sqlmesh.core.snapshot import Snapshot

ARGUMENTS = ("rows", "tables")
Rules = Sequence[tuple[str, exp.Expr]]
"""Rules of an audit, each with the argument in which it stands."""


@cache
def install() -> None:
    """Let SQLMesh tell which rule it was, once per process."""
    wrap(SnapshotEvaluator, "_audit", _telling)


def _telling(
    original: Any,
    evaluator: SnapshotEvaluator,
    audit: Audit,
    audit_args: dict[str, Any],
    snapshot: Snapshot,
    *args: Any,
    **kwargs: Any,
) -> Any:
    def asks(some: Rules) -> bool:
        given = {name: _tuple([rule for at, rule in some if at == name]) for name in ARGUMENTS}
        try:
            original(evaluator, audit, {**audit_args, **given}, snapshot, *args, **kwargs)
        except Exception as error:
            return BREAKS in str(error)
        return True

    try:
        return original(evaluator, audit, audit_args, snapshot, *args, **kwargs)
    except Exception as error:
        if audit.name != AUDIT or BREAKS in str(error):
            raise
        rules = [(name, rule) for name in ARGUMENTS for rule in rules_of(audit_args[name])]
        refused = [rule.expressions[0].name for _, rule in _refused(rules, asks)]
        # Where none can be asked alone, as in a transaction that the first one ended, none is told.
        if not refused or 1 < len(rules) == len(refused):
            raise
        product = audit_args["product"].name
        told = [_placed(product, rule, snapshot) for rule in refused]
        raise SQLMeshError(
            f"{product} has rows of which its contract cannot ask {listed(told, 5)}. Let the rule "
            f"say what is right of them too, as with SAFE_CAST or NULLIF. {error}"
        ) from error


def _refused(rules: Rules, asks: Callable[[Rules], bool]) -> Rules:
    """Those of several rules that end the query each by itself, found by halves."""
    if asks(rules):
        return []
    if len(rules) == 1:
        return rules
    half = len(rules) // 2
    return [*_refused(rules[:half], asks), *_refused(rules[half:], asks)]


def _placed(product: str, rule: str, snapshot: Snapshot) -> str:
    """A rule with the place where it stands, if that can be told."""
    with suppress(MeshError):
        project = project_around(Path(snapshot.model._path or "")) or find_project()
        contract = find(product, project.contracts)
        lines = [
            one.line for one in (*contract.row_rules(), *contract.table_rules()) if one.id == rule
        ]
        if lines:
            return f"`{rule}` ({contract.location(lines[0])})"
    return f"`{rule}`"


def _tuple(rules: Sequence[exp.Expr]) -> exp.Expr:
    return exp.Tuple(expressions=[rule.copy() for rule in rules]) if rules else exp.Null()
