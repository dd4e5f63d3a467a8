"""Who a contract's roles are on BigQuery."""

from __future__ import annotations

import pytest

from mesh.contracts import find
from mesh.contracts.readers import grants, principals
from mesh.errors import WrongUse
from tests.project_copy import PROJECT

PRODUCT = "interactions.user_genre_ratings"


def test_on_bigquery_a_product_is_granted_to_principals(monkeypatch):
    monkeypatch.setenv("MESH_BIGQUERY_PROJECT", "p")
    monkeypatch.setenv(
        "MESH_BIGQUERY_READERS", "engagement_team=group:e@example.com; other=user:o@x.y"
    )
    assert grants(find(PRODUCT, PROJECT.contracts)) == (
        "roles/bigquery.dataViewer",
        ["group:e@example.com"],
    )


def test_a_role_that_nobody_is_named_for_gets_nothing(monkeypatch):
    monkeypatch.setenv("MESH_BIGQUERY_PROJECT", "p")
    monkeypatch.delenv("MESH_BIGQUERY_READERS", raising=False)
    assert grants(find(PRODUCT, PROJECT.contracts)) == ("roles/bigquery.dataViewer", [])


def test_without_bigquery_the_roles_stand_as_they_are(monkeypatch):
    monkeypatch.delenv("MESH_BIGQUERY_PROJECT", raising=False)
    assert grants(find(PRODUCT, PROJECT.contracts)) == ("select", ["engagement_team"])


@pytest.mark.parametrize("text", ["engagement_team", "engagement_team=e@example.com", "a b=user:x"])
def test_readers_that_name_no_principal_are_refused(text):
    with pytest.raises(WrongUse, match="which names no principal for a role") as caught:
        principals(text)
    assert "Write role=group:name@example.com" in str(caught.value)
