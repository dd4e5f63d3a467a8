"""`cost()` and what others ask of it: one revision, or two beside each other."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mesh.cost.estimate import Cost, estimate, relations_of
from mesh.cost.sizes import TableSize
from mesh.cost.statistics import table_sizes
from mesh.cost.textbook import textbook_bytes
from mesh.environments import Project, open_project
from mesh.errors import CheckFailed
from mesh.prove.charts import chart_queries
from mesh.prove.project import BigQueryProject, open_for_bigquery
from mesh.settings import PROJECT_ROOT

_WORKER = """
import pickle, sys
from pathlib import Path
import mesh.settings
mesh.settings.PROJECT_ROOT = Path(sys.argv[1])
from mesh.cost.run import cost_of_files
task = pickle.loads(Path(sys.argv[2]).read_bytes())
Path(sys.argv[3]).write_bytes(pickle.dumps(cost_of_files(Path(sys.argv[1]), **task)))
"""


def cost_of_files(
    root: Path, sizes: Mapping[str, TableSize], ratings: int | None = None
) -> tuple[Cost, dict[str, float]]:
    """The cost of the project at `root` on tables of these sizes; and the textbook's bytes."""
    project = open_for_bigquery(root)
    specs = root / "looker"
    charts = chart_queries(specs) if specs.is_dir() else []
    cost = estimate(project, sizes, ratings=ratings, charts=charts)
    return cost, textbook_bytes(relations_of(project, cost.sizes))


def cost(
    environment: str | None = None, *, ratings: int | None = None
) -> tuple[Cost, dict[str, float]]:
    """The cost of the work tree, by the rows of an environment: prod, or else the first there is.

    WrongUse if there is no such environment, or no ratings.
    """
    return cost_of_files(PROJECT_ROOT, local_sizes(environment), ratings)


def local_sizes(environment: str | None = None) -> dict[str, TableSize]:
    """Sizes of the tables of a local environment."""
    local = open_project()
    return table_sizes(open_for_bigquery(PROJECT_ROOT), local, chosen(local, environment))


def chosen(project: Project, environment: str | None) -> str:
    """The environment to count in: the given one, prod, or the first there is."""
    names = project.environment_names
    if environment is not None or not names:
        return environment or "prod"
    return "prod" if "prod" in names else names[0]


def cost_of_revision(
    revision: str, sizes: Mapping[str, TableSize], ratings: int | None = None
) -> Cost:
    """The cost of another revision on the same rows; the work tree is not touched.

    WrongUse if there is no such revision, CheckFailed if its project does not load.
    """
    from mesh.git import find_checkout
    from mesh.project import Project as root_of

    tree = find_checkout(root_of(PROJECT_ROOT))
    commit = tree.commit(revision)
    with tempfile.TemporaryDirectory() as scratch:
        root, task, answer = (Path(scratch) / name for name in ("project", "task", "answer"))
        root.mkdir()
        tree.extract(commit, root)
        task.write_bytes(pickle.dumps({"sizes": dict(sizes), "ratings": ratings}))
        done = subprocess.run(
            [sys.executable, "-c", _WORKER, str(root), str(task), str(answer)],
            capture_output=True,
            text=True,
            cwd=PROJECT_ROOT,
            check=False,
        )
        if done.returncode or not answer.exists():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise CheckFailed(
                f"the cost of {revision} cannot be told: {last}",
                fix="Name a revision whose project loads.",
            )
        return pickle.loads(answer.read_bytes())[0]


def monthly_bytes(project: Project, environment: str | None = None) -> dict[str, float]:
    """Bytes that a monthly run scans, by model, on an environment's rows: for the review."""
    files: BigQueryProject = open_for_bigquery(PROJECT_ROOT)
    sizes = table_sizes(files, project, chosen(project, environment))
    return {model.model: model.monthly for model in estimate(files, sizes).models}
