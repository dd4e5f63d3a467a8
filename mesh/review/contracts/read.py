"""Contracts of one revision, read so that one that cannot be relied on does not hide the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mesh.contracts.checks import problems_of
from mesh.contracts.checks.names import file_name, name_disagrees
from mesh.contracts.draft import Draft, product_of, read_draft
from mesh.contracts.findings import ContractInvalid
from mesh.contracts.load import build
from mesh.files.problems import Problem
from mesh.project import Project, real
from mesh.review.contracts.pair import Source

# What a file is called says where it belongs, not what it promises.
ABOUT_NAMES = frozenset({name_disagrees.id, file_name.id})


@dataclass(frozen=True)
class Contracts:
    """The contracts of one revision.

    sources: what could be read, by product. problems: all that lint says, by product and path.
    unreadable: the products of files of which nothing could be made. drafts: by path, what was read
    of files that stand beside each other, so that their rules can be held against one another.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    problems: list[tuple[str, str, Problem]] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)


def read_contracts(files: Iterable[Path], root: Path, *, names_count: bool = True) -> Contracts:
    """Read the files; root: what their paths are shown from.

    names_count: whether a file's name and folder have to be those of its product.
    """
    found, project = Contracts(), Project(real(root))
    for file in sorted(files):
        path = project.shown(file).as_posix()
        source, draft, problems = _read(file, path)
        if not names_count:
            problems = tuple(p for p in problems if p.rule not in ABOUT_NAMES)
        elif source and draft:
            found.drafts[path] = draft
        product = source.product if source else product_of(file)
        found.problems.extend((product, path, problem) for problem in problems)
        if source is None:
            found.unreadable[product] = path
        else:
            found.sources[product] = source
    return found


def _read(file: Path, path: str) -> tuple[Source | None, Draft | None, tuple[Problem, ...]]:
    try:
        draft = read_draft(file)
    except ContractInvalid as error:
        return None, None, error.problems
    problems = tuple(sorted(problems_of(draft)))
    try:
        contract = build(draft)
    except Exception:
        # A draft with problems need not have what a contract is made of.
        if not problems:
            raise
        return None, draft, problems
    if not contract.name or not contract.columns:
        return None, draft, problems
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    return Source(contract, path, text, draft.tree), draft, problems
