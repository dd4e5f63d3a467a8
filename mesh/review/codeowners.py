"""CODEOWNERS from the contracts: who produces a product, and which teams read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mesh.contracts import load_contracts
from mesh.contracts.model import Contract
from mesh.dashboards import read_usage
from mesh.errors import Location, WrongUse
from mesh.files.generated import with_section
from mesh.project import Project
from mesh.review.levels import read_organisation
from mesh.review.models.lines import top_of

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for it, from the top of the repository; it reads the first that is there."""
_SPEAKS = re.compile(r"[*?\[\]#\\]|(?! )\s|[\0-\x1f\x7f-\x9f]")
# Ends the roles that stand for a team; the others are machines.
TEAM_ROLE = "_team"
BEGIN = "# Written by `mesh codeowners` from {folder}contracts/"
HEAD = """: change the contracts, not these lines.
#
# GitHub asks every team on a line, and is content when one agrees. A line with two teams is a
# product that one of them makes and the others read: a ruleset of the branch requires both.
"""
END = "# The end of what is written from {folder}contracts/."


def teams_of(contract: Contract) -> tuple[str, ...]:
    """The producer, then the teams that may read the product, in order."""
    roles = (role.name for role in contract.roles)
    readers = {name.removesuffix(TEAM_ROLE) for name in roles if name.endswith(TEAM_ROLE)}
    return contract.owner, *sorted(readers - {contract.owner, ""})


def codeowners(project: Project) -> dict[Path, str]:
    """CODEOWNERS of the repository by its path, with the lines of this project in it.

    What others wrote stays. The last line that fits a file counts, as GitHub has it: so these lines
    stand behind, and speak of the project alone where the file is not theirs alone.
    """
    root = project.root
    top = top_of(root)
    folder = f"{root.relative_to(top).as_posix()}/".removeprefix("./")
    path = next((file for name in PLACES if (file := top / name).is_file()), top / PLACES[0])
    _pattern(folder)
    begin, end = _marks(folder)
    before = path.read_bytes().strip() if path.is_file() else b""
    alone = not folder and (not before or before.startswith(begin.encode()))
    lines = "\n".join(_lines(project, folder, alone=alone))
    return {path: with_section(path, begin, end, f"{HEAD}\n{lines}\n")}


def brought_up(old: Project, new: Project) -> dict[str, str]:
    """The CODEOWNERS of a base with the lines that a change of contracts brings with it, by its
    path in the project: what else differs somebody wrote. Nothing where it lies above."""
    begin, end = _marks("")
    found = {}
    for path, text in codeowners(new).items():
        name = path.relative_to(new.root).as_posix() if path.is_relative_to(new.root) else ""
        if name and (file := old.root / name).is_file():
            head, _, rest = file.read_text("utf-8", "replace").partition(begin)
            _, begins, written = text.partition(begin)
            section = f"\n{begin}{written.partition(end)[0]}{end}\n" if begins else ""
            found[name] = f"{head}{section}{rest.partition(end)[2]}"
    return found


def _marks(folder: str) -> tuple[str, str]:
    return BEGIN.format(folder=folder), END.format(folder=folder)


def _pattern(path: str) -> str:
    """What fits this path and nothing else. GitHub knows of no other escape than that of a blank;
    WrongUse where another would be needed."""
    if found := _SPEAKS.search(path):
        raise WrongUse(
            f"its name holds {found[0]!r}, which CODEOWNERS takes for something else than itself, "
            "so its owners cannot be written there.",
            where=Location(Path(path.lstrip("/"))),
            fix="Give it another name.",
        )
    return path.replace(" ", "\\ ")


def _lines(project: Project, folder: str, *, alone: bool) -> Iterator[str]:
    """folder: where the project lies in the repository. alone: whether all of that is its own."""
    contracts = load_contracts(project.contracts)
    organisation = read_organisation(project.contracts)
    everyone = sorted({contract.owner for contract in contracts.values()})

    def line(path: str, teams: Iterable[str]) -> str:
        pattern = _pattern(f"/{folder}{path}") if path != "*" else path
        return f"{pattern:<62} " + " ".join(f"@{organisation}/{team}" for team in teams)

    if alone or folder:
        yield from (line("*" if alone else "", everyone), "")
    owners: dict[str, set[str]] = {}
    for contract in contracts.values():
        owners.setdefault(contract.domain, set()).add(contract.owner)
    for domain in sorted(owners):
        for part in ("contracts", "models", "tests"):
            if (project.root / part / domain).is_dir():
                yield line(f"{part}/{domain}/", sorted(owners[domain]))
    yield ""
    for product in sorted(contracts):
        contract = contracts[product]
        teams = teams_of(contract)
        yield line(f"contracts/{contract.domain}/{contract.name}.odcs.yaml", teams)
        model = f"models/{contract.domain}/{contract.name}.sql"
        if (project.root / model).is_file():
            yield line(model, teams)
    yield ""
    shown: dict[str, set[str]] = {}
    for chart in read_usage(project.dashboards).charts.values():
        if chart.product in contracts:
            owner = contracts[chart.product].owner
            shown.setdefault(project.shown(chart.path).as_posix(), set()).add(owner)
    for path in sorted(shown):
        yield line(path, sorted(shown[path]))
    yield line("contracts/review.yaml", everyone)
    if alone:
        yield line(".github/", everyone)
