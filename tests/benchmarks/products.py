"""What newer products, and the rules that reconcile, add to a full build and to a new month.

    python tests/benchmarks/products.py [USERS]

Three databases side by side, each planned from nothing and then brought to a new month: with all
products, with those that were there before the newer ones, and with all products whose contracts
lack the rules that reconcile them with others. Every step is a process of its own; time is the
processor's, of the whole process, and memory its peak. Unit tests are left out: they are the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from build import PROJECT, one_more_month
from measure import used_by

USERS, SEED = 160_000, 25
ENVIRONMENT = "dev"
# The products of the time before; all others are newer.
BEFORE = (
    "interactions.movies_engagement",
    "interactions.movies_engagement_daily",
    "interactions.user_actions",
    "interactions.user_genre_ratings",
    "interactions.user_movie_ratings",
    "interactions.user_period_ratings",
    "engagement.audience_actions",
    "engagement.audience_groups",
    "engagement.audience_segments",
    "engagement.genre_audience",
    "engagement.genre_audience_v2",
    "engagement.trending_movies",
    "engagement.user_actions_and_groups",
    "engagement.user_genre_preferences",
)
SIDES = ("all", "before", "unreconciled")


def planned(side: str) -> None:
    from mesh.contracts import Contract
    from mesh.environments import open_project

    rules = Contract.table_rules
    if side == "unreconciled":
        Contract.table_rules = lambda contract: tuple(r for r in rules(contract) if not r.sides)
    opened = open_project(PROJECT)
    chosen = [f"+{name}" for name in BEFORE] if side == "before" else None
    with opened.readable_errors():
        opened.context.plan(
            ENVIRONMENT,
            select_models=chosen,
            auto_apply=True,
            no_prompts=True,
            skip_tests=True,
        )


def refreshed() -> None:
    from mesh.environments import open_project, refresh

    refresh(open_project(PROJECT, models=False), ENVIRONMENT)


def ingested(source: str, *, append: bool) -> None:
    from mesh.movielens.ingest import ingest

    ingest(Path(source), database=PROJECT.database, append=append)


def in_a_process(database: Path, *arguments: str) -> tuple[float, float]:
    """Seconds of the processor and peak memory in MB of a step."""
    env = {**os.environ, "MESH_DUCKDB": str(database)}
    command = (sys.executable, __file__, "--step", *arguments)
    running = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    used = used_by(running)
    if running.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return used.processor, used.memory


def forget_parsed_models() -> None:
    """SQLMesh keeps them by the files' times, and the sides differ in no file."""
    subprocess.run(
        [sys.executable, "-m", "sqlmesh.cli.main", "clean"], cwd=PROJECT.root, check=True
    )


def main(users: int) -> None:
    from mesh.movielens.generate import generate

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source"
        made = generate(source, users, SEED)
        one_more_month(source, folder / "month")
        print(f"{users:,} users, {made.ratings:,} ratings", flush=True)
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for side in SIDES:
            database = folder / f"{side}/mesh.duckdb"
            in_a_process(database, "ingest", str(source))
            forget_parsed_models()
            found[side] = {"build": in_a_process(database, "plan", side)}
            in_a_process(database, "append", str(folder / "month"))
            found[side]["month"] = in_a_process(database, "refresh")
            for step, (seconds, megabytes) in found[side].items():
                print(f"  {side:12} {step:5} {seconds:7.1f} s CPU {megabytes:7,.0f} MB", flush=True)
        forget_parsed_models()
    for step in ("build", "month"):
        every, before, unreconciled = (found[side][step][0] for side in SIDES)
        print(f"  {step}: newer products add {every / before - 1:+.0%}")
        print(f"  {step}: rules that reconcile add {every / unreconciled - 1:+.0%}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--step", "plan", side]:
            planned(side)
        case ["--step", "refresh"]:
            refreshed()
        case ["--step", ("ingest" | "append") as how, source]:
            ingested(source, append=how == "append")
        case given:
            main(int(given[0]) if given else USERS)
