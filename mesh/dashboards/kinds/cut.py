"""What is said of what is not shown: there is no room for it, or it is held back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mesh.dashboards.kinds.seen import named
from mesh.words import joined, listed

T = TypeVar("T")
# So many are named.
_SOME = 5


@dataclass(frozen=True)
class Cut(Generic[T]):
    """What stands at the beginning and at the end of an order, and what between is left out."""

    first: Sequence[T]
    last: Sequence[T]
    left_out: Sequence[T]

    @property
    def shown(self) -> list[T]:
        return [*self.first, *self.last]

    def told(self, place: Callable[[T], Any], alike: str = "as high as") -> list[str]:
        """Which these are and of how many; nothing where all are shown.

        place: by what they are in order. Where it is the same for one that is shown and for some
        that are not, chance or the alphabet chose it: that is said, in the words of alike.
        """
        if not self.left_out:
            return []
        ends = f" and the last {len(self.last):,}" if self.last else ""
        every = len(self.shown) + len(self.left_out)
        said = [f"These are the first {len(self.first):,}{ends} of {every:,}; the CSV has all."]
        edges = {place(one) for one in (*self.first[-1:], *self.last[:1])} - {None}
        if same := sum(place(one) in edges for one in self.left_out):
            which = "one" if self.last else "the last"
            said.append(f"{same:,} more {'is' if same == 1 else 'are'} {alike} {which} of these.")
        return said


def cut(rows: Sequence[T], most: int | None, both_ends: bool = False) -> Cut[T]:
    """The first so many of them, or half of so many from either end."""
    if most is None or len(rows) <= most:
        return Cut(rows, (), ())
    last = most // 2 if both_ends else 0
    first, end = most - last, len(rows) - last
    return Cut(rows[:first], rows[end:], rows[first:end])


def no_number(names: Sequence[str]) -> list[str]:
    """Of which values nothing is shown, though they are there."""
    return [f"No number can be shown of {_some(names)}."] if names else []


def nothing_but_zeros(names: Sequence[str]) -> str:
    """The same where all that can be shown is 0, which would look as if there were nobody."""
    return f"All that can be shown is 0; no number can be shown of {_some(names)}."


def _some(names: Sequence[str]) -> str:
    told = [named(name) for name in names]
    return listed(told, _SOME) if len(told) > _SOME else joined(told)
