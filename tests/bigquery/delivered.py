"""A small project on the emulator, the audience that is delivered to it, and what it must show."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from audience import Audience, epoch
from google.cloud import bigquery
from sqlglot import exp
from sqlmesh.core.engine_adapter.bigquery import BigQueryEngineAdapter
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.utils.date import to_datetime

from mesh.deliveries import months_after
from mesh.environments import Opened, open_project
from mesh.environments.names import short_name
from mesh.movielens.ingest import ingest
from mesh.movielens.ingest.targets.bigquery import BigQueryTarget
from mesh.project import Project
from tests.bigquery.conftest import Warehouse

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MONTHS, TOTALS = "interactions.movie_months", "interactions.movie_totals"
EVENTS, MONTHLY = "interactions_internal.rating_events", "interactions_internal.ratings_monthly"
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.bigquery import bridges
bridges.install()
from sqlmesh.core.engine_adapter.bigquery import BigQueryEngineAdapter
from sqlmesh.core.snapshot import SnapshotEvaluator
from mesh.environments import open_project, promote, refresh
from mesh.project import Project

point, root = sys.argv[1:]
evaluate, execute = SnapshotEvaluator.evaluate, BigQueryEngineAdapter._execute
models = 0

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

def counted(*args, **kwargs):
    global models
    models += 1
    if point == "between two models" and models == 2:
        killed()
    return evaluate(*args, **kwargs)

def sent(self, sql, *args, **kwargs):
    views = sql.count("CREATE OR REPLACE VIEW")
    if views > 1 and point in ("before the views", "before the promotion"):
        killed()
    if views == 1 and point == "during the promotion":
        killed()
    result = execute(self, sql, *args, **kwargs)
    if views > 1 and point == "after the views":
        killed()
    return result

SnapshotEvaluator.evaluate = counted
BigQueryEngineAdapter._execute = sent
project = open_project(Project(Path(root).resolve()), "bigquery")
if "promotion" in point:
    promote(project, "acceptance", "prod")
else:
    refresh(project, "prod")
"""
Rows = dict[str, list[tuple]]


@dataclass
class Seen:
    """What SQLMesh sent and built. months: by model the first days of those built."""

    jobs: list[str] = field(default_factory=list)
    months: dict[str, list[date]] = field(default_factory=dict)

    @property
    def scripts(self) -> list[str]:
        """The jobs that exchange views, each all of an environment's."""
        return [sql for sql in self.jobs if sql.count("CREATE OR REPLACE VIEW") > 1]


@dataclass
class Delivered:
    """Two environments, and the audience whose deliveries they show."""

    warehouse: Warehouse
    folder: Path
    audience: Audience
    project: Opened
    deliveries: int = 0

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def client(self) -> bigquery.Client:
        return bigquery.Client(project=self.warehouse.project)

    def deliver(self, *, append: bool = True) -> None:
        """Publish what the audience did."""
        self.deliveries += 1
        source = self.audience.deliver(self.folder / f"delivery_{self.deliveries}")
        ingest(source, append=append, database=self.folder / "a.duckdb", target=BigQueryTarget())

    def deliver_late(self, year: int = 1997, month: int = 2) -> date:
        """One more rating in a month long past, by a user who was never seen before."""
        self.audience.rate(1000 + self.deliveries, 1, epoch(year, month, 3))
        self.deliver()
        return date(year, month, 1)

    def reopen(self) -> None:
        """What another process would see."""
        self.project.context.close()
        self.project = open_project(Project(self.root), "bigquery")

    def rows(self, environment: str) -> Rows:
        """All rows of both products."""
        named = self.project.environment(environment)
        return {
            name: sorted(
                tuple(row)
                for row in self.project.rows(
                    exp.select("*").from_(self.project.view(snapshot, named))
                )
            )
            for name, snapshot in self.project.products(named).items()
        }

    def plan(self, environment: str) -> None:
        """As `sqlmesh plan` does, without asking."""
        self.project.context.plan(
            environment, auto_apply=True, no_prompts=True, skip_tests=True, include_unmodified=True
        )

    def killed(self, point: str) -> None:
        """Let another process refresh or promote, and kill it."""
        done = subprocess.run(
            [sys.executable, "-c", KILLED, point, str(self.root)],
            cwd=ROOT,
            env=self.warehouse.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -9, done.stdout + done.stderr


def expected(audience: Audience) -> Rows:
    """What the products must hold, counted from what was delivered."""
    months = Counter(
        (movie, datetime.fromtimestamp(at, UTC).date().replace(day=1))
        for (_, movie), (_, at) in audience.ratings.items()
    )
    totals = Counter(movie for _, movie in audience.ratings)
    return {
        MONTHS: sorted((*key, count) for key, count in months.items()),
        TOTALS: sorted((m, audience.movies[m][0], count) for m, count in totals.items()),
    }


@contextmanager
def watched() -> Iterator[Seen]:
    """Note what is sent and built meanwhile."""
    seen = Seen()
    evaluate, execute = SnapshotEvaluator.evaluate, BigQueryEngineAdapter._execute

    def noted(self: Any, snapshot: Any, **arguments: Any) -> Any:
        if snapshot.is_incremental_by_time_range:
            start, end = (to_datetime(arguments[key]).date() for key in ("start", "end"))
            months = seen.months.setdefault(short_name(snapshot.name), [])
            while start < end:
                months.append(start)
                start = months_after(start)
        return evaluate(self, snapshot, **arguments)

    def sent(self: Any, sql: str, *arguments: Any, **options: Any) -> Any:
        seen.jobs.append(sql)
        return execute(self, sql, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SnapshotEvaluator, "evaluate", noted)
        patch.setattr(BigQueryEngineAdapter, "_execute", sent)
        yield seen


def copied_project(root: Path) -> Path:
    """The models of this project, with the gateways of the other small one."""
    shutil.copytree(HERE / "delivered_project", root)
    config = (HERE / "small_project" / "config.yaml").read_text(encoding="utf-8")
    config += "\nvariables:\n  mesh: {deliveries: operational}\n"
    (root / "config.yaml").write_text(config.replace("2024-01-01", "1995-01-01"), encoding="utf-8")
    shutil.copytree(ROOT / "materializations", root / "materializations")
    shutil.copy2(ROOT / "external_models.yaml", root / "external_models.yaml")
    return root
