"""What a plan shows of a model that became another: what somebody wrote otherwise, and no more.

SQLMesh keeps the arguments of audits as text of no dialect. Read again, IF has become CASE; a
contract's rules would fill the difference of a model in which one word was changed.
"""

from __future__ import annotations

from typing import Any

from sqlglot import parse_one
from sqlmesh.core.model.definition import _Model

from mesh.wrapping import wrap


def install() -> None:
    """Hold both sides in the words in which the state has one of them."""
    wrap(_Model, "text_diff", _text_diff)


def _text_diff(written: Any, model: _Model, other: Any, rendered: bool = False) -> str:
    return written(
        _as_kept(model), _as_kept(other) if isinstance(other, _Model) else other, rendered
    )


def _as_kept(model: _Model) -> _Model:
    audits = [
        (name, {key: parse_one(value.sql()) for key, value in arguments.items()})
        for name, arguments in model.audits
    ]
    return model.copy(update={"audits": audits})
