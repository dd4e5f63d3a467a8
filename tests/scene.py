"""A database that goes through deliveries and commands, and what each environment must show then.

The law that tests hold against it: after a command that says success, an environment shows just
what a fresh build of its version of the models makes of the deliveries that it shows; and it
changes by no command but those that name it.
"""

from __future__ import annotations

import datetime as clock_module
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path

import duckdb
import processes
import pytest
from audience import Audience, epoch, small_audience, without_noise
from built import built
from products_in_python import Products, Rules, in_python
from project_copy import ProjectCopy, copy_project

from mesh.environments import (
    Opened,
    RefreshResult,
    open_project,
    plan,
    promote,
    refresh,
    rollback,
    status,
)
from mesh.movielens.ingest import IngestResult, ingest
from mesh.project import Project

DAILY = "models/interactions/internal/movie_ratings_daily.sql"
DAYS = "contracts/interactions/movies_engagement_daily.odcs.yaml"
THRESHOLDS = "models/engagement/internal/thresholds.sql"
SHOWN_SCHEMA = re.compile(r"(interactions|engagement)(?:__(\w+))?")
RULES = {"A": Rules(), "B": Rules(lowest_rating=1.0), "C": Rules(rater_above=12, smallest_group=6)}


def make_versions(folder: Path, *, few: bool) -> dict[str, ProjectCopy]:
    """Three versions of the models, of all of them or of few.

    A: as they are. B: a fact counts half a star as one, a breaking change. C: it has a column
    more, which SQLMesh calls non-breaking, and marts have other thresholds.
    """
    versions = {name: copy_project(folder / name) for name in RULES}
    if few:
        for copy in versions.values():
            copy.keep_few()
    for part in ("low", "mid", "high"):
        old, new = f"part(rating, '{part}')", f"part(GREATEST(rating, 1.0), '{part}')"
        versions["B"].edit(DAILY, old, new)
    versions["B"].edit(DAYS, "CAST(2 * rating AS", "CAST(2 * GREATEST(rating, 1.0) AS")
    versions["C"].edit(
        DAILY, "AS histogram_high\n", "AS histogram_high,\n  MAX(rating)::FLOAT64 AS best_rating\n"
    )
    versions["C"].edit(THRESHOLDS, "100::INT64 AS rater", "12::INT64 AS rater")
    versions["C"].edit(THRESHOLDS, "5::INT64 AS smallest", "6::INT64 AS smallest")
    for file in (versions["C"].root / "contracts" / "engagement").glob("*.yaml"):
        file.write_text(_with_other_thresholds(file.read_text()))
    return versions


def _with_other_thresholds(contract: str) -> str:
    """What a contract says of the thresholds, with those of version C."""
    for old, new in (
        (r"(?<!rating_count )>= 5\b", ">= 6"),
        (r"< 5 THEN 'few_before'", "< 6 THEN 'few_before'"),
        (r"(IF\(COUNT\(\*\) <\s+\d+), 4,", r"\1, 5,"),
        (r"action_count > 100\b", "action_count > 12"),
    ):
        contract = re.sub(old, new, contract)
    return contract


@cache
def begin(folder: Path, *, few: bool = True) -> Scene:
    """Version A of the first delivery, in prod and acceptance; tests work on copies of it.

    Neither of the two expires when the calendar moves on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    versions = make_versions(folder, few=few)
    scene = Scene(versions, folder / "mesh.duckdb", FreshBuilds(versions))
    first = built(versions["A"], scene.audience, "prod")
    shutil.copy2(first, scene.database)
    scene.noted(1)
    scene.now_shows("prod", "A")
    scene.plan("acceptance", "A")
    scene.check()
    return scene


def scene_audience() -> Audience:
    """The small audience, with enough ratings in its newest months for every mart to have rows."""
    audience = small_audience()
    for user in range(31, 37):
        for movie in range(1, 8):
            audience.rate(user, movie, epoch(2016, 10 + (user + movie) % 2, 1 + user % 28))
        audience.tag(user, 1)
    return audience


def shown(database: Path) -> dict[str, Products]:
    """All rows of all products of all environments, read without SQLMesh."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{database}' AS mesh (READ_ONLY)")
        connection.execute("USE mesh")
        views = connection.execute(
            "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'mesh'"
        ).fetchall()
        found: dict[str, Products] = {}
        for schema, view in sorted(views):
            if match := SHOWN_SCHEMA.fullmatch(schema):
                rows = connection.execute(f'FROM "{schema}"."{view}"').fetchall()
                products = found.setdefault(match.group(2) or "prod", {})
                products[f"{match.group(1)}.{view}"] = sorted(rows, key=repr)
        return found


@dataclass
class FreshBuilds:
    """Whole builds of a version from a delivery alone, each made once."""

    versions: dict[str, ProjectCopy]
    known: dict[Path, Products] = field(default_factory=dict)

    def of(self, version: str, audience: Audience) -> Products:
        database = built(self.versions[version], audience, "prod")
        if database not in self.known:
            self.known[database] = shown(database)["prod"]
        return self.known[database]


@dataclass(frozen=True)
class Shown:
    """What an environment must show."""

    version: str
    delivery: int


@dataclass
class Scene:
    """A database, its source, and what was done to it.

    delivered: the source as of each delivery. shows, before: what each environment must show, and
    what it would go back to.
    """

    versions: dict[str, ProjectCopy]
    database: Path
    fresh: FreshBuilds
    audience: Audience = field(default_factory=scene_audience)
    delivered: dict[int, Audience] = field(default_factory=dict)
    shows: dict[str, Shown] = field(default_factory=dict)
    before: dict[str, Shown] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def products(self) -> set[str]:
        """The products of all versions, with their schemas."""
        return self.versions["A"].products

    @property
    def newest(self) -> int:
        return max(self.delivered)

    def deliver(self, *, append: bool = False) -> IngestResult:
        """Ingest the source as it is now."""
        source = self.audience.deliver(self.database.parent / f"source_{len(self.told)}")
        done = ingest(source, append=append, database=self.database)
        self.told.append(f"deliver{' append' if append else ''} -> {done.ingest_id}")
        self.noted(done.ingest_id)
        return done

    def noted(self, delivery: int) -> None:
        """Note that a delivery was the source as it is now."""
        self.delivered[delivery] = Audience(
            self.audience.chance,
            dict(self.audience.movies),
            dict(self.audience.ratings),
            dict(self.audience.tags),
        )

    def now_is(self, environment: str, now: Shown) -> None:
        """Note what an environment must show from now on."""
        self.told.append(f"{environment} shows {now}")
        if environment in self.shows and self.shows[environment] != now:
            self.before[environment] = self.shows[environment]
        self.shows[environment] = now

    def now_shows(self, environment: str, version: str) -> None:
        """Note that a command brought an environment to a version of the newest delivery."""
        self.now_is(environment, Shown(version, self.newest))

    @contextmanager
    def project(self, version: str | None = None) -> Iterator[Opened]:
        """A project with the models of a version; without one, what environments hold alone."""
        copy = self.versions[version or "A"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MESH_DUCKDB", str(self.database))
            project = open_project(Project(copy.root), models=version is not None)
            try:
                yield project
            finally:
                project.close()

    def plan(self, environment: str, version: str) -> tuple[str, ...]:
        with self.project(version) as project:
            done = plan(project, environment)
        self.now_shows(environment, version)
        return done.models

    def run(self, environment: str, version: str) -> None:
        """`sqlmesh run`: with the versions that the environment has, whatever stands in files."""
        with self.project(version) as project:
            project.context.run(environment)
        self.now_shows(environment, self.shows[environment].version)

    def refresh(self, environment: str) -> RefreshResult:
        with self.project() as project:
            done = refresh(project, environment)
        self.now_shows(environment, self.shows[environment].version)
        return done

    def promote(self, source: str, environment: str) -> RefreshResult:
        with self.project() as project:
            done = promote(project, source, environment)
        self.now_is(environment, self.shows[source])
        return done

    def rollback(self, environment: str) -> RefreshResult:
        with self.project() as project:
            done = rollback(project, environment)
        self.now_is(environment, self.before[environment])
        return done

    def command(self, version: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the project's environment, such as `sqlmesh plan prod`, as a process."""
        copy = self.versions[version]
        environment = {**copy.environment, "MESH_DUCKDB": str(self.database)}
        return processes.run(*words, cwd=copy.root, env=environment, timeout=500)

    def sqlmesh_plan(self, environment: str, version: str, *restated: str) -> None:
        """What `sqlmesh plan --auto-apply --no-prompts` does, without a process of its own."""
        with self.project(version) as project:
            project.context.plan(
                environment,
                restate_models=restated or None,
                auto_apply=True,
                no_prompts=True,
                skip_tests=True,
            )
        self.now_shows(environment, version)

    def said_by_sqlmesh_plan(self, environment: str, version: str) -> str:
        """What native `sqlmesh plan` says; it must succeed."""
        words = ("sqlmesh", "plan", environment, "--auto-apply", "--no-prompts", "--skip-tests")
        done = self.command(version, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        self.now_shows(environment, version)
        return " ".join(done.stdout.split())

    def expected(self, environment: str, *, whole: bool = True) -> Products:
        """What an environment must show: of a fresh build, or the part that Python works out."""
        shows = self.shows[environment]
        if whole:
            return self.fresh.of(shows.version, self.delivered[shows.delivery])
        found = in_python(self.delivered[shows.delivery], RULES[shows.version])
        return {name: rows for name, rows in found.items() if name in self.products}

    def check(self, *, whole: bool = True) -> dict[str, Products]:
        """Every environment shows what it must, and `mesh status` says so."""
        found = shown(self.database)
        assert found.keys() == self.shows.keys(), self.told
        for environment in self.shows:
            assert found[environment].keys() == self.products, (environment, self.told)
            self._compare(environment, found[environment], whole=False)
            if whole:
                self._compare(environment, found[environment], whole=True)
        with self.project() as project:
            for environment, must in self.shows.items():
                said = status(project, environment)
                assert not said.mixed and not said.lost, (environment, said, self.told)
                assert said.shows, (environment, self.told)
                # A delivery that changed nothing is shown wherever the one before it is.
                assert said.shows.number >= must.delivery, (environment, said.shows, self.told)
                data = self.delivered[said.shows.number]
                assert _data(data) == _data(self.delivered[must.delivery]), self.told
        return found

    def _compare(self, environment: str, found: Products, *, whole: bool) -> None:
        for name, rows in self.expected(environment, whole=whole).items():
            rows, others = without_noise(rows), without_noise(found[name])
            if others != rows:
                missing = [row for row in rows if row not in others][:3]
                excess = [row for row in others if row not in rows][:3]
                pytest.fail(f"{environment} {name}: {missing=} {excess=} {whole=} {self.told}")


def _data(audience: Audience) -> tuple:
    return audience.movies, audience.ratings, audience.tags


def copied(scene: Scene, folder: Path) -> Scene:
    """The same scene on a copy of its database."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Path(shutil.copy2(scene.database, folder / "mesh.duckdb"))
    audience = Audience(random.Random(1), *(dict(d) for d in _data(scene.audience)))
    return Scene(
        scene.versions,
        database,
        scene.fresh,
        audience,
        dict(scene.delivered),
        dict(scene.shows),
        dict(scene.before),
        list(scene.told),
    )


@contextmanager
def clock(**moved: float) -> Iterator[None]:
    """The clock of SQLMesh and of `mesh.environments`, moved: `clock(days=-1)`."""
    import sqlmesh.utils.date

    from mesh.environments import deliveries

    real, shift = clock_module.datetime, timedelta(**moved)

    class AnyDatetime(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

    class Moved(real, metaclass=AnyDatetime):
        def __new__(cls, *args, **kwargs):
            return real(*args, **kwargs)

        @classmethod
        def now(cls, tz=None):
            return real.now(tz) + shift

        @classmethod
        def utcnow(cls):
            return (real.now(UTC) + shift).replace(tzinfo=None)

    with pytest.MonkeyPatch.context() as patch:
        for module in (sqlmesh.utils.date, deliveries):
            patch.setattr(module, "datetime", Moved)
        yield
