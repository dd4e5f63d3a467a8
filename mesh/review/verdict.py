"""The version verdict: the bump that the changes need, the one that was made, and what to write."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mesh.contracts.model import Contract, Version
from mesh.review.diff import ContractDiff, compare_pair
from mesh.review.findings import Finding, Place, finding
from mesh.review.pair import Pair, Source
from mesh.review.rules import Bump, Level

NOTICE_DAYS = 30
# What is proposed as an end date when a version is superseded.
NOTICE_MONTHS = 6
MOST_ADVICE = 5
Outcome = Literal["right", "too small", "wrong", "no change"]


@dataclass(frozen=True)
class Verdict:
    """Whether the version of a product goes with its changes.

    before, after: None where there is none. write: what to write, empty when all is right; YAML is
    in `snippet`, to be put into the file that `write` names. moving: for a new major version, what
    a consumer meets who moves to it.
    """

    product: str
    before: Version | None
    after: Version | None
    needed: Bump
    made: Bump
    outcome: Outcome
    write: str = ""
    snippet: str = ""
    moving: tuple[str, ...] = ()


def bump_between(before: Version, after: Version) -> Bump:
    """The part of the version that grew; NONE when it did not grow."""
    if after <= before:
        return Bump.NONE
    if after.major > before.major:
        return Bump.MAJOR
    return Bump.MINOR if after.minor > before.minor else Bump.PATCH


def needed_bump(found: list[Finding]) -> Bump:
    """The largest bump that any finding asks for; a change that does not break needs no major."""
    bumps = [
        f.bump if f.level is Level.BREAKING else min(f.bump, Bump.MINOR)
        for f in found
        if f.level is not Level.OFF
    ]
    return max(bumps, default=Bump.NONE)


def version_findings(
    diff: ContractDiff, head: dict[str, Source], today: datetime.date
) -> Iterator[Finding]:
    """What is wrong with versions and end dates by themselves, whatever else changed."""
    for product, pair in diff.pairs.items():
        old, new = pair.old.version, pair.new.version
        if new < old:
            message = f"The version went down from {old} to {new}."
            line = pair.new.line_of("version")
            yield pair.report("VERSION_NO_DECREASE", message, line, before=str(old), after=str(new))
        yield from _notice(product, pair, today)
    for product, source in diff.added.items():
        yield from _successor(product, source, head, diff)


def _notice(product: str, pair: Pair, today: datetime.date) -> Iterator[Finding]:
    end, level = pair.new.end_of_life, pair.new.service_level("endOfLife")
    if end is None or end == pair.old.end_of_life or level is None:
        return
    days = (end - today).days
    if days < NOTICE_DAYS:
        word = f"in {days} days" if days >= 0 else "in the past"
        message = f"{product} {pair.new.version} ends on {end}, {word}."
        severity = Level.WARNING if days >= 0 else Level.BREAKING
        yield pair.report("VERSION_SHORT_NOTICE", message, level.line, level=severity)


def _older(contract: Contract, among: dict[str, Source]) -> list[Source]:
    """The versions of a product below a contract's, the newest last."""
    found = [
        s
        for s in among.values()
        if (s.contract.domain, s.contract.base_name) == (contract.domain, contract.base_name)
        and s.contract.version.major < contract.version.major
    ]
    return sorted(found, key=lambda s: s.contract.version)


def _successor(
    product: str, source: Source, head: dict[str, Source], diff: ContractDiff
) -> Iterator[Finding]:
    contract = source.contract
    if contract.version.major == 1:
        return
    older = _older(contract, {**diff.removed, **head})
    newest = older[-1].contract.version.major if older else 0
    if newest + 1 != contract.version.major:
        missing = contract.version.major - 1
        message = f"{product} is version {contract.version}, but there is no version {missing}."
        where = Place(source.path, contract.line_of("version"))
        yield finding("VERSION_SKIPPED", product, message, where)
    for old in older:
        if old.product in head and not (old.contract.deprecated and old.contract.end_of_life):
            message = (
                f"{old.product} {old.contract.version} has a successor, {product}, but no end date."
            )
            where = Place(old.path, old.contract.line_of("status"))
            fix = "Write `status: deprecated` and a service level `endOfLife` there."
            yield finding("VERSION_OLD_NEEDS_END", old.product, message, where, fix=fix)


def verdicts(
    diff: ContractDiff, found: list[Finding], head: dict[str, Source], today: datetime.date
) -> list[Verdict]:
    """One verdict for each product that changed, in the order of their names."""
    by_product: dict[str, list[Finding]] = {}
    for one in found:
        by_product.setdefault(one.product, []).append(one)
    result = []
    for product, pair in diff.pairs.items():
        own = by_product.get(product, [])
        if own or pair.old.version != pair.new.version:
            result.append(_of_pair(pair, own, head, today))
    for product, source in diff.removed.items():
        result.append(_of_removed(source, by_product.get(product, []), diff.renamed.get(product)))
    for product, source in diff.added.items():
        if product not in diff.renamed.values():
            result.append(_of_added(source, by_product, head, diff, today))
    return sorted(result, key=lambda v: v.product)


def version_too_small(pair: Pair, verdict: Verdict, found: list[Finding]) -> Finding:
    """The finding that goes with the outcome `too small`."""
    old, new = pair.old.version, pair.new.version
    message = f"The changes need a {verdict.needed.word} version, but the version "
    message += f"went from {old} to {new}." if old != new else f"stayed {new}."
    warned = any(f.level is not Level.INFO for f in found)
    return pair.report(
        "VERSION_TOO_SMALL",
        message,
        pair.new.line_of("version"),
        pair.old.line_of("version"),
        fix=verdict.write,
        level=Level.WARNING if warned else Level.INFO,
    )


def _raised(version: Version, bump: Bump) -> Version:
    if bump is Bump.MAJOR:
        return Version(version.major + 1, 0, 0)
    if bump is Bump.MINOR:
        return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


def _of_pair(
    pair: Pair, found: list[Finding], head: dict[str, Source], today: datetime.date
) -> Verdict:
    old, new = pair.old.version, pair.new.version
    needed, made = needed_bump(found), bump_between(old, new)
    broken = [f for f in found if f.level is Level.BREAKING]
    write, snippet = "", ""
    outcome: Outcome = "right"
    if any(f.bump is Bump.MAJOR for f in broken):
        outcome = "wrong"
        write, snippet = _how_to_break(pair, broken, head, today)
    elif broken:
        outcome = "wrong"
        write = _mending(broken)
        if any(f.rule == "VERSION_OLD_NEEDS_END" for f in broken):
            write = f"In {pair.after.path} write:"
            snippet = _ending(pair.old, today)
    elif made < needed:
        outcome = "too small"
        write = f"Write `version: {_raised(old, needed)}` in {pair.after.path}."
    elif needed is Bump.NONE and made is Bump.NONE:
        outcome = "no change"
    return Verdict(pair.old.product, old, new, needed, made, outcome, write, snippet)


def end_date(today: datetime.date) -> datetime.date:
    """A fair end date: the last day of the month half a year from now."""
    index = today.year * 12 + today.month - 1 + NOTICE_MONTHS
    year, month = index // 12, index % 12 + 1
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def _ending(contract: Contract, today: datetime.date) -> str:
    version = _raised(contract.version, Bump.MINOR)
    following = f"{contract.base_name}_v{contract.version.major + 1}"
    return (
        f"version: {version}\nstatus: deprecated\n…\nslaProperties:\n"
        f"  - id: end_of_life\n    property: endOfLife\n    value: '{end_date(today)}'\n"
        f"    description: Until then both versions are there; move to {following}.\n"
    )


def _how_to_break(
    pair: Pair, broken: list[Finding], head: dict[str, Source], today: datetime.date
) -> tuple[str, str]:
    old = pair.old
    major = old.version.major + 1
    name = f"{old.base_name}_v{major}"
    product = f"{old.domain}.{name}"
    by_model = all(f.definition.category == "model" for f in broken)
    what = f"models/{old.domain}/{old.name}.sql" if by_model else pair.before.path
    restore = f"Leave {old.product} {old.version} as it was: take the change out of {what}"
    restore += " (or out of what it reads)." if by_model else "."
    if product in head:
        beside = f"{product} is there already: put the change into it alone."
    else:
        beside = (
            f"Put it into contracts/{old.domain}/{name}.odcs.yaml (a copy with `id: {product}`, "
            f"`name: {name}`, `version: {major}.0.0`, and the table's `name: {name}`) and into "
            f"{_made_by(old, name)}."
        )
    ending = f"Give the old version an end date in {pair.before.path}:"
    return f"{restore} {beside} {ending}", _ending(old, today)


def _mending(broken: list[Finding]) -> str:
    """How to mend what no version can: with its place where the advice is about a line."""
    advice = [
        f"{one.where}: {one.fix}" if one.definition.category == "review" else one.fix
        for one in broken
        if one.fix
    ]
    advice = list(dict.fromkeys(advice))
    more = len(advice) - MOST_ADVICE
    return " ".join([*advice[:MOST_ADVICE], *([f"And {more} more."] if more > 0 else [])])


def _made_by(contract: Contract, name: str) -> str:
    """What stands behind a contract, or another version: a model, or a table of the source."""
    if contract.is_of_source:
        return f"the table {contract.domain}.{name} of the source"
    return f"its model models/{contract.domain}/{name}.sql"


def _of_removed(source: Source, found: list[Finding], renamed: str | None) -> Verdict:
    old = source.contract
    broken = any(f.level is Level.BREAKING for f in found)
    write = ""
    if broken:
        write = f"Bring {source.path} and {_made_by(old, old.name)} back"
        write += f", beside {renamed}." if renamed else "."
        if not old.end_of_life:
            write += " Deprecate it with an end date, and delete it after that date."
        else:
            write += f" It may go after {old.end_of_life}."
    outcome: Outcome = "wrong" if broken else "right"
    return Verdict(source.product, old.version, None, needed_bump(found), Bump.NONE, outcome, write)


def _of_added(
    source: Source,
    by_product: dict[str, list[Finding]],
    head: dict[str, Source],
    diff: ContractDiff,
    today: datetime.date,
) -> Verdict:
    contract = source.contract
    product, version = source.product, contract.version
    broken = [f for f in by_product.get(product, []) if f.level is Level.BREAKING]
    if broken:
        write = _mending(broken)
        return Verdict(product, None, version, Bump.NONE, Bump.NONE, "wrong", write)
    older = _older(contract, {**diff.removed, **head})
    if not older:
        return Verdict(product, None, version, Bump.NONE, Bump.NONE, "right")
    old = older[-1]
    before = diff.pairs[old.product].before if old.product in diff.pairs else old
    moving = [
        f.message
        for f in compare_pair(Pair(before, source))
        if f.level is not Level.INFO and f.definition.category not in ("product", "access")
    ]
    outcome: Outcome = "right"
    write, snippet = "", ""
    if old.product not in head:
        made_by = _made_by(old.contract, old.contract.name)
        outcome, write = "wrong", f"Bring {old.path} and {made_by} back."
    elif not (old.contract.deprecated and old.contract.end_of_life):
        outcome = "wrong"
        write, snippet = f"In {old.path} write:", _ending(before.contract, today)
    return Verdict(
        product,
        before.contract.version,
        version,
        Bump.MAJOR,
        bump_between(before.contract.version, version),
        outcome,
        write,
        snippet,
        tuple(moving),
    )
