"""SQLMesh end to end on the emulator: two models, every environment, state in PostgreSQL."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.cloud import bigquery

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL_PROJECT = Path(__file__).parent / "small_project"

pytestmark = pytest.mark.bigquery


def sqlmesh(warehouse, project_dir: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.bigquery.bridged",
            "sqlmesh",
            "--log-file-dir",
            "/tmp/emu/logs",
        ]
        + ["-p", str(project_dir), "--gateway", "bigquery", *arguments],
        cwd=ROOT,
        env={**os.environ, **warehouse.variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a(fresh_warehouse, tmp_path):
    w = fresh_warehouse()
    c = bigquery.Client(project=w.project)
    c.create_dataset("operational")
    c.query_and_wait("""create table operational.ratings as
      select 1 as userId, 1 as movieId, 4.5 as rating, timestamp '2024-01-05 00:00:00+00' as timestamp
      union all select 2, 1, 3.0, timestamp '2024-02-05 00:00:00+00'
      union all select 2, 2, 3.0, timestamp '2024-03-05 00:00:00+00'""")
    p = tmp_path / "p"
    shutil.copytree(SMALL_PROJECT, p)
    for env in ["dev", "prod"]:
        done = sqlmesh(w, p, "plan", env, "--auto-apply", "--no-prompts")
        print(done.stdout[-3000:], done.stderr[-3000:])
    for pr in (w.project, w.prod_project):
        for d in c.list_datasets(pr):
            for t in c.list_tables(d.reference):
                f = c.get_table(t.reference)
                print(
                    pr,
                    d.dataset_id,
                    t.table_id,
                    t.table_type,
                    f.time_partitioning,
                    f.clustering_fields,
                    f.labels,
                    f.description,
                    f.require_partition_filter,
                    [(s.name, s.field_type, s.description) for s in f.schema],
                )
    print(list(c.query_and_wait(f"select * from `{w.prod_project}.engagement.movie_popularity`")))
