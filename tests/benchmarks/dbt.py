"""The five products of the original design, beside dbt's build and tests of equal ones.

    python tests/benchmarks/dbt.py [USERS]
    python tests/benchmarks/dbt.py --source FOLDER      (MovieLens-shaped files that somebody made)

dbt_peer/ is the project of an experienced dbt user: plain SQL with exact medians, tables, and tests
as the contracts' rules, straight from Parquet. `mesh ingest` loads the same Parquet. Both sides get
the same memory and threads for DuckDB, and have read and checked their projects once before. First
of all the rows of both sides must be equal, and again after a new month. Each step is a process of
its own: figures are the processor's seconds, the clock's, and peak memory. Unit tests are left out.

dbt lives in an environment of its own under .cache/dbt-venv, which is made when it is missing.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import operator
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from build import one_more_month
from measure import Used, used_by

sys.path.append(str(Path(__file__).resolve().parents[1] / "servers"))
from local_service import last_lines, python_environment

T = TypeVar("T")
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PEER = HERE / "dbt_peer"
REQUIREMENTS = HERE / "dbt-requirements.txt"
USERS, SEED = 20_000, 25
ENVIRONMENT = "prod"
MEMORY = os.environ.get("MESH_DUCKDB_MEMORY") or "1GB"
PRODUCTS = (
    "interactions.movies_engagement",
    "interactions.user_genre_ratings",
    "interactions.user_actions",
    "engagement.user_genre_preferences",
    "engagement.user_actions_and_groups",
)
LOAD = f"from sqlmesh import Context; Context(paths={str(ROOT)!r})"
# Loading takes seconds, so chance counts more: the best of so many.
ROUNDS = 3


def used(what: str, log: Path, env: dict[str, str], *command: str) -> Used:
    """Run a step; a failing one is told with the last lines that it wrote."""
    with log.open("w") as written:
        running = subprocess.Popen(command, env=env, cwd=ROOT, stdout=written, stderr=written)
        found = used_by(running)
    if running.returncode:
        raise SystemExit(f"{what} failed:\n{last_lines(log)}")
    print(f"  {what:42} {found}", flush=True)
    return found


@dataclass(frozen=True)
class Ours:
    """This project, with a database of its own."""

    name: str
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / self.name / "mesh.duckdb"

    def run(self, command: str, *words: str) -> Used:
        env = {**os.environ, "MESH_DUCKDB": str(self.database), "MESH_DUCKDB_MEMORY": MEMORY}
        program = str(Path(sys.executable).with_name(command))
        what = f"{self.name}: {command} {words[0]}"
        return used(what, self.folder / "log", env, program, *words)

    def ingest(self, delivery: Path, *options: str) -> Used:
        return self.run("mesh", "ingest", str(delivery), *options)

    def plan(self, *chosen: str) -> Used:
        words = ("plan", ENVIRONMENT, "--auto-apply", "--no-prompts", "--skip-tests")
        return self.run("sqlmesh", *words, *(f"--select-model=+{name}" for name in chosen))

    def month(self, delivery: Path) -> Used:
        return self.ingest(delivery, "--append") + self.run("mesh", "refresh", ENVIRONMENT)


@dataclass(frozen=True)
class Peer:
    """The dbt project; it reads each delivery in the folder `lake`."""

    python: Path
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "peer.duckdb"

    def run(self, command: str) -> Used:
        env = {
            **os.environ,
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_PROFILES_DIR": str(PEER),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_PEER_LAKE": str(self.folder / "lake"),
            "DBT_PEER_DATABASE": str(self.database),
            "DBT_PEER_MEMORY": MEMORY,
            # As many as DuckDB takes by itself on our side.
            "DBT_PEER_THREADS": str(len(os.sched_getaffinity(0))),
        }
        words = (str(self.python.with_name("dbt")), command, "--project-dir", str(PEER))
        return used(f"dbt {command}", self.folder / "log", env, *words)


def apart(function: Callable[..., T], *arguments: object) -> T:
    """Call it in a process of its own: a process starts with its parent's peak of memory."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


def deliver(source: Path, target: Path) -> int:
    """Write a delivery as Parquet as MovieLens types it, and return its number of ratings."""
    import duckdb

    from mesh.movielens.ingest.source import open_source

    target.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    with open_source(source) as delivery:
        for files in delivery.files:
            paths = [str(path) for path in files.paths]
            types = {c.name: c.duckdb for c in files.table.columns if c.name != "timestamp"}
            rows = (
                connection.read_parquet(paths)
                if files.kind == "parquet"
                else connection.read_csv(
                    paths, header=True, sep=",", quotechar='"', escapechar='"', dtype=types
                )
            )
            values = [f'"{name}"::{kind} AS "{name}"' for name, kind in types.items()]
            if "timestamp" in rows.columns:
                kind = str(rows.types[rows.columns.index("timestamp")])
                seconds = "epoch(timestamp)" if kind.startswith(("TIME", "DATE")) else "timestamp"
                values.append(f"{seconds}::BIGINT AS timestamp")
            rows.project(", ".join(values)).write_parquet(
                str(target / f"{files.table.name}.parquet")
            )
    return connection.read_parquet(str(target / "ratings.parquet")).shape[0]


def deliver_month(lake: Path, folder: Path) -> int:
    one_more_month(lake / "first", folder / "csv")
    return deliver(folder / "csv", lake / "month")


def day_after(delivery: Path) -> str:
    """The day after the newest rating: products of data that grows no more are late on others."""
    import duckdb

    ratings = duckdb.read_parquet(str(delivery / "ratings.parquet"))
    newest = ratings.max("timestamp").fetchall()[0][0]
    return f"{datetime.fromtimestamp(newest, UTC) + timedelta(days=1):%Y-%m-%d}"


def differences(ours: Path, peer: Path) -> list[str]:
    """Which products have other rows there than here."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": f"{peer}.tmp"})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH '{ours}' AS mesh (READ_ONLY)")
    connection.execute(f"ATTACH '{peer}' AS peer (READ_ONLY)")
    found = []
    for product in PRODUCTS:
        here = connection.sql(f"FROM mesh.{product}")
        there = connection.table(f"peer.main.{product.partition('.')[2]}").select(*here.columns)
        counts = [here.shape[0], there.shape[0]]
        more = [len(a.except_(b).limit(5)) for a, b in ((here, there), (there, here))]
        if counts[0] != counts[1] or any(more):
            found.append(f"{product}: {counts[0]:,} rows here, {counts[1]:,} there; other: {more}")
    return found


def hold_equal(ours: Ours, peer: Peer) -> None:
    if found := apart(differences, ours.database, peer.database):
        raise SystemExit("\n".join(["the sides differ, so there is nothing to compare:", *found]))
    print("  the rows of both sides are equal", flush=True)


def best(step: Callable[[], Used]) -> Used:
    return min((step() for _ in range(ROUNDS)), key=operator.attrgetter("processor"))


def main(source: Path | None, users: int) -> None:
    python = python_environment("dbt", REQUIREMENTS)
    with tempfile.TemporaryDirectory(prefix="mesh-benchmark-") as name:
        folder = Path(name)
        lake, month = folder / "lake", folder / "lake" / "month"
        five, every, peer = Ours("five", folder), Ours("every", folder), Peer(python, folder)
        load = functools.partial(every.run, "python", "-c", LOAD)
        if source is None:
            source = folder / "generated"
            size = ("--users", str(users), "--seed", str(SEED), "--out", str(source))
            every.run("mesh", "generate", *size)
        print(f"{apart(deliver, source, lake / 'first'):,} ratings", flush=True)
        for side in (five, every):
            side.run("sqlmesh", "lint")
        peer.run("parse")
        first = five.ingest(lake / "first") + five.plan(*PRODUCTS)
        built = peer.run("build")
        hold_equal(five, peer)
        every.ingest(lake / "first")
        whole = every.plan()
        print(f"a new month, {apart(deliver_month, lake, folder):,} ratings", flush=True)
        months = five.month(month), every.month(month)
        again = peer.run("build")
        hold_equal(five, peer)
        os.environ["MESH_AS_OF"] = apart(day_after, month)
        status, loaded = best(lambda: every.run("mesh", "status")), best(load)
    told = (
        ("ingest and plan of the five / dbt build", first, built, 0.9),
        ("plan of all products / dbt build", whole, built, 1.3),
        ("a new month of the five / dbt build again", months[0], again, 0.2),
        ("a new month of all / dbt build again", months[1], again, 0.2),
        ("mesh status / loading the project", status, loaded, 1.2),
    )
    print(f"\n{'':42} {'CPU':>6} {'clock':>6} {'memory':>6}   at most")
    for what, ours, other, most in told:
        ratios = (
            ours.processor / other.processor,
            ours.clock / other.clock,
            ours.memory / other.memory,
        )
        print(f"{what:42} {' '.join(f'{ratio:6.2f}' for ratio in ratios)}   {most}")
    print(f"peak of the full build {whole.memory:,.0f} MB (at 18 million ratings at most 1,536)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("users", type=int, nargs="?", default=USERS)
    parser.add_argument("--source", type=Path, help="files that somebody made, instead of users")
    options = parser.parse_args()
    main(options.source, options.users)
