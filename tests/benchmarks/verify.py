"""`mesh contracts verify` beside the peer and beside SQL written by hand, on the same file.

    python tests/benchmarks/verify.py --users 160000
    python tests/benchmarks/verify.py --database mesh.duckdb      (prod must be planned in it)

Four ways, each in a process of its own, in turn; the best time of each counts:

- ours: all promises of all products, through SQLMesh, Pandera and ibis
- broken: the same with contracts of which some promise too much, so that their rules fail
- peer: `datacontract test` of one contract that combines all products
- by hand: in bare DuckDB, one scan per table with all row rules, one query for each table rule

Targets: less time than the peer, at most 3 times the time by hand, under 2 GB, and what is broken
costs no more than what is kept. A schema with views for the peer is added to the file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from mesh.project import Project

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project(ROOT)
PEER = ROOT / ".cache" / "peer-venv" / "bin" / "python"
PEER_SCHEMA = "peer_combined"
ENVIRONMENT = "prod"
SEED = 25
FILE_NAME = "mesh.duckdb"
# What the contracts promise too much in the way `broken`: (product, key and value, instead).
TIGHTENED = (
    (
        "interactions/user_movie_ratings",
        "(rated_at <= CURRENT_TIMESTAMP)",
        "(rated_at > CURRENT_TIMESTAMP)",
    ),
    ("interactions/user_genre_ratings", "rating_monthly_count <= rating_count", "FALSE"),
    ("interactions/user_actions", "<> MAX(action_count)", "<> 1 + MAX(action_count)"),
)


def ours(contracts: Path | None = None) -> dict:
    started = time.perf_counter()
    from mesh.environments import open_project
    from mesh.verify import verify

    project = open_project(PROJECT, models=False)
    opened = time.perf_counter() - started
    report = verify(project, ENVIRONMENT, contracts=contracts)
    return {
        "start": opened,
        "work": report.seconds,
        "said": report.summary,
        "products": {one.product: round(one.seconds, 2) for one in report.products},
    }


def broken() -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "contracts"
        shutil.copytree(ROOT / "contracts", folder)
        for product, old, new in TIGHTENED:
            path = folder / f"{product}.odcs.yaml"
            text = path.read_text(encoding="utf-8")
            assert old in text, (product, old)
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return ours(folder)


def by_hand() -> dict:
    import duckdb
    from sqlglot import exp

    from mesh.contracts import load_contracts

    statements: dict[str, list[str]] = {"rows": [], "tables": []}
    for product, contract in load_contracts(PROJECT.contracts).items():
        counts = ", ".join(
            f"COUNT_IF({rule.broken().sql('duckdb')})" for rule in contract.row_rules()
        )
        statements["rows"].append(f"SELECT COUNT(*), {counts} FROM {product}")
        statements["tables"] += [
            rule.count(exp.to_table(product)).sql("duckdb")
            for rule in contract.table_rules()
            if rule.kind != "row_count"
        ]
    config = {"memory_limit": "2GB", "preserve_insertion_order": "false"}
    connection = duckdb.connect(os.environ["MESH_DUCKDB"], read_only=True, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    seconds = {}
    for kind, queries in statements.items():
        started = time.perf_counter()
        for query in queries:
            connection.execute(query).fetchall()
        seconds[kind] = time.perf_counter() - started
    return {"start": 0.0, "work": sum(seconds.values()), **seconds}


def peer() -> dict:
    """In the peer's environment: it has neither this project's packages nor yaml by chance."""
    from datacontract.data_contract import DataContract

    started = time.perf_counter()
    run = DataContract(data_contract_file=os.environ["COMBINED"], server="local").test()
    failed = [check.name for check in run.checks if check.result.value not in ("passed", "info")]
    said = f"{run.result.value}, {len(run.checks)} checks, not passed: {failed[:3]}"
    return {"start": 0.0, "work": time.perf_counter() - started, "said": said}


WAYS = {"ours": ours, "broken": broken, "by hand": by_hand, "peer": peer}


def run_one(way: str) -> None:
    started = time.perf_counter()
    told = WAYS[way]()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told |= {"processor": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024**2}
    print("\n" + json.dumps({**told, "all": time.perf_counter() - started}))


def measure(way: str, database: Path, combined: Path) -> dict:
    python = str(PEER) if way == "peer" else sys.executable
    env = {**os.environ, "MESH_DUCKDB": str(database), "COMBINED": str(combined)}
    done = subprocess.run(
        [python, __file__, "--run", way], capture_output=True, text=True, env=env, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def combine(database: Path, target: Path) -> None:
    """One contract with every product as a table, and views of all of them in one schema."""
    import duckdb

    whole: dict = {}
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {PEER_SCHEMA}")
        for path in sorted((ROOT / "contracts").rglob("*.odcs.yaml")):
            one = yaml.safe_load(path.read_text(encoding="utf-8"))
            name = f"{one['domain']}.{one['name']}"
            connection.execute(
                f"CREATE OR REPLACE VIEW {PEER_SCHEMA}.{one['name']} AS SELECT * FROM {name}"
            )
            if not whole:
                server = {**one["servers"][0], "schema": PEER_SCHEMA}
                kept = ("apiVersion", "kind", "version", "status", "domain")
                whole = {key: one[key] for key in kept}
                whole |= {"id": "all", "name": "all", "servers": [server], "schema": []}
            whole["schema"] += one["schema"]
    target.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")


def built(users: int, folder: Path) -> Path:
    """A database with prod planned, of generated data."""
    database, source = folder / FILE_NAME, folder / "source"
    env = {**os.environ, "MESH_DUCKDB": str(database)}
    size = ["--users", str(users), "--seed", str(SEED), "--out", str(source)]
    for command, *words in (
        ("mesh", "generate", *size),
        ("mesh", "ingest", str(source)),
        ("sqlmesh", "plan", ENVIRONMENT, "--auto-apply", "--no-prompts", "--skip-tests"),
    ):
        program = Path(sys.executable).with_name(command)
        subprocess.run([program, *words], check=True, env=env, cwd=ROOT)
    shutil.rmtree(source)
    return database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=160_000)
    parser.add_argument("--database", type=Path, help="a built database, instead of building one")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_one(arguments.run)
        return
    subprocess.run([sys.executable, "tests/servers/peer", "--lint-only"], check=True, cwd=ROOT)
    with tempfile.TemporaryDirectory(prefix="mesh-benchmark-") as name:
        folder = Path(name)
        database = arguments.database or built(arguments.users, folder)
        if database.name != FILE_NAME:
            # DuckDB calls a catalog by its file, and the views look for the catalog `mesh`.
            raise SystemExit(f"{database}: rename it to {FILE_NAME}")
        combine(database, folder / "combined.odcs.yaml")
        runs: dict[str, list[dict]] = {way: [] for way in WAYS}
        for _ in range(arguments.rounds):
            for way, found in runs.items():
                found.append(measure(way, database.absolute(), folder / "combined.odcs.yaml"))
    report({way: min(found, key=lambda one: one["all"]) for way, found in runs.items()})


def report(best: dict[str, dict]) -> None:
    for way, one in best.items():
        print(
            f"{way:8} {one['all']:6.2f} s (start {one['start']:.2f}, work {one['work']:.2f}), "
            f"processor {one['processor']:.2f} s, peak {one['memory']:.2f} GB {one.get('said', '')}"
        )
    mine, hand = best["ours"], best["by hand"]
    print(f"by hand: row rules {hand['rows']:.2f} s, table rules {hand['tables']:.2f} s")
    print("ours by product:", ", ".join(f"{k} {v}" for k, v in mine["products"].items()))
    for what, key in (("time", "all"), ("processor time", "processor")):
        print(
            f"{what}: ours / peer {mine[key] / best['peer'][key]:.2f} (target: below 1), "
            f"ours / by hand {mine[key] / hand[key]:.2f} (target: at most 3), "
            f"broken / kept {best['broken'][key] / mine[key]:.2f} (target: about 1)"
        )
    print(f"memory:          {mine['memory']:.2f} GB (target: below 2)", flush=True)


if __name__ == "__main__":
    if "peer" not in sys.argv:
        sys.path.insert(0, str(ROOT))
    main()
