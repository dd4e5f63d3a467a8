"""What a configuration keeps secret is said by no message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh import secret
from mesh.cli.main import app
from mesh.errors import WrongUse
from tests.test_codeowners import project_at

SECRET = "HUNTER2x/y"


@pytest.fixture(autouse=True)
def none_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(secret, "_known", set())
    yield


@pytest.mark.parametrize(
    "connection",
    [
        {"type": "postgres", "password": SECRET},
        {"connector_config": {"s3_secret_access_key": SECRET}},
        {"secrets": [{"type": "s3", "secret": SECRET}]},
        {"keyfile_json": {"private_key": SECRET}},
        {"catalogs": {"pg": {"path": f"dbname=d user=u password={SECRET} host=h"}}},
        {"catalogs": {"pg": f"dbname=d password='{SECRET}'"}},
        {"database": f"md:x?motherduck_token={SECRET}"},
        {"encryption_key": SECRET, "database": "x.duckdb"},
    ],
)
def test_what_a_connection_keeps_secret_is_in_no_error(connection: dict) -> None:
    secret.keep({"gateways": {"duckdb": {"connection": connection}}})
    error = WrongUse(f"refused: {SECRET}.", fix=f"Ask http://h/HUNTER2x%2Fy or {SECRET}.")
    assert str(error) == "refused: ***. Ask http://h/*** or ***."


def test_a_password_in_an_address_or_a_variable_of_sqlmesh_is_in_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SQLMESH__GATEWAYS__G__CONNECTION__PASSWORD", "overlaid")
    secret.keep({"path": "postgres://anna:very-secret@host/x"})
    assert secret.hidden("overlaid very-secret anna") == "*** *** anna"


def test_what_is_no_secret_is_said() -> None:
    stated = {"type": "postgres", "user": "postgres", "password": "x", "keyfile": "/keys/mesh.json"}
    secret.keep({"connection": stated, "variables": {"keyword": "ratings", "token": True}})
    said = "postgres x /keys/mesh.json ratings True"
    assert secret.hidden(said) == said


def test_what_duckdb_says_of_its_configuration_keeps_it(tmp_path: Path) -> None:
    here = project_at(tmp_path / "project")
    config = tmp_path / "project" / "config.yaml"
    config.write_text(
        "gateways: {duckdb: {connection: {type: duckdb, database: db.db, "
        "connector_config: {s3_secret_access_key: HUNTER2x}}}}\n"
        "default_gateway: duckdb\nmodel_defaults: {dialect: bigquery}\n"
    )
    result = CliRunner().invoke(app, ["status", *here])
    assert result.exception and "HUNTER2x" not in f"{result.exception} {result.output}"
