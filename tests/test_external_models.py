"""What SQLMesh is told of the operational tables is what their contracts say."""

from __future__ import annotations

import yaml

from mesh.contracts import load_contracts
from tests.project_copy import PROJECT


def test_external_models_have_the_columns_of_the_contracts_with_the_source():
    stated = yaml.safe_load((PROJECT.root / "external_models.yaml").read_text())
    told = {model["name"]: model["columns"] for model in stated}
    expected = {
        name: {column.name: column.bigquery_type for column in contract.columns}
        for name, contract in load_contracts(PROJECT.contracts).items()
        if contract.domain == "operational"
    }
    assert told == expected
