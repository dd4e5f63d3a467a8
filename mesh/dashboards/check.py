"""Dashboards against the contracts of their sources: what `mesh dashboards check` finds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mesh.contracts import Contract, load_contracts

# Their rules list themselves.
from mesh.dashboards import control_rules, page_rules, time_rules  # noqa: F401
from mesh.dashboards.kinds.base import Look
from mesh.dashboards.read import DashboardInvalid, Loaded, dashboard_files, read_specs
from mesh.dashboards.rules import RULES
from mesh.files.folder import strays
from mesh.files.problems import Problem


def check(specs: Path, contracts: Path) -> tuple[int, list[Problem]]:
    """How many dashboards there are in a folder, and every problem of every one, sorted."""
    loaded, problems = _checked(specs, contracts)
    return len(loaded), problems


def checked_dashboards(specs: Path, contracts: Path) -> list[Loaded]:
    """All dashboards of a folder. Raises DashboardInvalid when one does not keep to a contract."""
    loaded, problems = _checked(specs, contracts)
    if problems:
        raise DashboardInvalid(problems)
    return [one for one in loaded if one]


def _checked(specs: Path, contracts: Path) -> tuple[list[Loaded | None], list[Problem]]:
    found = read_specs(specs)
    boards = [loaded.dashboard for loaded, _ in found if loaded]
    shown = {source.product for board in boards for source in board.sources.values()}
    known = load_contracts(contracts, shown)
    problems = {problem for _, wrong in found for problem in wrong}
    problems.update(strays(specs, dashboard_files(specs), "<dashboard>.yaml, right in this folder"))
    for loaded, _ in found:
        problems.update(check_dashboard(loaded, known) if loaded else ())
    return [loaded for loaded, _ in found], sorted(problems)


def check_dashboard(
    loaded: Loaded, contracts: Mapping[str, Contract], *, of_data: bool = False
) -> list[Problem]:
    """All that is wrong with one dashboard that could be read.

    of_data: leave out how the page is laid out, and say only what concerns the data.
    """
    look = Look(loaded.dashboard, loaded.tree, contracts)
    return [
        Problem(loaded.tree.path, loaded.tree.line(found.steps), rule.id, found.message, found.fix)
        for rule in RULES.values()
        if rule.of_data or not of_data
        for found in rule.find(look)
    ]
