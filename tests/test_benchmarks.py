"""What benchmarks compare with can be compared with: nobody runs them at each change."""

from __future__ import annotations

import yaml
from project_copy import PROJECT

from mesh.contracts import load_contracts

PEER = PROJECT.root / "tests" / "benchmarks" / "dbt_peer" / "models" / "marts" / "schema.yml"


def test_the_peers_products_have_the_columns_of_ours():
    ours = {one.name: one for one in load_contracts(PROJECT.contracts).values()}
    peers = yaml.safe_load(PEER.read_text())["models"]
    assert len(peers) == 5
    for peer in peers:
        columns = [column["name"] for column in peer["columns"]]
        assert columns == [column.name for column in ours[peer["name"]].columns], peer["name"]
