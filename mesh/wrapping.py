"""Methods of SQLMesh's that do something more in this project."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


def wrap(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    """Let a method call the wrapper: with what it was before, and then with its own arguments."""
    original = getattr(owner, name)

    @wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapper(original, self, *args, **kwargs)

    setattr(owner, name, method)
