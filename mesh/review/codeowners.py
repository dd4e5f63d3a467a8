"""CODEOWNERS from the contracts: who produces a product, and which teams read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mesh.contracts import load_contracts
from mesh.contracts.model import Contract
from mesh.dashboards import read_usage
from mesh.project import Project
from mesh.review.levels import read_organisation

PATH = ".github/CODEOWNERS"
TEAM_ROLE = "_team"
HEAD = """\
# Written by `mesh codeowners` from contracts/: change the contracts, not this file.
#
# GitHub asks every team on a line. A line with two teams is a product that one of them makes and
# the others read: see docs/reviews.md for how both are required.
"""


def team_of(role: str) -> str | None:
    """The team that a role of a contract stands for, or None for a role of a machine."""
    return role.removesuffix(TEAM_ROLE) if role.endswith(TEAM_ROLE) else None


def teams_of(contract: Contract) -> tuple[str, ...]:
    """The producer, then the teams that may read the product, in order."""
    readers = {team_of(role.name) for role in contract.roles} - {None, contract.owner}
    return (contract.owner, *sorted(filter(None, readers)))


def codeowners(project: Project) -> dict[Path, str]:
    """CODEOWNERS by its path. The last line that fits a file counts, as GitHub has it."""
    contracts = load_contracts(project.contracts)
    organisation = read_organisation(project.contracts)
    everyone = sorted({contract.owner for contract in contracts.values()})

    def line(pattern: str, teams: Iterable[str]) -> str:
        return f"{pattern:<62} " + " ".join(f"@{organisation}/{team}" for team in teams)

    lines = [HEAD, line("*", everyone), ""]
    owners: dict[str, set[str]] = {}
    for contract in contracts.values():
        owners.setdefault(contract.domain, set()).add(contract.owner)
    for domain in sorted(owners):
        for folder in ("contracts", "models", "tests"):
            if (project.root / folder / domain).is_dir():
                lines.append(line(f"/{folder}/{domain}/", sorted(owners[domain])))
    lines.append("")
    for product in sorted(contracts):
        contract = contracts[product]
        teams = teams_of(contract)
        lines.append(line(f"/contracts/{contract.domain}/{contract.name}.odcs.yaml", teams))
        model = f"models/{contract.domain}/{contract.name}.sql"
        if (project.root / model).is_file():
            lines.append(line(f"/{model}", teams))
    lines.append("")
    shown: dict[str, set[str]] = {}
    for chart in read_usage(project.dashboards).charts.values():
        if chart.product in contracts:
            owner = contracts[chart.product].owner
            shown.setdefault(project.shown(chart.path).as_posix(), set()).add(owner)
    lines += [line(f"/{path}", sorted(shown[path])) for path in sorted(shown)]
    lines += [line("/contracts/review.yaml", everyone), line("/.github/", everyone)]
    return {project.root / PATH: "\n".join(lines) + "\n"}
