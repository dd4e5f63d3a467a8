"""The contract diff: from the contracts of two revisions to findings under named rules."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from typing import TYPE_CHECKING

from mesh.contracts.checks import Around, problems_of
from mesh.contracts.checks.rules import references
from mesh.contracts.model import Contract
from mesh.files.problems import Problem
from mesh.review.contracts import access, columns, product, quality, service, values
from mesh.review.contracts.pair import Pair, Source
from mesh.review.contracts.read import Contracts
from mesh.review.guards.stated import PATH
from mesh.review.rules import (
    BREAKS,
    MAJOR,
    TELLS,
    WARNS,
    Change,
    Finding,
    Found,
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


@dataclass(frozen=True)
class ContractDiff:
    """Two sets of contracts with the levels of both, and what became of which."""

    base: Contracts
    head: Contracts
    levels: tuple[Levels, Levels]
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
        return min(now, was, key=lambda one: one.level.weight)

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
    yield from rule.findings(diff)


def compare_pair(pair: Pair, diff: ContractDiff | None = None) -> Iterator[Finding]:
    """All changes of one contract. diff: for versions on which nobody relies any more."""
    for found in (
        *product.rule.findings(pair),
        *product.ends.findings(pair),
        *product.unknown.findings(pair),
        *columns.table.findings(pair),
        *(f for old, new in pair.kept for f in columns.rule.findings(pair, old, new)),
        *values.rule.findings(pair),
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
        softened = reason and found.breaking
        yield dataclasses.replace(found, level=WARNS, reason=reason) if softened else found


def is_next_version(old: Source, new: Source) -> bool:
    before, after = old.contract, new.contract
    return (before.domain, before.base_name) == (after.domain, after.base_name)


def _invalid(product: str, path: str, problem: Problem) -> Change:
    message, where = f"{problem.rule}: {problem.message}", Place(path, problem.line)
    return Change(product, message, where, fix=problem.fix)


def _unresolved(base: Contracts, head: Contracts) -> Found:
    """Rules that read what is not promised, or no longer: lint's checks on contracts that were
    changed or read one that was."""
    sides = [{p: source.text for p, source in side.sources.items()} for side in (base, head)]
    changed = {p for p in sides[0] | sides[1] if sides[0].get(p) != sides[1].get(p)}
    around = Around({draft.product: draft for draft in head.drafts.values()}, head.unreadable)
    for path, draft in head.drafts.items() if changed else ():
        if draft.product in changed or changed & references(draft).keys():
            for problem in sorted(set(problems_of(draft, around)) - set(problems_of(draft))):
                yield _invalid(draft.product, path, problem)


@itself(BREAKS)
def contract_invalid(diff: ContractDiff) -> Found:
    """A contract that cannot be read promises nothing."""
    yield from starmap(_invalid, diff.head.problems)
    yield from _unresolved(diff.base, diff.head)
    yield from (_invalid("contracts", PATH, one) for one in diff.levels[1].problems)


@itself(WARNS)
def base_contract_invalid(diff: ContractDiff) -> Found:
    """Against a contract that could not be read nothing can be compared."""
    return starmap(_invalid, diff.base.problems)


@itself(WARNS)
def level_lowered(diff: ContractDiff) -> Found:
    """Who lowers the level of a rule is seen doing so, and it counts once it is merged."""
    base, head = diff.levels
    for name, about in dict.fromkeys((c.rule, c.product) for c in (*head.changes, *base.changes)):
        was, now = (side.level_of(name, about or "") for side in (base, head))
        if now.weight <= was.weight:
            continue
        # By an entry, or because one was taken out.
        entry = head.entry(name, about or "")
        why = entry.reason if entry else "the entry that raised it is gone."
        yield Change(
            about or "contracts",
            f"{name} is now {now} instead of {was} for {about or 'all products'}: {why}",
            Place(PATH, head.line(entry)),
            before=str(was),
            after=str(now),
        )


@rule(BREAKS, MAJOR, "Publish the new name beside the old one, and give the old one an end date.")
def product_no_rename(diff: ContractDiff) -> Found:
    """A product stays at its name, which every query holds."""
    for old, new in diff.renamed.items():
        yield Change(
            old,
            f"{old} was renamed to {new}.",
            diff.added[new].place("name"),
            before=old,
            after=new,
        )


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
        relied = old.status not in UNRELIABLE
        yield Change(
            product_name,
            message,
            Place(source.path, 1),
            severity=None if relied else WARNS,
            reason="" if relied else f"the base says `status: {old.status}`",
        )


@rule(TELLS)
def product_removed_after_end(diff: ContractDiff) -> Found:
    """A version goes after its end date, as promised."""
    for name, source in diff.removed.items():
        old = source.contract
        if name not in diff.renamed and diff.ended(old):
            message = f"{name} {old.version} was removed; it ended on {old.end_of_life}."
            yield Change(name, message, Place(source.path, 1))


@rule(TELLS)
def product_added(diff: ContractDiff) -> Found:
    """A new product concerns nobody yet."""
    for name, source in diff.added.items():
        if name not in diff.renamed.values():
            message = f"{name} {source.contract.version} is new: {_in_short(source.contract)}."
            yield Change(name, message, source.place("name"))


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
