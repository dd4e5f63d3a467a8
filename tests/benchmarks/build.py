"""The build of all data products, beside the textbook SQL for two of them.

    python tests/benchmarks/build.py [USERS …]

For each size, in one run: the textbook SQL for `user_genre_ratings` and `movies_engagement`, the
full build of every product by SQLMesh, its audits once more on their own, one new month by
`mesh refresh` (and what of it goes into months that are copied from the version before), a refresh
that finds nothing to do: SQLMesh's start-up, and the promotion to another environment. Each step is
a process of its own; time is that of the work alone, without imports and without loading the
project; memory is the peak of the process. Figures are for comparison within one run only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mesh.project import Project

PROJECT = Project(Path(__file__).resolve().parents[2])

SIZES = (40_000, 160_000)
SEED = 25
ENVIRONMENT = "dev"
# Both sides get the same limit; DuckDB spills to disk beyond it.
MEMORY = os.environ.get("MESH_DUCKDB_MEMORY", "1GB")
TEXTBOOK_MEMORY = "16GB"

USER_GENRE_RATINGS = """
CREATE OR REPLACE TABLE textbook.user_genre_ratings AS
WITH exploded AS (
  SELECT r.userId, UNNEST(STRING_SPLIT(m.genres, '|')) AS genre,
    DATE_TRUNC('month', r.timestamp)::DATE AS reporting_month, r.rating
  FROM operational.ratings AS r JOIN operational.movies AS m USING (movieId)
)
SELECT DISTINCT userId, genre, reporting_month,
  COUNT(*) OVER month AS rating_monthly_count,
  QUANTILE_CONT(rating, 0.5) OVER month AS rating_monthly_median,
  COUNT(*) OVER total AS rating_count,
  QUANTILE_CONT(rating, 0.5) OVER total AS rating_median
FROM exploded
WINDOW month AS (PARTITION BY userId, genre, reporting_month),
  total AS (PARTITION BY userId, genre)
"""
MOVIES_ENGAGEMENT = """
CREATE OR REPLACE TABLE textbook.movies_engagement AS
WITH tags AS (
  SELECT movieId, STRING_AGG(DISTINCT tag, '|' ORDER BY tag) AS tags
  FROM operational.tags GROUP BY movieId
)
SELECT DISTINCT r.movieId, DATE_TRUNC('month', r.timestamp)::DATE AS reporting_month,
  m.title, m.genres, tags.tags,
  COUNT(*) OVER month AS rating_count,
  QUANTILE_CONT(r.rating, 0.5) OVER month AS rating_median
FROM operational.ratings AS r
JOIN operational.movies AS m USING (movieId)
LEFT JOIN tags USING (movieId)
WINDOW month AS (PARTITION BY r.movieId, DATE_TRUNC('month', r.timestamp))
"""


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def textbook() -> dict[str, float]:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        settings = {"memory_limit": TEXTBOOK_MEMORY, "preserve_insertion_order": False}
        connection = duckdb.connect(f"{folder}/textbook.duckdb", config=settings)
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{os.environ['MESH_DUCKDB']}' AS mesh (READ_ONLY)")
        connection.execute("USE mesh")
        queries = (USER_GENRE_RATINGS, MOVIES_ENGAGEMENT)
        return {"seconds": sum(timed(lambda q=q: connection.execute(q)) for q in queries)}


def ingested(source: str, *options: str) -> dict[str, float]:
    from mesh.movielens.ingest import ingest

    return {
        "seconds": timed(
            lambda: ingest(Path(source), database=PROJECT.database, append="append" in options)
        )
    }


def built() -> dict[str, float]:
    from mesh.environments import open_project, plan

    project = open_project(PROJECT)
    return {"seconds": timed(lambda: plan(project, ENVIRONMENT))}


def audited() -> dict[str, float]:
    from mesh.environments import open_project

    project = open_project(PROJECT)
    snapshots = project.snapshots(project.environment(ENVIRONMENT))

    def audits() -> None:
        for snapshot in snapshots.values():
            if snapshot.is_model and snapshot.model.audits:
                project.context.snapshot_evaluator.audit(
                    snapshot, snapshots=snapshots, start="1995-01-01", end=datetime.now(UTC)
                )

    return {"seconds": timed(audits)}


def refreshed() -> dict[str, float]:
    from mesh.environments import evaluation, open_project, refresh

    copied = 0.0
    carry = evaluation.carry

    def measured(*arguments: object) -> None:
        nonlocal copied
        copied += timed(lambda: carry(*arguments))

    evaluation.carry = measured
    project = open_project(PROJECT, models=False)
    return {"seconds": timed(lambda: refresh(project, ENVIRONMENT)), "copied": copied}


def promoted() -> dict[str, float]:
    from mesh.environments import open_project, promote

    project = open_project(PROJECT, models=False)
    return {"seconds": timed(lambda: promote(project, ENVIRONMENT, "prod"))}


def one_more_month(source: Path, folder: Path) -> None:
    """A delivery of the month after the newest whole one: the same ratings, 31 days later."""
    import duckdb

    folder.mkdir()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    ratings = f"read_parquet('{source}/ratings.parquet')"
    if not (source / "ratings.parquet").exists():
        ratings = f"read_csv('{source}/ratings.csv', header = true, quote = '\"', escape = '\"')"
    connection.execute(
        f"""COPY (
          SELECT userId + 10000000 AS userId, movieId, rating, timestamp + 31 * 86400 AS timestamp
          FROM {ratings} WHERE DATE_TRUNC('month', TO_TIMESTAMP(timestamp)) = (
            SELECT DATE_TRUNC('month', TO_TIMESTAMP(MAX(timestamp)) - INTERVAL 1 MONTH)
            FROM {ratings}
          ) ORDER BY userId, movieId
        ) TO '{folder}/ratings.csv' (HEADER)"""
    )
    for name, header in (
        ("movies", "movieId,title,genres"),
        ("tags", "userId,movieId,tag,timestamp"),
    ):
        (folder / f"{name}.csv").write_text(header + "\n")


STEPS: dict[str, Callable[..., dict[str, float]]] = {
    "textbook": textbook,
    "ingest": ingested,
    "build": built,
    "audits": audited,
    "refresh": refreshed,
    "promotion": promoted,
}


def in_a_process(step: str, database: Path, *arguments: str) -> dict[str, float]:
    """Seconds and peak memory in MB of a step."""
    env = {**os.environ, "MESH_DUCKDB": str(database), "MESH_DUCKDB_MEMORY": MEMORY}
    command = (sys.executable, __file__, "--step", step, *arguments)
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(users: int) -> dict[str, dict[str, float]]:
    from mesh.movielens.generate import generate

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, database = folder / "source", folder / "mesh.duckdb"
        made = generate(source, users, SEED)
        print(f"{users:,} users, {made.ratings:,} ratings", flush=True)
        results = {"ingest": in_a_process("ingest", database, str(source))}
        results["textbook"] = in_a_process("textbook", database)
        results["build"] = in_a_process("build", database)
        results["audits"] = in_a_process("audits", database)
        one_more_month(source, folder / "month")
        in_a_process("ingest", database, str(folder / "month"), "append")
        results["refresh"] = in_a_process("refresh", database)
        results["start-up"] = in_a_process("refresh", database)
        results["promotion"] = in_a_process("promotion", database)
        for step, result in results.items():
            print(
                f"  {step:9} {result['seconds']:7.1f} s  {result['megabytes']:7,.0f} MB", flush=True
            )
        return results


def main(sizes: tuple[int, ...]) -> None:
    by_size = {users: measure(users) for users in sizes}
    for users, result in by_size.items():
        build, book = result["build"], result["textbook"]
        print(f"{users:,} users:")
        print(f"  build / textbook, time    {build['seconds'] / book['seconds']:.2f}")
        print(f"  build / textbook, memory  {build['megabytes'] / book['megabytes']:.2f}")
        print(f"  refresh / build, time     {result['refresh']['seconds'] / build['seconds']:.2f}")
        month, whole = (
            result[step]["seconds"] - result["start-up"]["seconds"] for step in ("refresh", "build")
        )
        print(f"  the same, start-up aside  {month / whole:.2f}")
        copied = result["refresh"]["copied"]
        print(f"  copied / refresh without  {copied / (result['refresh']['seconds'] - copied):.2f}")
        without = build["seconds"] - result["audits"]["seconds"]
        print(f"  audits / build without    {result['audits']['seconds'] / without:.2f}")
    if len(by_size) > 1:
        small, large = min(by_size), max(by_size)
        growth = by_size[large]["build"]["seconds"] / by_size[small]["build"]["seconds"]
        print(f"growth of the build: {growth:.1f} times, of the users: {large / small:.1f} times")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        figures = STEPS[sys.argv[2]](*sys.argv[3:])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**figures, "megabytes": peak}))
    else:
        main(tuple(int(users) for users in sys.argv[1:]) or SIZES)
