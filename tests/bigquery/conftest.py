"""The servers that stand in for Google Cloud: the BigQuery emulator and a PostgreSQL.

Both run for the whole session, in processes of their own, and are stopped by pid. Tests that
share them keep apart by the names of their datasets and databases: see `fresh_warehouse`.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from google.cloud import bigquery

from tests.bigquery import bridges

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "tests" / "servers"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker of `pytest -n … --dist loadgroup`: one pair of servers."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("bigquery"))


@dataclass(frozen=True)
class Emulator:
    """A running BigQuery emulator, and two projects that exist nowhere else.

    project: holds the operational tables, SQLMesh's physical tables and every environment but
    prod; prod_project: holds prod's views. A file `<gcs_root>/<bucket>/<name>` is what load jobs
    see as `gs://<bucket>/<name>`.
    """

    rest_url: str
    grpc_address: str
    pid: int
    gcs_root: Path
    project: str = "mesh-nonprod"
    prod_project: str = "mesh-prod"


@dataclass(frozen=True)
class StateDatabase:
    """Connection parameters of a PostgreSQL database for SQLMesh's state."""

    host: str
    port: int
    database: str
    user: str
    password: str
    pid: int

    def connect(self, database: str | None = None) -> psycopg2.extensions.connection:
        return psycopg2.connect(
            host=self.host,
            port=self.port,
            dbname=database or self.database,
            user=self.user,
            password=self.password,
        )


def _script(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{name} {arguments[0]}: {done.stderr.strip()}", pytrace=False)
    return done.stdout


def _running(name: str, state_dir: Path) -> dict:
    _script(name, "install")
    return json.loads(_script(name, "start", "--state-dir", str(state_dir), "--json"))


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator of this session's own; its data goes when the session ends."""
    state_dir = tmp_path_factory.mktemp("bigquery-emulator")
    state = _running("bigquery-emulator", state_dir)
    yield Emulator(
        rest_url=state["rest_url"],
        grpc_address=state["grpc_address"],
        pid=state["pid"],
        gcs_root=Path(state["gcs_root"]),
    )
    _script("bigquery-emulator", "stop", "--state-dir", str(state_dir))


@pytest.fixture(scope="session")
def postgres_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDatabase]:
    """A real PostgreSQL of this session's own, with one empty database."""
    state_dir = tmp_path_factory.mktemp("postgres")
    state = _running("postgres", state_dir)
    yield StateDatabase(**{name: state[name] for name in StateDatabase.__dataclass_fields__})
    _script("postgres", "stop", "--state-dir", str(state_dir))


@pytest.fixture(scope="session")
def application_credentials(
    bigquery_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A file for GOOGLE_APPLICATION_CREDENTIALS that the real clients take."""
    path = tmp_path_factory.mktemp("credentials") / "credentials.json"
    path.with_name("empty.env").touch()
    return bridges.write_credentials(path, bigquery_emulator.project)


def environment_variables(
    emulator: Emulator, state: StateDatabase, credentials: Path
) -> dict[str, str]:
    """The variables that config.yaml's gateway `bigquery` reads, and those of the emulator."""
    return {
        "BIGQUERY_EMULATOR_HOST": emulator.rest_url,
        bridges.STORAGE_HOST_VARIABLE: emulator.grpc_address,
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "GOOGLE_CLOUD_PROJECT": emulator.project,
        # Without this the clients ask the machine they run on for its Google Cloud metadata.
        "NO_GCE_CHECK": "true",
        "MESH_BIGQUERY_PROJECT": emulator.project,
        "MESH_BIGQUERY_PROD_PROJECT": emulator.prod_project,
        "MESH_BIGQUERY_LOCATION": "US",
        "MESH_BIGQUERY_CONCURRENCY": "2",
        "MESH_STATE_HOST": state.host,
        "MESH_STATE_PORT": str(state.port),
        "MESH_STATE_DATABASE": state.database,
        "MESH_STATE_USER": state.user,
        "MESH_STATE_PASSWORD": state.password,
        # SQLMesh lets a developer's own `.env` win over the environment unless given another.
        "SQLMESH_DOTENV_PATH": str(credentials.with_name("empty.env")),
        "DO_NOT_TRACK": "true",
    }


@pytest.fixture(scope="session")
def bigquery_environment(
    bigquery_emulator: Emulator, postgres_state: StateDatabase, application_credentials: Path
) -> Iterator[dict[str, str]]:
    """The variables set in this process and the bridges in, for the rest of the session.

    A command in another process takes `{**os.environ}` as it is, and runs through
    `python -m tests.bigquery.bridged`.
    """
    variables = environment_variables(bigquery_emulator, postgres_state, application_credentials)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MESH_BIGQUERY_")]:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        bridges.install()
        yield variables
        bridges.remove()


@pytest.fixture(scope="session")
def bigquery_client(bigquery_environment: dict[str, str]) -> Iterator[bigquery.Client]:
    """Google's own client, with application default credentials, against the emulator."""
    client = bigquery.Client(project=bigquery_environment["MESH_BIGQUERY_PROJECT"])
    yield client
    client.close()


@dataclass(frozen=True)
class Warehouse:
    """Two empty projects and an empty state database: all that one scenario may touch."""

    project: str
    prod_project: str
    state_database: str
    variables: dict[str, str]


@pytest.fixture(scope="session")
def fresh_warehouse(
    bigquery_environment: dict[str, str], postgres_state: StateDatabase
) -> Callable[[], Warehouse]:
    """Make a warehouse that no other test has seen, on the running servers, in milliseconds.

    The emulator takes every project name, so a scenario gets two of its own, and a database of
    its own. Set `variables` over the environment of the process that runs the scenario.
    """
    numbers = itertools.count(1)

    def make() -> Warehouse:
        number = next(numbers)
        database = f"mesh_state_{number}"
        connection = postgres_state.connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
        connection.close()
        own = {
            "MESH_BIGQUERY_PROJECT": f"mesh-nonprod-{number}",
            "MESH_BIGQUERY_PROD_PROJECT": f"mesh-prod-{number}",
            "GOOGLE_CLOUD_PROJECT": f"mesh-nonprod-{number}",
            "MESH_STATE_DATABASE": database,
        }
        return Warehouse(
            project=own["MESH_BIGQUERY_PROJECT"],
            prod_project=own["MESH_BIGQUERY_PROD_PROJECT"],
            state_database=database,
            variables={**bigquery_environment, **own},
        )

    return make
