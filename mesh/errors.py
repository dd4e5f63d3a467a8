"""Errors that a user can read: what is wrong, where, and what to do.

Everything in `mesh` that a user can cause raises one of these; the command line turns it into
one line on standard error and an exit code. Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mesh.plain import one_line
from mesh.secret import hidden


@dataclass(frozen=True)
class Location:
    """A place in a file that a user can open; lines are counted from 1."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        name = one_line(self.path)
        return name if self.line is None else f"{name}:{self.line}"


class MeshError(Exception):
    """Base of all errors with a message for a user.

    message: one clear sentence, saying what is wrong.
    where: the file, and the line in it, if there is one.
    fix: what to do about it, a sentence in the imperative.
    """

    exit_code = 2

    def __init__(self, message: str, *, where: Location | None = None, fix: str | None = None):
        # Often it passes on what an engine says of what it was configured with.
        message = hidden(message)
        super().__init__(message)
        self.message = message
        self.where = where
        self.fix = hidden(fix) if fix else fix

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.fix}" if self.fix else text


class WrongUse(MeshError):
    """The command cannot do what it was asked for: exit code 2."""

    exit_code = 2


class CheckFailed(MeshError):
    """The command worked, and what it checked is not in order: exit code 1."""

    exit_code = 1


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all its causes, the outermost first, also those that SQLMesh collects."""
    todo, seen = [error], set()
    while todo:
        each = todo.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [each.__cause__, each.__context__, *getattr(each, "errors_by_node", {}).values()]
        inner += [argument for argument in each.args if isinstance(argument, BaseException)]
        todo += [cause for cause in inner if isinstance(cause, BaseException)]
