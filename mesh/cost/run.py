"""The cost of a project, of one revision or of two beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mesh.cost.estimate import Cost, estimate
from mesh.cost.sizes import TableSize
from mesh.cost.statistics import table_sizes
from mesh.environments import Opened, open_project
from mesh.environments.collector import collector_spared
from mesh.errors import CheckFailed, MeshError
from mesh.files.scratch import scratch
from mesh.git import find_checkout
from mesh.project import Project
from mesh.prove import ChartQuery
from mesh.prove.project import open_for_bigquery
from mesh.revision import Laid, lay_out

ChartsOf = Callable[[Project], Sequence[ChartQuery]]


def cost(
    project: Project,
    charts_of: ChartsOf,
    *,
    environment: str | None = None,
    rows: int | None = None,
) -> Cost:
    """The cost of a project on the tables of a local environment; see `estimate`.

    environment: by default prod, or else the first there is. WrongUse if there is no such
    environment, or no rows.
    """
    loaded, opened = open_for_bigquery(project), open_project(project, models=False)
    with collector_spared():
        sizes = table_sizes(loaded, opened, _chosen(opened, environment))
        return estimate(loaded, sizes, rows=rows, charts=charts_of(project))


def _chosen(opened: Opened, environment: str | None) -> str:
    names = opened.environment_names
    if environment is not None or not names:
        return environment or "prod"
    return "prod" if "prod" in names else names[0]


def cost_of_revision(
    project: Project, revision: str, sizes: Mapping[str, TableSize], charts_of: ChartsOf
) -> Cost:
    """The cost of another revision on the same rows; the work tree is not touched.

    WrongUse if there is no such revision, CheckFailed if its project does not load.
    """
    tree = find_checkout(project)
    commit = tree.commit(revision)
    with scratch("mesh-cost") as folder:
        return cost_of_laid(lay_out(tree, commit, folder.resolve()), revision, sizes, charts_of)


def cost_of_laid(
    laid: Laid, revision: str, sizes: Mapping[str, TableSize], charts_of: ChartsOf
) -> Cost:
    """The same of a revision that is laid out already."""
    try:
        there = Project(laid.root)
        return estimate(open_for_bigquery(there), sizes, charts=charts_of(there))
    except MeshError as error:
        raise CheckFailed(
            f"the cost of {revision} cannot be told: {error.message}",
            fix="Name a revision whose project loads.",
        ) from error
