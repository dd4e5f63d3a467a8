"""docs/architecture.md is what the project says, and says who may read what."""

from __future__ import annotations

import pytest

from mesh.catalogue import architecture
from mesh.contracts import load_contracts
from mesh.environments import open_project
from tests.project_copy import PROJECT


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_DUCKDB", str(tmp_path_factory.mktemp("drawn") / "mesh.duckdb"))
        return architecture.render(open_project(PROJECT))


def test_the_committed_page_is_what_the_project_says(page: str) -> None:
    assert (PROJECT.docs / "architecture.md").read_text(encoding="utf-8") == page


def test_every_product_and_every_environment_is_drawn(page: str) -> None:
    for product in load_contracts(PROJECT.contracts):
        assert f"| `{product}` |" in page
        assert f'{product.replace(".", "_")}["' in page
    assert 'dev["dev"] -->|promote| test["test"] -->|promote| acceptance["acceptance"]' in page


def test_a_role_has_a_yes_only_where_its_contract_says_so(page: str) -> None:
    lines = page.splitlines()
    head = next(line for line in lines if line.startswith("| product |"))
    roles = [cell.strip(" `") for cell in head.split("|")[2:-1]]
    for product, contract in load_contracts(PROJECT.contracts).items():
        row = next(line for line in lines if line.startswith(f"| `{product}` |"))
        marked = [cell.strip() for cell in row.split("|")[2:-1]]
        may = {role for role, mark in zip(roles, marked, strict=True) if mark == "yes"}
        assert may == {role.name for role in contract.roles}
