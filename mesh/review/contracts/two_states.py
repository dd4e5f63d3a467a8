"""Two states of contracts that a user names: a file, a folder or a revision each."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mesh.contracts import ContractInvalid
from mesh.contracts.draft import contract_files
from mesh.errors import WrongUse
from mesh.files.problems import shown
from mesh.files.scratch import scratch
from mesh.git import find_checkout
from mesh.project import Project
from mesh.review.contracts.diff import ContractDiff, compare
from mesh.review.contracts.read import Contracts, read_contracts
from mesh.review.contracts.verdict import Verdict, small, verdicts
from mesh.review.contracts.verdict import rule as versions
from mesh.review.levels import levels_of
from mesh.review.rules import Finding, Level
from mesh.revision import lay_out


@dataclass(frozen=True)
class ContractReview:
    """What was found, and what it asks of the versions; at the levels of the later state."""

    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...] = ()

    @property
    def breaking(self) -> bool:
        return any(found.breaking for found in self.findings)


def judge(diff: ContractDiff, found: Iterable[Finding]) -> ContractReview:
    """All findings in their order, at their levels, and what they ask of the versions."""
    raw = [*found, *versions.findings(diff)]
    every = [diff.at_level(one) for one in raw]
    # No version mends a guard that is gone.
    judged = verdicts(diff, [one for one in every if one.definition.category != "guard"])
    for verdict in judged:
        if verdict.outcome == "too small" and verdict.product in diff.pairs:
            own = [f for f in every if f.product == verdict.product and f.bump]
            found = small.findings(diff.pairs[verdict.product], verdict, own)
            every += [diff.at_level(one) for one in found]
    kept = sorted((f for f in every if f.level is not Level.OFF), key=lambda f: f.key)
    return ContractReview(tuple(dict.fromkeys(kept)), tuple(judged))


def compare_states(
    project: Project, before: str, after: str, today: datetime.date | None = None
) -> ContractReview:
    """Compare two files, folders or revisions of a project, of which `.` is the work tree.

    Raises WrongUse for what is none of these.
    """
    day = today or datetime.datetime.now(datetime.UTC).date()
    with scratch("mesh-diff") as own:
        old, old_folder = _state(project, before, own / "before")
        if not old.sources and not old.problems:
            raise WrongUse(
                f"There are no contracts in `{shown(before)}`: there is nothing to compare with.",
                fix="Name a file or folder of contracts, or a revision that has some.",
            )
        new, new_folder = _state(project, after, own / "after")
        if Path(before).is_file() and Path(after).is_file():
            # Two files are two states of one thing, whatever they are called.
            old = _called(old, *new.sources)
        elif Path(before).is_file():
            new = _only(new, old)
        elif Path(after).is_file():
            old = _only(old, new)
        diff = ContractDiff(old, new, (levels_of(old_folder), levels_of(new_folder)), day)
        return judge(diff, compare(diff))


def _state(project: Project, name: str, own: Path) -> tuple[Contracts, Path | None]:
    """The contracts of one state, and the folder that they lie in."""
    path = project.root if name == "." else Path(name)
    if path.is_file():
        return read_contracts([path], project.root, names_count=False), None
    if path.is_dir():
        inner = path / "contracts"
        folder = inner if inner.is_dir() else path
        root = path if inner.is_dir() else path.parent
        return read_contracts(contract_files(folder), root), folder
    if path.suffix in (".yaml", ".yml"):
        raise WrongUse(f"There is no file `{shown(name)}`.", fix="Check its name.")
    checkout = find_checkout(project)
    commit = checkout.commit(name)
    own.mkdir(parents=True)
    own = lay_out(checkout, commit, own, only=("contracts/",)).root
    folder = own / "contracts"
    return read_contracts(contract_files(folder), own), folder


def _called(one: Contracts, product: str = "") -> Contracts:
    """A file by the name of this product; as it is where there is none on either side."""
    if not (one.sources and product):
        return one
    (source,) = one.sources.values()
    domain, _, name = product.partition(".")
    contract = dataclasses.replace(source.contract, domain=domain, name=name)
    problems = [(product, *told[1:]) for told in one.problems]
    sources = {product: dataclasses.replace(source, contract=contract)}
    return Contracts(sources, problems, one.unreadable)


def _only(many: Contracts, one: Contracts) -> Contracts:
    """What there is of the product of a single file: of the others it says nothing.

    Raises ContractInvalid when the file is no contract.
    """
    if not one.sources:
        raise ContractInvalid(problem for *_, problem in one.problems)
    sources = {name: source for name, source in many.sources.items() if name in one.sources}
    unreadable = {name: path for name, path in many.unreadable.items() if name in one.sources}
    problems = [found for found in many.problems if found[0] in one.sources]
    return Contracts(sources, problems, unreadable)
