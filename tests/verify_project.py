"""A small built project, shared by the tests of what is done with environments and contracts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlglot import exp

from mesh.environments import Opened, open_project
from mesh.project import AS_OF_VARIABLE, DATABASE_VARIABLE
from mesh.verify import newest_row
from tests.project_copy import PROJECT, made_of, once

ENVIRONMENT = "dev"


def delivered_and_planned() -> Path:
    """A database with `dev`: from MOVIELENS_DIR when it is set, else from generated data."""
    from mesh.cli.main import run

    source = os.environ.get("MOVIELENS_DIR")
    files = [(p.name, p.stat().st_size, p.stat().st_mtime) for p in Path(source or "-").glob("*")]
    with once(f"verified-{made_of(PROJECT.root, source, sorted(files))}") as (place, made):
        if made:
            if not source:
                source = str(made / "source")
                _run(run, "generate", "--users", "600", "--seed", "7", "--out", source)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(DATABASE_VARIABLE, str(made / "mesh.duckdb"))
                _run(run, "ingest", source)
                project = open_project(PROJECT)
                project.context.plan(ENVIRONMENT, auto_apply=True, no_prompts=True, skip_tests=True)
                project.close()
    return place / "mesh.duckdb"


def _run(run, *words: str) -> None:
    try:
        run(list(words))
    except SystemExit as end:
        assert not end.code, words


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        shutil.copy(delivered_and_planned(), folder / "mesh.duckdb")
        patch.setenv(DATABASE_VARIABLE, str(folder / "mesh.duckdb"))
        project = open_project(PROJECT)
        patch.setenv(AS_OF_VARIABLE, f"{newest_row(project, ENVIRONMENT):%Y-%m-%d}")
        vars(project.project).pop("settings", None)
        yield project
        project.close()


def place(project: Opened, product: str) -> exp.Table:
    """The view of a product in the built environment."""
    environment = project.environment(ENVIRONMENT)
    return project.view(project.products(environment)[product], environment)


@contextmanager
def tampered(project: Opened, product: str, query: str) -> Iterator[None]:
    """Let a product's view show other data for a while; `{rows}` in the query is its real view.

    A database that breaks a promise by hand: the view is SQLMesh's, what it selects is not.
    """
    connection = project.context.engine_adapter.connection
    name = place(project, product).sql(dialect="duckdb")
    schema, _, view = name.rpartition(".")
    real = f"{schema}.real_{view}"
    sql = connection.execute(
        "SELECT sql FROM duckdb_views() WHERE schema_name = ? AND view_name = ?",
        [schema.rpartition(".")[2], view],
    ).fetchone()[0]
    body = sql.partition(" AS ")[2].rstrip().rstrip(";")
    connection.execute(f"CREATE OR REPLACE VIEW {real} AS {body}")
    try:
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query.format(rows=real)}")
        yield
    finally:
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {body}")
        connection.execute(f"DROP VIEW {real}")
