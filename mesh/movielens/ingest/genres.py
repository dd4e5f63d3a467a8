"""The genres of a movie, as people write them, and which of them the contract knows.

A movie's genres are joined with a bar. Lists as Python prints them, and names between commas,
semicolons or slashes, are read as well, the latter only where all of them are known. Nothing that
means "none" is a genre.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.errors import WrongUse
from mesh.movielens.ingest.rules import BLANK_KINDS
from mesh.movielens.ingest.schema import MOVIES, SCHEMA

if TYPE_CHECKING:
    from mesh.contracts.model import Contract

NONE = "(no genres listed)"
KNOWN, UNKNOWN = "knownGenres", "unknownGenres"
TOLD, REFUSED = "told", "refused"
_NONES = {
    *("", "-", "--", "?", "nan", "nat", "none", "null", "nil", "n/a", "na", "<na>", "unknown"),
    *("no genres listed", NONE, r"\n"),
}
_BRACKETS = re.compile(r"[\[({](.*)[\])}]", re.DOTALL)
_QUOTED = re.compile(r"""\"([^"]*)"|'([^']*)'""")
_BETWEEN = re.compile("[,;/]")


@dataclass(frozen=True)
class Genres:
    """known: as the contract with the source spells them; none: it names none. refused: whether a
    delivery with others is. place: where they stand."""

    known: tuple[str, ...] = ()
    refused: bool = False
    place: str = "the contract with the source"

    @cached_property
    def _spelling(self) -> dict[str, str]:
        return {name.casefold(): name for name in self.known}

    def read(self, text: str) -> list[str]:
        """The genres in a text, each once."""
        found = (genre for part in _listed(text) for genre in self._names(_stripped(part)))
        return list(dict.fromkeys(found))

    def _names(self, text: str) -> Iterator[str]:
        if text.casefold() in _NONES:
            return
        parts = [_stripped(part).casefold() for part in _BETWEEN.split(text)]
        if text.casefold() not in self._spelling and all(
            part in self._spelling or part in _NONES for part in parts
        ):
            yield from (self._spelling[part] for part in parts if part in self._spelling)
        else:
            yield self._spelling.get(text.casefold(), text)

    def unknown(self, genres: list[str]) -> list[str]:
        """Those that the contract does not know."""
        return [genre for genre in genres if self.known and genre not in self.known]


def _stripped(text: str) -> str:
    """The text without what nobody sees at its ends."""
    seen = [at for at, one in enumerate(text) if unicodedata.category(one) not in BLANK_KINDS]
    return text[seen[0] : seen[-1] + 1] if seen else ""


def _listed(text: str) -> list[str]:
    text = _stripped(text)
    match = _BRACKETS.fullmatch(text)
    # A list of more than names, such as of dictionaries, is no list of genres.
    if match and text.casefold() not in _NONES and ":" not in text:
        quoted = ["".join(groups) for groups in _QUOTED.findall(match[1])]
        if quoted or text.startswith("["):
            return "|".join(quoted or match[1].split(",")).split("|")
    return text.split("|")


def genres_of(contracts: Path) -> Genres:
    """What the contract with the source says of genres. contracts: the folder of the contracts."""
    from mesh.contracts import find

    contract = find(f"{SCHEMA}.{MOVIES.name}", contracts)
    known, unknown = (contract.properties.get(name) for name in (KNOWN, UNKNOWN))
    if known is None and unknown is None:
        return Genres()
    if not (isinstance(known, list) and known and all(isinstance(name, str) for name in known)):
        raise _wrong(contract, KNOWN, "a list of names, such as [Comedy, Drama]")
    if unknown not in (TOLD, REFUSED):
        raise _wrong(contract, UNKNOWN, f"{TOLD} or {REFUSED}")
    return Genres(tuple(known), unknown == REFUSED, str(contract.location().path))


def _wrong(contract: Contract, name: str, expected: str) -> WrongUse:
    return WrongUse(
        f"the property {name} is not {expected}.",
        where=contract.location(),
        fix="Write it under customProperties of the table.",
    )
