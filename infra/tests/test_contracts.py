"""Access is read from the contracts, and what cannot be read is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SETTINGS
from mesh_infra.access import DatasetId, ReadGrant, read_grants
from mesh_infra.contracts import ContractError, domains, read_products

CONTRACTS = Path(__file__).resolve().parent.parent.parent / "contracts"


def write(folder: Path, text: str) -> Path:
    path = folder / "engagement" / "trends.odcs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_the_projects_own_contracts_show_the_bi_reader_marts_and_no_single_user():
    grants = read_grants(SETTINGS, read_products(CONTRACTS))
    mine = [each for each in grants if each.role == "bi_reader"]
    marts = [
        path.name.removesuffix(".odcs.yaml")
        for path in sorted((CONTRACTS / "engagement").glob("*.odcs.yaml"))
        if "name: user_id\n" not in path.read_text()
    ]
    dataset = DatasetId("example-prod", "engagement")
    assert {"audience_groups", "trending_movies"} < set(marts)
    assert mine == [ReadGrant("bi_reader", dataset, mart) for mart in marts]


def test_the_projects_own_contracts_name_the_two_domains():
    assert domains(read_products(CONTRACTS)) == ("engagement", "interactions")


def test_readers_are_the_roles_of_the_contract(tmp_path):
    write(tmp_path, "roles:\n  - {role: bi_reader, access: read}\n")
    (found,) = read_products(tmp_path)
    assert (str(found), found.readers) == ("engagement.trends", frozenset({"bi_reader"}))


def test_a_contract_without_roles_is_read_by_nobody(tmp_path):
    write(tmp_path, "id: engagement.trends\n")
    (found,) = read_products(tmp_path)
    assert read_grants(SETTINGS, (found,)) == ()


def test_a_role_that_may_write_is_refused(tmp_path):
    path = write(tmp_path, "roles:\n  - {role: bi_reader, access: write}\n")
    with pytest.raises(ContractError) as refused:
        read_products(tmp_path)
    assert str(refused.value) == (
        f"{path}: roles[0] must have a role and access: read; "
        "a contract gives nobody the right to write."
    )


def test_an_empty_contract_is_refused(tmp_path):
    path = write(tmp_path, "")
    with pytest.raises(ContractError, match="not a contract: it holds no mapping"):
        read_products(tmp_path)
    assert path.exists()


def test_a_folder_without_contracts_is_refused(tmp_path):
    with pytest.raises(ContractError, match="no contract here"):
        read_products(tmp_path)
