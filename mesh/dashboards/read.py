"""From YAML to dashboards: every problem with the file and its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mesh.dashboards.spec import Dashboard
from mesh.errors import Location, WrongUse
from mesh.files.problems import FileInvalid, FileKind, Problem
from mesh.files.sentences import read_model
from mesh.files.tree import Tree, read_tree
from mesh.project import display


class DashboardInvalid(FileInvalid):
    """A dashboard that cannot be relied on."""

    command = "mesh dashboards check"


DASHBOARD = FileKind("dashboard", "`id`, `title`", DashboardInvalid)


@dataclass(frozen=True)
class Loaded:
    """A dashboard with the tree it was read from, which knows the lines."""

    dashboard: Dashboard
    tree: Tree


def dashboard_files(folder: Path) -> list[Path]:
    """The files of a folder that are dashboards, sorted; none when there is no such folder.

    Of two with one name that which ends in `.yaml`.
    """
    named = {path.stem: path for ending in ("yml", "yaml") for path in folder.glob(f"*.{ending}")}
    return sorted(named.values())


def read_specs(folder: Path) -> list[tuple[Loaded | None, list[Problem]]]:
    """What `read_spec` says of each dashboard; WrongUse when there is no folder, or none in it."""
    paths = dashboard_files(folder)
    if not paths:
        raise WrongUse(
            "There are no dashboards here.",
            where=Location(display(folder)),
            fix="Write one as <dashboard>.yaml, or name the folder that holds them.",
        )
    return [read_spec(path) for path in paths]


def read_spec(path: Path) -> tuple[Loaded | None, list[Problem]]:
    """One dashboard, or None, and what is wrong with its keys and types."""
    try:
        tree = read_tree(path, DASHBOARD)
    except DashboardInvalid as error:
        return None, list(error.problems)
    dashboard, problems = read_model(tree, Dashboard)
    return Loaded(dashboard, tree) if dashboard else None, problems


def load_dashboards(folder: Path) -> list[Loaded]:
    """All dashboards of a folder. Raises DashboardInvalid when one cannot be read."""
    found = read_specs(folder)
    if problems := [problem for _, wrong in found for problem in wrong]:
        raise DashboardInvalid(problems)
    return [loaded for loaded, _ in found if loaded]
