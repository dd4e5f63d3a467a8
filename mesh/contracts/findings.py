"""What a check of the lint says of a place in a contract, and what a check is for."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from mesh.files.problems import FileInvalid, FileKind, nearest, shown, suggestion
from mesh.files.tree import Steps

# Begins what a draft leaves to its author; lint refuses to have it published.
TODO = "TODO"
DRAFT_ONE = "`mesh contracts new MODEL` drafts the first one."
# A sign of comparison, or a minus before a number, is a word too.
_WORD = re.compile(r"[\w%€$]+|[<>≤≥≠]=?|(?<!\w)[-−](?=\d)")


class ContractInvalid(FileInvalid):
    """A contract that cannot be relied on."""

    command = "mesh contracts lint"


CONTRACT = FileKind("contract", "`apiVersion: v3.2.0`", ContractInvalid)


@dataclass(frozen=True)
class Finding:
    """What is wrong at these steps of the file, or nearest to them, and what to write instead."""

    steps: Steps
    message: str
    fix: str


Found = Iterator[Finding]
NOT_ENFORCED = "is part of the standard, not enforced here"


def odd_value(
    key: str,
    value: object,
    known: Iterable[str],
    *,
    of: Container[str] | None = None,
    noun: str = "",
) -> tuple[str, str]:
    """What to say of a value that is none of those enforced here, and what to write instead.

    of: all that the standard knows; without it, it takes any text, and what is near to a known
    value is misspelt. noun: what a value is called, if not as its key.
    """
    misspelt = nearest(str(value), known) is not None if of is None else value not in of
    if misspelt:
        return f"`{shown(value)}` is no {noun or key}.", suggestion(str(value), known)
    listed = ", ".join(f"`{one}`" for one in known)
    return f"`{key}: {shown(value)}` {NOT_ENFORCED}.", f"Enforced are: {listed}."


@dataclass(frozen=True)
class Purpose:
    """Under which id a check's findings are told, and what a reader would lose without it."""

    id: str
    sentence: str


def same_words(old: str, new: str) -> bool:
    """Whether two texts differ in spaces, punctuation and capitals at the most."""
    return _WORD.findall(old.lower()) == _WORD.findall(new.lower())
