"""The version verdict: the bump that the changes need, the one that was made, and what to write."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from mesh.contracts.model import Contract, Version
from mesh.deliveries import months_after
from mesh.review.contracts.diff import UNRELIABLE, ContractDiff, compare_pair
from mesh.review.contracts.pair import Pair, Source
from mesh.review.rules import BREAKS, WARNS, Bump, Change, Finding, Found, Level, Rules

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
    outcome: Outcome
    write: str = ""
    snippet: str = ""
    moving: tuple[str, ...] = ()
    made_in: tuple[str, ...] = ()
    successor: str = ""

    @property
    def made(self) -> Bump:
        """The part of the version that grew; none when it did not grow."""
        old, new = self.before, self.after
        if old is None or new is None or new <= old:
            return Bump.NONE
        if new.major > old.major:
            return Bump.MAJOR
        return Bump.MINOR if new.minor > old.minor else Bump.PATCH


rule: Rules[[ContractDiff]] = Rules("version")
small: Rules[[Pair, Verdict, list[Finding]]] = Rules("version")


def needed_bump(found: list[Finding]) -> Bump:
    """The largest bump that any finding asks for; a change that does not break needs no major."""
    bumps = [
        f.bump if f.breaking else min(f.bump, Bump.MINOR) for f in found if f.level is not Level.OFF
    ]
    return max(bumps, default=Bump.NONE)


@rule(BREAKS, instead="Write a version above the one of the base.")
def version_no_decrease(diff: ContractDiff) -> Found:
    """A version names one promise; an older number would name two."""
    for pair in diff.pairs.values():
        old, new = pair.old.version, pair.new.version
        if new < old:
            message = f"The version went down from {old} to {new}."
            line = pair.new.line_of("version")
            yield pair.change(message, line, before=str(old), after=str(new))


@rule(WARNS, instead="Choose a later end date, or agree with each consumer.")
def version_short_notice(diff: ContractDiff) -> Found:
    """Consumers need time to move: a month at the least."""
    for product, pair in diff.pairs.items():
        end, level = pair.new.end_of_life, pair.new.service_level("endOfLife")
        if end is None or end == pair.old.end_of_life or level is None:
            continue
        days = (end - diff.today).days
        if days < NOTICE_DAYS:
            word = f"in {days} days" if days >= 0 else "in the past"
            message = f"{product} {pair.new.version} ends on {end}, {word}."
            severity = Level.WARNING if days >= 0 else Level.BREAKING
            yield pair.change(message, level.line, severity=severity)


def _older(contract: Contract, among: dict[str, Source]) -> list[Source]:
    """The versions of a product below a contract's, the newest last."""
    found = [
        s
        for s in among.values()
        if (s.contract.domain, s.contract.base_name) == (contract.domain, contract.base_name)
        and s.contract.version.major < contract.version.major
    ]
    return sorted(found, key=lambda s: s.contract.version)


def _successors(diff: ContractDiff) -> Iterator[tuple[Source, list[Source]]]:
    """New major versions, each with those before it."""
    for source in diff.added.values():
        if source.contract.version.major > 1:
            yield source, _older(source.contract, {**diff.removed, **diff.head.sources})


@rule(WARNS)
def version_skipped(diff: ContractDiff) -> Found:
    """Major versions follow one another, so that none is looked for in vain."""
    for source, older in _successors(diff):
        version, before = source.contract.version, source.contract.version.major - 1
        if (older[-1].contract.version.major if older else 0) != before:
            message = f"{source.product} is version {version}, but there is no version {before}."
            where = source.place("version")
            yield Change(source.product, message, where)


@rule(BREAKS, instead="Write `status: deprecated` and a service level `endOfLife` there.")
def version_old_needs_end(diff: ContractDiff) -> Found:
    """Two versions side by side need a date until which to move."""
    for source, older in _successors(diff):
        for old in older:
            known, name = old.contract, old.product
            if name in diff.head.sources and not (known.ends and known.end_of_life):
                then = f"{name} {known.version}"
                message = f"{then} has a successor, {source.product}, but no end date."
                yield Change(name, message, old.place("status"))


def verdicts(diff: ContractDiff, found: list[Finding]) -> list[Verdict]:
    """One verdict for each product that changed, in the order of their names."""
    by_product: dict[str, list[Finding]] = {}
    for one in found:
        by_product.setdefault(one.product, []).append(one)
    result = []
    for product, pair in diff.pairs.items():
        own = by_product.get(product, [])
        if own or pair.old.version != pair.new.version:
            result.append(_of_pair(pair, own, diff))
    for product, source in diff.removed.items():
        result.append(_of_removed(source, by_product.get(product, []), diff.renamed.get(product)))
    for product, source in diff.added.items():
        if product not in diff.renamed.values():
            result.append(_of_added(source, by_product.get(product, []), diff))
    return sorted(result, key=lambda v: v.product)


@small(WARNS)
def version_too_small(pair: Pair, verdict: Verdict, found: list[Finding]) -> Found:
    """Consumers read from the version how much changed."""
    old, new = pair.old.version, pair.new.version
    message = f"The changes need a {verdict.needed.word} version, but the version "
    message += f"went from {old} to {new}." if old != new else f"stayed {new}."
    line = pair.new.line_of("version")
    warned = any(f.level is not Level.INFO for f in found)
    severity = Level.WARNING if warned else Level.INFO
    yield pair.change(message, line, fix=verdict.write, severity=severity)


def _raised(version: Version, bump: Bump) -> Version:
    if bump is Bump.MAJOR:
        return Version(version.major + 1, 0, 0)
    if bump is Bump.MINOR:
        return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


def _of_pair(pair: Pair, found: list[Finding], diff: ContractDiff) -> Verdict:
    old = pair.old
    # Of what nobody relies on a version says to nobody how much changed.
    relied = old.status not in UNRELIABLE and not diff.ended(old)
    needed = needed_bump(found) if relied else Bump.NONE
    verdict = Verdict(old.product, old.version, pair.new.version, needed, "right")
    broken = [f for f in found if f.breaking]
    if any(f.bump is Bump.MAJOR for f in broken):
        return _how_to_break(verdict, pair, broken, diff)
    if any(f.rule == "VERSION_OLD_NEEDS_END" for f in broken):
        write, snippet = f"In {pair.after.path} write:", _ending(old, diff.today)
        return replace(verdict, outcome="wrong", write=write, snippet=snippet)
    if broken:
        return replace(verdict, outcome="wrong", write=_mending(broken))
    if verdict.made < needed:
        write = f"Write `version: {_raised(old.version, needed)}` in {pair.after.path}."
        return replace(verdict, outcome="too small", write=write)
    if needed is verdict.made is Bump.NONE:
        return replace(verdict, outcome="no change")
    return verdict


def _ending(contract: Contract, today: datetime.date) -> str:
    version = _raised(contract.version, Bump.MINOR)
    # The last day of a month: half a year from now is fair.
    end = months_after(today, NOTICE_MONTHS + 1) - datetime.timedelta(days=1)
    following = f"{contract.base_name}_v{contract.version.major + 1}"
    return (
        f"version: {version}\nstatus: deprecated\n…\nslaProperties:\n"
        f"  - id: end_of_life\n    property: endOfLife\n    value: '{end}'\n"
        f"    description: Until then both versions are there; move to {following}.\n"
    )


def _how_to_break(
    verdict: Verdict, pair: Pair, broken: list[Finding], diff: ContractDiff
) -> Verdict:
    old = pair.old
    if diff.ended(old) and {one.rule for one in broken} == {"MODEL_NO_DELETE"}:
        write = f"Remove {pair.after.path} as well: its last day was {old.end_of_life}."
        return replace(verdict, outcome="wrong", write=write)
    major = old.version.major + 1
    name = f"{old.base_name}_v{major}"
    product = f"{old.domain}.{name}"
    in_models = [f for f in broken if f.definition.category == "model"]
    by_model = len(in_models) == len(broken)
    places = sorted({path for f in in_models for path in (f.where.path, *f.made_in)})
    what = " and ".join([*([] if by_model else [pair.before.path]), *places])
    restore = f"Leave {old.product} {old.version} as it was: take the change out of {what}"
    restore += " (or out of what it reads)." if places else "."
    if product in diff.head.sources:
        beside = f"{product} is there already: put the change into it alone."
    else:
        beside = (
            f"Put it into contracts/{old.domain}/{name}.odcs.yaml (a copy with `id: {product}`, "
            f"`name: {name}`, `version: {major}.0.0`, and the table's `name: {name}`) and into "
            f"{_made_by(old, name)}."
        )
    return replace(
        verdict,
        outcome="wrong",
        write=f"{restore} {beside} Give the old version an end date in {pair.before.path}:",
        snippet=_ending(old, diff.today),
        made_in=tuple(places) if by_model else (),
        successor=product,
    )


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
    write = ""
    if any(f.breaking for f in found):
        write = f"Bring {source.path} and {_made_by(old, old.name)} back"
        write += f", beside {renamed}." if renamed else "."
        if not old.end_of_life:
            write += " Deprecate it with an end date, and delete it after that date."
        else:
            write += f" It may go after {old.end_of_life}."
    outcome: Outcome = "wrong" if write else "right"
    return Verdict(source.product, old.version, None, needed_bump(found), outcome, write)


def _of_added(source: Source, found: list[Finding], diff: ContractDiff) -> Verdict:
    product, version = source.product, source.contract.version
    if broken := [f for f in found if f.breaking]:
        return Verdict(product, None, version, Bump.NONE, "wrong", _mending(broken))
    older = _older(source.contract, {**diff.removed, **diff.head.sources})
    if not older:
        return Verdict(product, None, version, Bump.NONE, "right")
    old = older[-1]
    before = diff.pairs[old.product].before if old.product in diff.pairs else old
    moving = tuple(
        f.message
        for f in compare_pair(Pair(before, source))
        if f.level is not Level.INFO and f.definition.category not in ("product", "access")
    )
    verdict = Verdict(product, before.contract.version, version, Bump.MAJOR, "right", moving=moving)
    if old.product not in diff.head.sources:
        write = f"Bring {old.path} and {_made_by(old.contract, old.contract.name)} back."
        return replace(verdict, outcome="wrong", write=write)
    if not (old.contract.ends and old.contract.end_of_life):
        write, snippet = f"In {old.path} write:", _ending(before.contract, diff.today)
        return replace(verdict, outcome="wrong", write=write, snippet=snippet)
    return verdict
