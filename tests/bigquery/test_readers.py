"""Who a contract's roles are on BigQuery."""

from __future__ import annotations

from contextlib import closing

import pytest

from mesh.contracts import find
from mesh.contracts.readers import grants, principals
from mesh.environments.names import short_name
from mesh.errors import WrongUse
from mesh.project import Project
from mesh.prove.project import open_for_bigquery
from mesh.working_copy import writing
from tests.project_copy import PROJECT

PRODUCT = "interactions.user_genre_ratings"


def test_on_bigquery_a_product_is_granted_to_principals(monkeypatch):
    monkeypatch.setenv(
        "MESH_BIGQUERY_READERS", "engagement_team=group:e@example.com; other=user:o@x.y"
    )
    assert grants(find(PRODUCT, PROJECT.contracts), on_bigquery=True) == (
        "roles/bigquery.dataViewer",
        ["group:e@example.com"],
    )


def test_a_role_that_nobody_is_named_for_gets_nothing(monkeypatch):
    monkeypatch.delenv("MESH_BIGQUERY_READERS", raising=False)
    contract = find(PRODUCT, PROJECT.contracts)
    assert grants(contract, on_bigquery=True) == ("roles/bigquery.dataViewer", [])


def test_without_bigquery_the_roles_stand_as_they_are():
    contract = find(PRODUCT, PROJECT.contracts)
    assert grants(contract, on_bigquery=False) == ("select", ["engagement_team"])


CONFIG = """\
gateways:
  local:
    connection: {type: duckdb, database: shop.duckdb}
  warehouse:
    connection: {type: bigquery, project: shop-data-eu-1}
model_defaults: {dialect: bigquery}
"""


@pytest.mark.parametrize("default", ["local", "warehouse"])
def test_the_connection_decides_and_not_the_name_of_a_gateway_or_a_variable(
    tmp_path, monkeypatch, capfd, default
):
    """Any SQLMesh project calls its gateways as it likes, and knows no variable of this one."""
    monkeypatch.setenv("MESH_BIGQUERY_PROJECT", "another")
    (tmp_path / "config.yaml").write_text(f"{CONFIG}default_gateway: {default}\n")
    project = Project(tmp_path)
    assert project.is_on_bigquery() == (default == "warehouse")
    for gateway, on_bigquery in (("local", False), ("warehouse", True)):
        assert project.is_on_bigquery(gateway) is on_bigquery
    with writing(project, "warehouse") as tell:
        tell()
        assert capfd.readouterr().err == "Writes to shop-data-eu-1 on BigQuery.\n"
    assert not (tmp_path / "data").exists()


def test_a_model_is_granted_by_the_gateway_that_it_is_loaded_for(monkeypatch):
    monkeypatch.setenv("MESH_BIGQUERY_READERS", "engagement_team=group:e@example.com")
    on_bigquery = open_for_bigquery(PROJECT).context
    with closing(on_bigquery):
        granted = {short_name(name): one.grants for name, one in on_bigquery.models.items()}
    assert granted[PRODUCT] == {"roles/bigquery.dataViewer": ["group:e@example.com"]}


@pytest.mark.parametrize("text", ["engagement_team", "engagement_team=e@example.com", "a b=user:x"])
def test_readers_that_name_no_principal_are_refused(text):
    with pytest.raises(WrongUse, match="which names no principal for a role") as caught:
        principals(text)
    assert "Write role=group:name@example.com" in str(caught.value)
