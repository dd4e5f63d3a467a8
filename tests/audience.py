"""A small audience made by hand, delivered as files, and what an environment makes of it."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from project_copy import ProjectCopy
from sqlglot import exp

from mesh.environments import Opened, open_project
from mesh.project import Project

GENRES = ("Comedy", "Drama", "Film-Noir", "Sci-Fi", "(no genres listed)")
USERS = 30
MOVIES = 20
# What stands before the year of some titles: marks that nobody sees, and blanks of other scripts.
BEFORE_YEAR = {7: " \u202eevil\u202c", 8: "\u200b", 9: " É\u3000"}
MONTHS = tuple((year, month) for year in (1997, 2015, 2016) for month in (1, 2, 5, 11))


@dataclass
class Audience:
    """Movies, ratings and tags by their keys; times are epoch seconds."""

    chance: random.Random
    movies: dict[int, tuple[str, str]] = field(default_factory=dict)
    ratings: dict[tuple[int, int], tuple[float, int]] = field(default_factory=dict)
    tags: dict[tuple[int, int, str], int] = field(default_factory=dict)

    def some_time(self) -> int:
        year, month = self.chance.choice(MONTHS)
        return epoch(year, month, self.chance.randint(1, 28), self.chance.randint(0, 23))

    def make_movie(self, movie: int) -> None:
        year = self.chance.choice(["(1979)", "(1995)", "(2009)", ""])
        genres = "|".join(sorted(self.chance.sample(GENRES[:4], self.chance.randint(1, 3))))
        self.movies[movie] = (
            f"Movie, {movie}{BEFORE_YEAR.get(movie, '')} {year}".strip(),
            self.chance.choice([genres, GENRES[4]]),
        )

    def rate(self, user: int, movie: int, at: int | None = None) -> None:
        """The newer of two ratings counts, as in an ingest."""
        stars = self.chance.randint(1, 10) / 2
        new = (stars, self.some_time() if at is None else at)
        was = self.ratings.get((user, movie), new)
        self.ratings[user, movie] = max(was, new, key=lambda rating: (rating[1], -rating[0]))

    def tag(self, user: int, movie: int) -> None:
        at = self.some_time()
        key = (user, movie, self.chance.choice(["fun", "slow|long", "été", "'quoted'"]))
        self.tags[key] = max(self.tags.get(key, 0), at)

    def deliver(self, folder: Path) -> Path:
        """Write everything as a MovieLens folder."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            "movies": [("movieId", "title", "genres"), *((m, *v) for m, v in self.movies.items())],
            "ratings": [
                ("userId", "movieId", "rating", "timestamp"),
                *((*key, *value) for key, value in self.ratings.items()),
            ],
            "tags": [
                ("userId", "movieId", "tag", "timestamp"),
                *((*key, at) for key, at in self.tags.items()),
            ],
        }
        for name, lines in rows.items():
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(lines)
        return folder


def epoch(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def small_audience(seed: int = 1) -> Audience:
    audience = Audience(random.Random(seed))
    for movie in range(1, MOVIES + 1):
        audience.make_movie(movie)
    for user in range(1, USERS + 1):
        for movie in audience.chance.sample(range(1, MOVIES + 1), 12):
            audience.rate(user, movie)
        for movie in audience.chance.sample(range(1, MOVIES + 1), 2 if user % 3 else 9):
            audience.tag(user, movie)
    return audience


@contextmanager
def opened(copy: ProjectCopy, database: Path) -> Iterator[Opened]:
    """The project on one database, closed afterwards so that an ingest can have it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_DUCKDB", str(database))
        project = open_project(Project(copy.root))
        try:
            yield project
        finally:
            project.close()


def products(project: Opened, environment: str) -> dict[str, list[tuple]]:
    """All rows of all data products of an environment, sorted."""
    found = project.environment(environment)
    rows = {}
    for name, snapshot in project.products(found).items():
        query = exp.select("*").from_(project.view(snapshot, found))
        rows[name] = sorted(without_noise(project.rows(query)), key=repr)
    return rows


def without_noise(rows: list[tuple]) -> list[tuple]:
    """Engines add fractions in any order, so that the last digits of a sum differ by the run."""
    return [
        tuple(float(f"{round(v, 12):.12g}") if isinstance(v, float) else v for v in row)
        for row in rows
    ]
