"""What lint advises can be done as it is written: pasted into a model, the project loads and keeps.

Two domains have a product of one name, one model has audits of its own, and nothing is under
contract yet.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stranger import PLAN, Stranger

MODELS = {
    "raw/orders": "MODEL (name raw.orders, kind FULL);\nSELECT 1::BIGINT AS id, 5::BIGINT AS paid",
    "shop/orders": (
        "MODEL (\n  name shop.orders,\n  kind FULL,\n"
        "  audits (positive(field := paid, least := 1), not_null(columns := (id, paid)))\n);\n"
        "SELECT id::BIGINT AS id, paid::BIGINT AS paid FROM raw.orders"
    ),
}
POSITIVE = "AUDIT (name positive);\nSELECT * FROM @this_model WHERE @field < @least\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    made = Stranger(tmp_path_factory.mktemp("advice"))
    made.run("sqlmesh", "init", "duckdb", "-t", "empty")
    for path, text in MODELS.items():
        write(made, f"models/{path}.sql", text)
    write(made, "audits/positive.sql", POSITIVE)
    made.run("sqlmesh", "plan", "--auto-apply", "--no-prompts")
    made.run("mesh", "init", "--yes")
    made.run("mesh", "contracts", "new", "raw.orders", "shop.orders")
    made.write_contracts()
    return made


def write(stranger: Stranger, path: str, text: str) -> None:
    file: Path = stranger.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_contract_that_is_advised_loads_and_keeps_the_arguments_of_audits(
    shop: Stranger,
) -> None:
    said = shop.run("sqlmesh", "lint", fails=1)
    found = re.findall(r"write (@contract\(.*?\)) into the MODEL block", said)
    audits = "positive(field := paid, least := 1), not_null(columns := (id, paid))"
    assert sorted(found) == ["@contract(raw.orders)", f"@contract(shop.orders, {audits})"]
    assert f"in the place of its audits ({audits})" in said
    shop.edit("models/raw/orders.sql", "kind FULL", "kind FULL, @contract(raw.orders)")
    shop.edit("models/shop/orders.sql", r"audits .*\n", f"@contract(shop.orders, {audits})\n")
    assert "publicmodelneedscontract" not in shop.run("sqlmesh", "lint")
    shop.run(*PLAN)
    shop.edit("audits/positive.sql", "< @least", "< 10 * @least")
    said = shop.run(*PLAN, fails=1)
    assert "positive" in said
    shop.edit("audits/positive.sql", r"< 10 \* @least", "< @least")
