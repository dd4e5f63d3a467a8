"""The contract diff: from the contracts of two revisions to findings under named rules."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mesh.contracts.model import Contract
from mesh.files.problems import Problem
from mesh.review.contracts import access, columns, product, quality, service, values
from mesh.review.contracts.pair import Pair, Source
from mesh.review.contracts.read import Contracts
from mesh.review.contracts.references import unresolved
from mesh.review.rules import (
    BREAKS,
    MAJOR,
    NONE,
    TELLS,
    WARNS,
    Change,
    Finding,
    Found,
    Level,
    Place,
    Rules,
)
from mesh.words import many

if TYPE_CHECKING:
    from mesh.review.levels import Levels

# Nobody may rely on a product that is not active yet.
UNRELIABLE = ("proposed", "draft", "retired")
# A product with so many of the columns of another one is that one under a new name.
RENAMED_SHARE = 0.8
_ORDER = (Level.OFF, Level.INFO, Level.WARNING, Level.BREAKING)


@dataclass(frozen=True)
class ContractDiff:
    """Two sets of contracts, and what became of which.

    levels: of both. wrong_levels: what is wrong with the file of the later one.
    """

    base: Contracts
    head: Contracts
    levels: tuple[Levels, Levels]
    wrong_levels: tuple[Problem, ...]
    today: datetime.date

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        """Products of both, by their name."""
        new = self.head.sources
        types = {
            product: {column.name: column.bigquery_type for column in source.contract.columns}
            for product, source in new.items()
        }
        return {
            p: Pair(source, new[p], types) for p, source in self.base.sources.items() if p in new
        }

    def at_level(self, found: Finding) -> Finding:
        """The finding at this project's level; one that is lowered counts once it is merged."""
        was, now = (side.apply(found) for side in self.levels)
        return was if _ORDER.index(was.level) > _ORDER.index(now.level) else now

    @cached_property
    def removed(self) -> dict[str, Source]:
        """Products that only the base has."""
        there = self.head.sources.keys() | self.head.unreadable.keys()
        return {p: source for p, source in self.base.sources.items() if p not in there}

    @cached_property
    def added(self) -> dict[str, Source]:
        """Products that only the work tree has."""
        there = self.base.sources.keys() | self.base.unreadable.keys()
        return {p: source for p, source in self.head.sources.items() if p not in there}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Products that live on under another name, by the stable ids of their columns."""
        found: dict[str, str] = {}
        for old, source in self.removed.items():
            ids = {column.id for column in source.contract.columns}
            for new, other in self.added.items():
                if new in found.values() or is_next_version(source, other):
                    continue
                shared = ids & {column.id for column in other.contract.columns}
                if len(shared) >= RENAMED_SHARE * max(len(ids), len(other.contract.columns)):
                    found[old] = new
                    break
        return found

    def ended(self, contract: Contract) -> bool:
        """Whether a version has ended, so that it may change as it may go."""
        return contract.end_of_life is not None and contract.ended(self.today)


rule: Rules[[ContractDiff]] = Rules("product")
itself: Rules[[ContractDiff]] = Rules("review")


def compare(diff: ContractDiff) -> Iterator[Finding]:
    """All changes, except those that the version verdict finds."""
    yield from itself.findings(diff)
    for pair in diff.pairs.values():
        yield from compare_pair(pair, diff)
    for old, new in diff.renamed.items():
        pair = Pair(diff.removed[old], diff.added[new])
        yield from (f for f in compare_pair(pair) if f.rule != "PRODUCT_SAME_PLACE")
    yield from (_reliable(one, diff) for one in rule.findings(diff))


def compare_pair(pair: Pair, diff: ContractDiff | None = None) -> Iterator[Finding]:
    """All changes of one contract. diff: for versions on which nobody relies any more."""
    for found in (
        *product.rule.findings(pair),
        *product.ends.findings(pair),
        *product.unknown.findings(pair),
        *columns.compare_columns(pair),
        *values.compare_values(pair),
        *service.grain.findings(pair),
        *quality.rule.findings(pair),
        *service.rule.findings(pair),
        *access.rule.findings(pair),
    ):
        reason = ""
        if pair.old.status in UNRELIABLE:
            reason = f"the base says `status: {pair.old.status}`, on which nobody relies"
        elif diff and diff.ended(pair.old):
            reason = f"it ended on {pair.old.end_of_life}, so nobody relies on it any more"
        yield _softened(found, reason) if reason and found.breaking else found


def _softened(found: Finding, reason: str) -> Finding:
    return dataclasses.replace(found, level=Level.WARNING, reason=reason)


def _reliable(found: Finding, diff: ContractDiff) -> Finding:
    gone = diff.removed.get(found.product)
    if found.rule != "PRODUCT_NO_DELETE" or not gone or gone.contract.status not in UNRELIABLE:
        return found
    return _softened(found, f"the base says `status: {gone.contract.status}`")


def is_next_version(old: Source, new: Source) -> bool:
    before, after = old.contract, new.contract
    return (before.domain, before.base_name) == (after.domain, after.base_name)


def _invalid(side: Contracts, more: Iterator[tuple[str, Problem]]) -> Found:
    products = {source.path: product for product, source in side.sources.items()}
    products |= {path: product for product, path in side.unreadable.items()}
    stated = [(path, one) for path, several in side.problems.items() for one in several]
    for path, problem in (*stated, *more):
        yield Change(
            product=products[path],
            message=f"{problem.rule}: {problem.message}",
            where=Place(path, problem.line),
            fix=problem.fix,
        )


@itself(BREAKS, NONE)
def contract_invalid(diff: ContractDiff) -> Found:
    """A contract that cannot be read promises nothing."""
    yield from _invalid(diff.head, unresolved(diff.base, diff.head))
    for problem in diff.wrong_levels:
        where = Place(diff.levels[1].path, problem.line)
        message = f"{problem.rule}: {problem.message}"
        yield Change(product="contracts", message=message, where=where, fix=problem.fix)


@itself(WARNS, NONE)
def base_contract_invalid(diff: ContractDiff) -> Found:
    """Against a contract that could not be read nothing can be compared."""
    return _invalid(diff.base, iter(()))


@itself(WARNS, NONE)
def level_lowered(diff: ContractDiff) -> Found:
    """Who lowers the level of a rule is seen doing so, and it counts once it is merged."""
    base, head = diff.levels
    for name, about in dict.fromkeys((c.rule, c.product) for c in (*head.changes, *base.changes)):
        was, now = (side.level_of(name, about or "") for side in (base, head))
        if _ORDER.index(now) >= _ORDER.index(was):
            continue
        # By an entry, or because one was taken out.
        entry = head.entry(name, about or "")
        why = entry.reason if entry else "the entry that raised it is gone."
        yield Change(
            product=about or "contracts",
            message=f"{name} is now {now} instead of {was} for {about or 'all products'}: {why}",
            where=Place(head.path, head.line(entry)),
            before=str(was),
            after=str(now),
        )


@rule(BREAKS, MAJOR, "Publish the new name beside the old one, and give the old one an end date.")
def product_no_rename(diff: ContractDiff) -> Found:
    """A product stays at its name, which every query holds."""
    for old, new in diff.renamed.items():
        yield Change(
            product=old,
            message=f"{old} was renamed to {new}.",
            where=diff.added[new].place("name"),
            base=diff.removed[old].place("name"),
            before=old,
            after=new,
        )


def _removed(message: str, source: Source) -> Change:
    where, base = Place(source.path, 1), source.place("name")
    return Change(product=source.product, message=message, where=where, base=base)


@rule(BREAKS, MAJOR, "Deprecate it with an end date, and delete it after that date.")
def product_no_delete(diff: ContractDiff) -> Found:
    """A product that is read is not taken away."""
    for product_name, source in diff.removed.items():
        old = source.contract
        if product_name in diff.renamed or diff.ended(old):
            continue
        before = f" before its end on {old.end_of_life}" if old.end_of_life else ""
        message = f"{product_name} {old.version} was deleted{before}."
        later = [
            name
            for name, other in diff.head.sources.items()
            if is_next_version(source, other) and other.contract.version > old.version
        ]
        if later:
            message += f" {later[0]} does not stand in for it: consumers need both for a while."
        yield _removed(message, source)


@rule(TELLS, NONE)
def product_removed_after_end(diff: ContractDiff) -> Found:
    """A version goes after its end date, as promised."""
    for name, source in diff.removed.items():
        old = source.contract
        if name not in diff.renamed and diff.ended(old):
            message = f"{name} {old.version} was removed; it ended on {old.end_of_life}."
            yield _removed(message, source)


@rule(TELLS, NONE)
def product_added(diff: ContractDiff) -> Found:
    """A new product concerns nobody yet."""
    for name, source in diff.added.items():
        if name not in diff.renamed.values():
            message = f"{name} {source.contract.version} is new: {_in_short(source.contract)}."
            yield Change(product=name, message=message, where=source.place("name"))


def _in_short(contract: Contract) -> str:
    """What whoever agrees to a new product has to know of it first."""
    personal = ", ".join(column.name for column in contract.personal_columns)
    readers = ", ".join(role.name for role in contract.roles)
    return "; ".join(
        (
            many(len(contract.columns), "column"),
            f"key {', '.join(contract.grain)}" if contract.grain else "no key",
            f"personal: {personal}" if personal else "no personal columns",
            f"may be read by {readers}" if readers else "no role may read it",
            f"{many(len(contract.rules), 'rule')} besides those of its columns",
        )
    )
