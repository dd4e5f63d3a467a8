"""Copies of SQLGlot's expressions, without a detour for each name in them.

SQLGlot notes of each name where it stood in its text, and copies that note by `copy.deepcopy`,
which takes longer for four numbers than for the name itself. SQLMesh copies a query for each step
of its rendering, and the audit of a contract is a query of thousands of names.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sqlglot import exp

# What nobody can change, so that two expressions may share it.
_FIXED = (str, int, float, bool, type(None))


def install() -> None:
    """Copy as SQLGlot does, but for notes, of which each copy gets a dict of its own."""
    own: Any = exp.Expression
    own.__deepcopy__ = _copied


def _copied(original: exp.Expr, _: Any) -> exp.Expr:
    root = original.__class__()
    stack: list[tuple[Any, Any]] = [(original, root)]
    while stack:
        node, copy = stack.pop()
        if node.comments is not None:
            copy.comments = list(node.comments)
        if node._type is not None:
            copy._type = deepcopy(node._type)
        if node._meta is not None:
            copy._meta = {
                key: note if isinstance(note, _FIXED) else deepcopy(note)
                for key, note in node._meta.items()
            }
        for key, value in node.args.items():
            if isinstance(value, exp.Expr):
                stack.append((value, value.__class__()))
                copy.set(key, stack[-1][1])
            elif isinstance(value, list):
                copy.args[key] = []
                for part in value:
                    if isinstance(part, exp.Expr):
                        stack.append((part, part.__class__()))
                        copy.append(key, stack[-1][1])
                    else:
                        copy.append(key, part)
            else:
                copy.args[key] = value
    return root
