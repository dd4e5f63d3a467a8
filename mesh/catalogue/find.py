"""Contracts by a word: what they are called, what they say, and what their columns hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mesh.contracts import Contract


@dataclass(frozen=True)
class Hit:
    """A contract, and the columns and values that a word was found at."""

    contract: Contract
    found_in: tuple[str, ...] = ()


def find_by_words(contracts: Iterable[Contract], words: Sequence[str]) -> tuple[Hit, ...]:
    """The contracts that say all of the words, in capitals or not; without words, all of them."""
    wanted = [word.lower() for word in words]
    hits = []
    for contract in sorted(contracts, key=lambda one: one.product):
        texts = list(_texts(contract))
        everything = "\n".join(text for _, text in texts).lower()
        if all(word in everything for word in wanted):
            places = (p for p, text in texts if p and any(word in text.lower() for word in wanted))
            hits.append(Hit(contract, tuple(dict.fromkeys(places))))
    return tuple(hits)


def _texts(contract: Contract) -> Iterator[tuple[str, str]]:
    """All that a contract says, and at which column; the product's own has none."""
    yield "", " ".join((contract.product, contract.description, contract.grain_label))
    yield "", " ".join((contract.owner, *contract.tags, *(r.description for r in contract.rules)))
    for column in contract.columns:
        told = (column.name, column.description, *column.tags)
        yield column.name, " ".join(told)
        for allowed in column.enum:
            yield f"{column.name} = {allowed.value}", f"{allowed.value} {allowed.description}"
