"""What is wrong with a file: findings with a place, and the words that all of them share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mesh.errors import CheckFailed, Location
from mesh.project import display

# What can be wrong with a file whatever it is for: id and purpose. Each kind has more of its own.
RULES: dict[str, str] = {
    "FILE_NAME": "A file has the name by which it is found; nobody misses one that is left out.",
    "FILE_UNREADABLE": "A file is UTF-8 text of moderate size.",
    "YAML_INVALID": "A file is one YAML document: a mapping, without tags and merge keys.",
    "YAML_TOO_LARGE": "Anchors and nesting must not blow a small file up.",
    "KEY_DUPLICATE": "A key stands once; otherwise one of two statements is lost without a word.",
    "KEY_UNKNOWN": "A misspelt key is a promise that nobody keeps.",
    "KEY_UNSUPPORTED": "What the standard allows but no gate enforces would be a false promise.",
    "KEY_MISSING": "What a file must say is said in it.",
    "KIND_UNKNOWN": "What comes in several kinds is of one of them.",
    "VALUE": "A value has the size and the form that its key asks for.",
    "VALUE_WRONG_TYPE": "A value has the type that its key asks for.",
}


@dataclass(frozen=True, order=True)
class Problem:
    """One finding: where (lines from 1), which rule, what is wrong, what to write instead."""

    path: Path
    line: int
    rule: str
    message: str
    fix: str

    @property
    def where(self) -> Location:
        return Location(display(self.path), self.line)

    def as_data(self) -> dict[str, Any]:
        """The same for machines."""
        more = {key: value for key, value in vars(self).items() if key != "path"}
        return {"file": str(display(self.path)), **more}

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.message} {self.fix}".rstrip()


class FileInvalid(CheckFailed):
    """A file that cannot be relied on; `problems` holds all that was found, sorted.

    command: which shows all of them.
    """

    command: ClassVar[str]

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(sorted(set(problems)))
        first = self.problems[0]
        more = len(self.problems) - 1
        fix = first.fix
        if more:
            fix += f" There {'is' if more == 1 else 'are'} {more} more: run `{self.command}`."
        super().__init__(first.message, where=first.where, fix=fix)


@dataclass(frozen=True)
class FileKind:
    """What a file is to its reader.

    name: what it is called, as `contract`. begins: its first keys, as they are shown.
    invalid: the error for one that cannot be relied on.
    """

    name: str
    begins: str
    invalid: type[FileInvalid]


def shown(value: object, limit: int = 60) -> str:
    """A value as it can stand in a message: one line, printable, not too long."""
    text = "".join(c if c.isprintable() else " " for c in " ".join(str(value).split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What a word may be a misspelling of."""
    lower = {option.lower(): option for option in known}
    near = difflib.get_close_matches(word.lower()[:80], list(lower), n=1, cutoff=0.6)
    return lower[near[0]] if near else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """`Did you mean x?`, or what there is to choose from when nothing is near."""
    options = sorted(known)
    if near := nearest(word, options):
        return f"Did you mean `{near}`?"
    listed = ", ".join(f"`{option}`" for option in options)
    return f"Known are: {listed}." if listed else "There is none to name yet: write it first."
