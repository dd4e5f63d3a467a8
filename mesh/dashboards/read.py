"""From YAML to dashboards: every problem with the file and its line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mesh.dashboards import spec
from mesh.errors import Location, WrongUse
from mesh.files.problems import FileInvalid, FileKind, Problem, shown
from mesh.files.sentences import read_model
from mesh.files.tree import Tree, read_tree
from mesh.project import display
from mesh.settings import PROJECT_ROOT

SPECS = PROJECT_ROOT / "looker"


@dataclass(frozen=True)
class Loaded:
    """A dashboard with the tree it was read from, which knows the lines."""

    dashboard: spec.Dashboard
    tree: Tree


class DashboardInvalid(FileInvalid):
    """A spec that cannot be relied on."""

    command = "mesh dashboards check"


DASHBOARD = FileKind("dashboard", "`id`, `title`", DashboardInvalid)


def spec_paths(root: Path = SPECS) -> list[Path]:
    """The spec files in a folder, sorted; WrongUse when there is no such folder, or no spec."""
    paths = sorted(root.glob("*.yaml")) if root.is_dir() else []
    if not paths:
        raise WrongUse(
            "There are no dashboards here.",
            where=Location(display(root)),
            fix="Write one as <dashboard>.yaml, or name the folder that holds them.",
        )
    return paths


def read_spec(path: Path) -> tuple[Loaded | None, list[Problem]]:
    """One spec, or None with what is wrong with its keys and types."""
    try:
        tree = read_tree(path, DASHBOARD)
    except DashboardInvalid as error:
        return None, list(error.problems)
    dashboard, problems = read_model(tree, spec.Dashboard)
    if dashboard is None:
        return None, problems
    if dashboard.id != path.stem:
        message = f"The id is `{shown(dashboard.id)}`, but the file is {shown(path.name)}."
        problems.append(
            Problem(path, tree.line(("id",)), "ID", message, f"Write `id: {shown(path.stem)}`.")
        )
    return Loaded(dashboard, tree), problems


def load_dashboards(root: Path = SPECS) -> list[Loaded]:
    """All dashboards of a folder. Raises DashboardInvalid when a spec cannot be read."""
    loaded, problems = [], []
    for path in spec_paths(root):
        found, wrong = read_spec(path)
        problems += wrong
        if found:
            loaded.append(found)
    if problems:
        raise DashboardInvalid(problems)
    return loaded
