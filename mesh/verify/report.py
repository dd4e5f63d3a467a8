"""What a verification found, as frozen objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from mesh.errors import Location
from mesh.words import many

if TYPE_CHECKING:
    from mesh.environments.deliveries import Delivery


# Why freshness is measured against this moment, where nobody stated another.
TODAY = "today"
# The kinds of promises that hold of a day of use, and are broken on a later one.
_OF_A_DAY = ("freshness", "frequency")


class Status(StrEnum):
    """What became of one promise; UNCHECKED counts as broken, because nobody knows."""

    KEPT = "kept"
    BROKEN = "broken"
    WARNED = "warned"
    UNCHECKED = "unchecked"


@dataclass(frozen=True)
class Outcome:
    """One promise of a product, and whether the data keeps it.

    rule: its stable id. checked: the rows looked at (columns, for rules about columns).
    failing: the rows, groups of rows or columns that break it; None when it was not checked.
    sample: up to five of the failing rows, only the columns that the rule speaks of and the grain.
    message: in words what was found, for what a count cannot say.
    where: the line of the contract.
    """

    rule: str
    kind: str
    description: str
    dimension: str
    status: Status
    where: Location
    checked: int | None = None
    failing: int | None = None
    sample: tuple[Mapping[str, object], ...] = ()
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.status in (Status.KEPT, Status.WARNED)


@dataclass(frozen=True)
class ProductReport:
    """All promises of one product in one environment.

    table: where the product was read; None when it is not in the environment.
    rows: how many it has, None when they could not be counted.
    """

    product: str
    version: str
    table: str | None
    rows: int | None
    outcomes: tuple[Outcome, ...]
    seconds: float

    @cached_property
    def broken(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if not outcome.ok)

    @property
    def ok(self) -> bool:
        return not self.broken


@dataclass(frozen=True)
class VerifyReport:
    """What a verification of an environment found.

    as_of: the moment that freshness is measured against; as_of_reason: why this one.
    without_contract: public models of the environment that no contract speaks of. lacking: the
    deliveries that the environment does not show yet, in their order. unbuilt: models
    that lack months.
    """

    environment: str
    as_of: datetime
    as_of_reason: str
    products: tuple[ProductReport, ...]
    without_contract: tuple[str, ...]
    seconds: float
    lacking: tuple[Delivery, ...] = ()
    unbuilt: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every promise is kept."""
        return all(product.ok for product in self.products)

    @property
    def broken(self) -> tuple[tuple[ProductReport, Outcome], ...]:
        return tuple((product, one) for product in self.products for one in product.broken)

    @property
    def is_late(self) -> bool:
        """Whether something is older than it should be."""
        return any(one.kind in _OF_A_DAY for _, one in self.broken)

    @property
    def empty(self) -> bool:
        """Whether no product that was read has a single row: nothing was loaded yet."""
        counts = [product.rows for product in self.products if product.rows is not None]
        return bool(counts) and not any(counts)

    @property
    def summary(self) -> str:
        """One sentence: how many promises of how many products, and how many are broken."""
        promises = sum(len(product.outcomes) for product in self.products)
        text = f"{promises:,} promises of {many(len(self.products), 'product')}"
        if self.ok:
            return f"{text} are kept in {self.environment}."
        late = [product.product for product, one in self.broken if one.kind in _OF_A_DAY]
        others = [product.product for product, one in self.broken if one.kind not in _OF_A_DAY]
        told = [", ".join(dict.fromkeys(others))] if others else []
        if late:
            of = many(len(set(late)), "product")
            told.append(f"{len(late):,} of freshness or frequency, of {of}")
        count = many(len(self.broken), "broken promise")
        return f"{count} among {text} in {self.environment}: {'; '.join(told)}."
