"""What a plan shows of a model that became another: what somebody wrote otherwise, and no more.

SQLMesh keeps the arguments of audits as text of no dialect. Read again, IF has become CASE; a
contract's rules would fill the difference of a model in which one word was changed.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from sqlglot import parse_one
from sqlmesh.core.model.definition import _Model


def install() -> None:
    """Hold both sides in the words in which the state has one of them."""
    written: Any = _Model.text_diff

    @wraps(written)
    def text_diff(model: _Model, other: Any, rendered: bool = False) -> str:
        if isinstance(other, _Model):
            other = _as_kept(other)
        return written(_as_kept(model), other, rendered)

    own: Any = _Model
    own.text_diff = text_diff


def _as_kept(model: _Model) -> _Model:
    audits = [
        (name, {key: parse_one(value.sql()) for key, value in arguments.items()})
        for name, arguments in model.audits
    ]
    return model.copy(update={"audits": audits})
