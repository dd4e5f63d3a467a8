"""Who may read what: asserted on the resources that would be made."""

from __future__ import annotations

import pytest
from conftest import DASHBOARDS, PRODUCTS, SETTINGS, product
from mesh_infra.access import read_grants
from mesh_infra.contracts import ContractError

BI_READER = "serviceAccount:bi-reader@example-prod.example.com"
SQLMESH = "serviceAccount:sqlmesh@example-warehouse.example.com"
CI = "serviceAccount:ci@example-warehouse.example.com"
VIEWER = "roles/bigquery.dataViewer"
PROD_ENGAGEMENT = "example-prod.engagement"


def test_the_bi_reader_reads_prods_engagement_views_and_nothing_else(cloud):
    assert cloud.dataset_roles(BI_READER) == {PROD_ENGAGEMENT: VIEWER}
    assert cloud.project_roles(BI_READER) == {("example-prod", "roles/bigquery.jobUser")}
    assert len(cloud.everything_named(BI_READER)) == 2


def test_the_bi_reader_needs_no_right_on_what_the_views_read(cloud):
    assert ("example-warehouse.sqlmesh__engagement", PROD_ENGAGEMENT) in cloud.authorized()
    readers_of_others = {
        source
        for source, reader in cloud.authorized()
        if reader == PROD_ENGAGEMENT and source != "example-warehouse.sqlmesh__engagement"
    }
    assert readers_of_others == set()


def test_a_contract_that_shows_the_bi_reader_another_domain_is_refused(make_cloud):
    leak = product("interactions", "user_actions", DASHBOARDS)
    with pytest.raises(ContractError) as refused:
        make_cloud((*PRODUCTS[:2], leak, *PRODUCTS[4:]))
    assert str(refused.value) == (
        "contracts/interactions/user_actions.odcs.yaml: interactions.user_actions lets bi_reader "
        "read, but dashboards see only the products of engagement. Take the role out, or publish "
        "a product there that dashboards may read."
    )


def test_a_product_that_does_not_name_the_bi_reader_is_not_read_by_it(make_cloud):
    closed = product("engagement", "secret_segments", frozenset({"engagement_team"}))
    cloud = make_cloud((*PRODUCTS, closed))
    assert cloud.dataset_roles(BI_READER) == {
        f"{PROD_ENGAGEMENT}.audience_groups": VIEWER,
        f"{PROD_ENGAGEMENT}.genre_audience": VIEWER,
    }


def test_a_team_reads_the_products_whose_contracts_name_it_and_no_other(cloud):
    assert cloud.dataset_roles("group:engagement@example.com") == {
        "example-prod.interactions.user_actions": VIEWER
    }
    assert cloud.dataset_roles("group:recommendations@example.com") == {
        "example-prod.interactions.user_movie_ratings": VIEWER
    }


def test_the_producer_reads_the_operational_tables(cloud):
    assert cloud.dataset_roles("group:interactions@example.com") == {
        "example-warehouse.operational": VIEWER
    }


def test_a_role_that_nobody_stands_for_is_refused():
    stranger = product("interactions", "user_actions", frozenset({"finance_team"}))
    with pytest.raises(ContractError) as refused:
        read_grants(SETTINGS, (stranger,))
    assert str(refused.value) == (
        "contracts/interactions/user_actions.odcs.yaml: nobody is known for the role "
        "finance_team: add it to mesh:teams in the stack's configuration."
    )


def test_ci_has_no_right_on_anything_of_prod(cloud):
    assert not [each for each in cloud.dataset_roles(CI) if each.startswith("example-prod")]
    assert {project for project, _ in cloud.project_roles(CI)} == {"example-warehouse"}


def test_ci_reads_the_operational_tables_and_cannot_change_them(cloud):
    assert cloud.dataset_roles(CI)["example-warehouse.operational"] == VIEWER


def test_only_sqlmesh_writes_prods_views(cloud):
    owners = {
        each.inputs["member"]
        for each in cloud.of("DatasetIamMember")
        if each.inputs["project"] == "example-prod" and each.inputs["role"] != VIEWER
    }
    assert owners == {SQLMESH}


def test_no_domain_reaches_anothers_internal_tables(cloud):
    internal = "example-warehouse.sqlmesh__interactions_internal"
    readers = {reader for source, reader in cloud.authorized() if source == internal}
    assert not [each for each in readers if "engagement" in each]
    assert "example-warehouse.sqlmesh__interactions" in readers


def test_only_the_producers_internal_models_read_the_operational_tables_through_views(cloud):
    readers = {
        reader for source, reader in cloud.authorized() if source == "example-warehouse.operational"
    }
    assert readers == {"example-warehouse.sqlmesh__interactions_internal"}


def test_nobody_has_a_basic_role_and_nothing_is_public(cloud):
    for each in cloud.resources:
        assert each.inputs.get("role") not in {"roles/owner", "roles/editor", "roles/viewer"}
        assert each.inputs.get("member") not in {"allUsers", "allAuthenticatedUsers"}
