"""The contract diff: from the contracts of two revisions to findings under named rules."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from mesh.contracts.model import Contract
from mesh.review.contracts.columns import compare_columns
from mesh.review.contracts.pair import Pair, Source
from mesh.review.contracts.product import compare_product
from mesh.review.contracts.quality import compare_quality
from mesh.review.contracts.read import Contracts
from mesh.review.contracts.references import unresolved
from mesh.review.contracts.service import compare_access, compare_grain, compare_service
from mesh.review.findings import Finding, Place, finding
from mesh.review.rules import Level

# Nobody may rely on a product that is not active yet.
UNRELIABLE = ("proposed", "draft", "retired")
# A product with so many of the columns of another one is that one under a new name.
RENAMED_SHARE = 0.8


@dataclass(frozen=True)
class ContractDiff:
    """What changed between two sets of contracts.

    pairs: products of both, by their name in the base; renamed: old to new name.
    added, removed: products that only one side has.
    """

    pairs: dict[str, Pair] = field(default_factory=dict)
    added: dict[str, Source] = field(default_factory=dict)
    removed: dict[str, Source] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def compare(base: Contracts, head: Contracts, today: datetime.date) -> ContractDiff:
    """Compare the contracts of two revisions; findings have the default levels."""
    old, new = base.sources, head.sources
    pairs = {product: Pair(old[product], new[product]) for product in old if product in new}
    removed = {p: s for p, s in old.items() if p not in new and p not in head.unreadable}
    added = {p: s for p, s in new.items() if p not in old and p not in base.unreadable}
    renamed = _renamed(removed, added)
    findings = list(_invalid(base, head))
    for pair in pairs.values():
        findings += compare_pair(pair, today)
    for product, name in renamed.items():
        pair = Pair(removed[product], added[name])
        message = f"{product} was renamed to {name}."
        findings.append(
            finding(
                "PRODUCT_NO_RENAME",
                product,
                message,
                Place(pair.after.path, pair.new.line_of("name")),
                base=Place(pair.before.path, pair.old.line_of("name")),
                before=product,
                after=name,
            )
        )
        findings += [f for f in compare_pair(pair) if f.rule != "PRODUCT_SAME_PLACE"]
    findings += _removed({p: s for p, s in removed.items() if p not in renamed}, new, today)
    findings += _added({p: s for p, s in added.items() if p not in renamed.values()})
    return ContractDiff(pairs, added, removed, renamed, tuple(findings))


def compare_pair(pair: Pair, today: datetime.date | None = None) -> list[Finding]:
    """All changes of one contract, except those that the version verdict finds.

    today: for versions that have ended, which may change as they may go.
    """
    found = [
        *compare_product(pair),
        *compare_columns(pair),
        *compare_grain(pair),
        *compare_quality(pair),
        *compare_service(pair),
        *compare_access(pair),
    ]
    reason = ""
    if pair.old.status in UNRELIABLE:
        reason = f"the base says `status: {pair.old.status}`, on which nobody relies"
    elif today and _ended(pair.old, today):
        reason = f"it ended on {pair.old.end_of_life}, so nobody relies on it any more"
    if reason:
        found = [_softened(f, reason) if f.level is Level.BREAKING else f for f in found]
    return found


def _ended(contract: Contract, today: datetime.date) -> bool:
    end = contract.end_of_life
    return contract.deprecated and end is not None and end < today


def _softened(found: Finding, reason: str) -> Finding:
    return dataclasses.replace(found, level=Level.WARNING, reason=reason)


def _invalid(base: Contracts, head: Contracts) -> Iterator[Finding]:
    for side, rule in ((head, "CONTRACT_INVALID"), (base, "BASE_CONTRACT_INVALID")):
        products = {source.path: product for product, source in side.sources.items()}
        products |= {path: product for product, path in side.unreadable.items()}
        stated = [(path, one) for path, several in side.problems.items() for one in several]
        if side is head:
            stated += unresolved(base, head)
        for path, problem in stated:
            message = f"{problem.rule}: {problem.message}"
            where = Place(path, problem.line)
            yield finding(rule, products[path], message, where, fix=problem.fix)


def _renamed(removed: dict[str, Source], added: dict[str, Source]) -> dict[str, str]:
    """Products that live on under another name, by the stable ids of their columns."""
    found: dict[str, str] = {}
    for product, source in removed.items():
        ids = {column.id for column in source.contract.columns}
        for name, other in added.items():
            if name in found.values() or _is_next_version(source, other):
                continue
            shared = ids & {column.id for column in other.contract.columns}
            if len(shared) >= RENAMED_SHARE * max(len(ids), len(other.contract.columns)):
                found[product] = name
                break
    return found


def _is_next_version(old: Source, new: Source) -> bool:
    before, after = old.contract, new.contract
    return (before.domain, before.base_name) == (after.domain, after.base_name)


def _removed(
    removed: dict[str, Source], head: dict[str, Source], today: datetime.date
) -> Iterator[Finding]:
    for product, source in removed.items():
        old = source.contract
        where = Place(source.path, 1)
        details = {"base": Place(source.path, old.line_of("name"))}
        if _ended(old, today):
            message = f"{product} {old.version} was removed; it ended on {old.end_of_life}."
            yield finding("PRODUCT_REMOVED_AFTER_END", product, message, where, **details)
            continue
        message = f"{product} {old.version} was deleted."
        if old.end_of_life:
            message = f"{product} {old.version} was deleted before its end on {old.end_of_life}."
        later = [
            p
            for p, s in head.items()
            if _is_next_version(source, s) and s.contract.version > old.version
        ]
        if later:
            message += f" {later[0]} does not stand in for it: consumers need both for a while."
        found = finding("PRODUCT_NO_DELETE", product, message, where, **details)
        if old.status in UNRELIABLE:
            found = _softened(found, f"the base says `status: {old.status}`")
        yield found


def _added(added: dict[str, Source]) -> Iterator[Finding]:
    for product, source in added.items():
        message = f"{product} {source.contract.version} is new."
        where = Place(source.path, source.contract.line_of("name"))
        yield finding("PRODUCT_ADDED", product, message, where)
