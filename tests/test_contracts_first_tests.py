"""The unit tests that `mesh contracts new` drafts pass, whatever kind the model is of."""

from __future__ import annotations

import re
from datetime import datetime, time
from pathlib import Path

import pytest
import yaml

from tests.stranger import PLAN, Stranger

CONFIG = """\
gateways:
  local:
    connection:
      type: duckdb
      catalogs: {shop: shop.db, lake: lake.db}
model_defaults: {dialect: duckdb, start: '2024-01-01', cron: '@daily'}
"""
COLUMNS = (
    "id::BIGINT AS id, day::DATE AS day, points::BIGINT AS points, code::TEXT AS code, "
    "seen_at::TIMESTAMP AS seen_at"
)
PEOPLE = """\
id,day,points,code,seen_at
1,2024-01-02,10,a,2024-01-02 08:00:00
2,2024-01-03,20,b,2024-01-03 08:30:00
3,2024-01-04,5,,2024-01-04 08:00:01
4,2024-01-04,7,a,2024-01-05 08:00:00
"""
# And as many more as a key is drafted from.
PEOPLE += "".join(f"{id},2024-01-05,{id},b,2024-01-05 09:00:{id}\n" for id in range(10, 46))
SEED = (
    "SEED (path '../seeds/people.csv'), "
    "columns (id BIGINT, day DATE, points BIGINT, code TEXT, seen_at TIMESTAMP)"
)
OWN = f"SELECT {COLUMNS} FROM shop_internal.people"
OF_TIME = f"{OWN} WHERE day BETWEEN @start_date AND @end_date"
TODAY = "SELECT id::BIGINT AS id, (CURRENT_DATE - day)::BIGINT AS age FROM shop_internal.people"
LOADED = (
    "SELECT id::BIGINT AS id, CURRENT_TIMESTAMP::TIMESTAMP AS loaded_at, "
    "CURRENT_TIME::TEXT AS loaded_time FROM shop_internal.people"
)
NAMED = "SELECT CONCAT('P', id)::TEXT AS name, points::BIGINT AS points FROM shop_internal.people"
MODELS = {
    "shop.whole": ("FULL", OWN),
    "shop.seen": ("VIEW", OWN),
    "shop.by_key": ("INCREMENTAL_BY_UNIQUE_KEY (unique_key id)", OWN),
    "shop.by_time": ("INCREMENTAL_BY_TIME_RANGE (time_column day)", OF_TIME),
    "shop.by_part": ("INCREMENTAL_BY_PARTITION, partitioned_by day", OWN),
    "shop.unmanaged": ("INCREMENTAL_UNMANAGED", OWN),
    "shop.by_column": ("SCD_TYPE_2_BY_COLUMN (unique_key id, columns [points])", OWN),
    "shop.by_update": ("SCD_TYPE_2_BY_TIME (unique_key id, updated_at_name seen_at)", OWN),
    "shop.history": ("SCD_TYPE_2_BY_COLUMN (unique_key name, columns [points])", NAMED),
    "shop.named": ("FULL", NAMED),
    "shop.custom": ("CUSTOM (materialization 'mine')", OWN),
    "shop.of_today": ("FULL", TODAY),
    "shop.loaded": ("FULL", LOADED),
    "shop.of_python": ("FULL", "SELECT id::BIGINT AS id FROM shop_internal.scored"),
    "shop.of_part": ("FULL", "SELECT id::BIGINT AS id FROM shop_internal.part"),
    "shop.of_itself": (
        "INCREMENTAL_BY_UNIQUE_KEY (unique_key id)",
        f"{OWN} WHERE id NOT IN (SELECT id FROM shop.of_itself)",
    ),
    "shop.of_history": ("FULL", "SELECT id::BIGINT AS id, valid_from FROM shop.by_column"),
    "shop.of_lake": ("FULL", "SELECT id::BIGINT AS id FROM lake.reports.daily"),
    "lake.reports.daily": ("FULL", "SELECT id::BIGINT AS id, points FROM shop.whole"),
    "shop.seeded": (SEED, ""),
}
INTERNAL = {
    "shop_internal.people": (SEED, ""),
    "shop_internal.part": ("EMBEDDED", "SELECT id FROM shop_internal.people"),
}
PYTHON = """\
import pandas as pd
from sqlmesh import model


@model("shop_internal.scored", columns={"id": "bigint"}, kind="FULL")
def execute(context, start, end, execution_time, **kwargs):
    return pd.DataFrame({"id": [1, 2]})
"""
CUSTOM = """\
from sqlmesh import CustomMaterialization


class Mine(CustomMaterialization):
    NAME = "mine"

    def insert(self, table_name, query_or_df, model, is_first_insert, render_kwargs, **kwargs):
        self.adapter.replace_query(table_name, query_or_df)
"""
PRODUCTS = [name.removeprefix("lake.") for name in MODELS]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    made = Stranger(tmp_path_factory.mktemp("first_tests"))
    for path, text in {
        "config.yaml": CONFIG,
        "seeds/people.csv": PEOPLE,
        "models/scored.py": PYTHON,
        "materializations/mine.py": CUSTOM,
    }.items():
        write(made, path, text)
    for name, (kind, query) in (MODELS | INTERNAL).items():
        write(made, f"models/{name}.sql", f"MODEL (name {name}, kind {kind});\n{query}\n")
    made.run(*PLAN)
    made.edit("seeds/people.csv", "(?m)^([123],[^,]*,)", r"\g<1>1")
    made.run(*PLAN)
    made.run("mesh", "init", "--yes")
    made.run("mesh", "contracts", "new", *PRODUCTS)
    made.run("mesh", "contracts", "new", *PRODUCTS)
    return made


def write(stranger: Stranger, path: str, text: str) -> None:
    file: Path = stranger.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def drafted(shop: Stranger, product: str) -> dict:
    domain, _, name = product.partition(".")
    text = (shop.root / "tests" / domain / f"test_{name}.yaml").read_text()
    return yaml.safe_load(text)[f"test_{name}_awkward_rows"]


def test_what_is_drafted_of_every_kind_passes(shop: Stranger) -> None:
    assert f"Ran `{len(MODELS) - 1}` Tests" in shop.run("sqlmesh", "test")
    assert not (shop.root / "tests" / "shop" / "test_seeded.yaml").exists()
    for full, product in zip(MODELS, PRODUCTS[:-1], strict=False):
        test = drafted(shop, product)
        assert test["outputs"]["query"]["rows"], product
        assert test["outputs"].get("partial", False) is ("SCD" in MODELS[full][0])
    assert list(drafted(shop, "shop.of_part")["inputs"]) == ["shop_internal.part"]


CLASSES = "it leads to a person, else public, internal or confidential"
PERSONS = """\
SELECT x::BIGINT AS customer_id, ('c' || x || '@example.org')::TEXT AS email,
  (DATE '1980-01-01' + (x * 37)::INT)::DATE AS birth_date,
  (x / 4)::DECIMAL(9, 2) AS customer_rank, (50123 + x)::BIGINT AS salary,
  (DATE '1980-01-01' + x::INT)::TEXT AS dob, 'May ' || (1980 + x)::TEXT AS born_in,
  ['Ada Byron', 'Vincent Adler'][1 + x % 2]::TEXT AS waiter_name,
  ['Green Tea', 'Black Tea'][1 + x % 2]::TEXT AS product_name
FROM range(40) AS t(x)"""


def test_persons_are_shown_as_nobody_whatever_their_columns_are(tmp_path: Path) -> None:
    """Neither do days of birth say how new a row is, nor has a table to have such a day."""
    made = Stranger(tmp_path)
    made.run("git", "init", "-q")
    made.run("sqlmesh", "init", "duckdb", "-t", "empty")
    write(
        made,
        "models/people.sql",
        f"MODEL (name crm.people, kind FULL, grain customer_id);\n{PERSONS}",
    )
    made.run(*PLAN)
    made.run("mesh", "init", "--yes")
    said = made.run("mesh", "contracts", "new", "crm.people")
    assert (
        "No value of email, birth_date, salary, dob, born_in and waiter_name is shown: by their "
        "names they may lead to a person, which `classification` says."
    ) in said
    contract = made.root / "contracts/crm/people.odcs.yaml"
    assert not re.search("Byron|Adler|198|50123|c0@", contract.read_text())
    assert "value: Green Tea" in contract.read_text()
    text = contract.read_text().replace(f"TODO personal if {CLASSES}", "personal")
    text = re.sub(r"(?s)  - id: freshness.*?(?=  - id: completeness)", "", text)
    text = re.sub(r"(?m)^    element: birth_date\n", "", text)
    contract.write_text(text)
    made.write_contracts()
    write(
        made,
        "models/orders.sql",
        "MODEL (name shop.orders, kind FULL, grain customer_id);\n"
        "SELECT customer_id, email, birth_date, customer_rank, dob::DATE AS day FROM crm.people",
    )
    write(
        made,
        "models/ages.sql",
        "MODEL (name shop.ages, kind FULL, grain customer_id);\n"
        "SELECT customer_id, 2024 - RIGHT(born_in, 4)::INT AS age FROM crm.people",
    )
    made.run("mesh", "contracts", "lint")
    said = made.run("mesh", "contracts", "new", "shop.orders", "shop.ages")
    assert "No unit test of shop.ages could be drafted, since its query cannot be run on" in said
    assert "Write it by hand, as tests/shop/test_ages.yaml." in said
    assert (made.root / "contracts/shop/ages.odcs.yaml").exists()
    inputs = drafted(made, "shop.orders")["inputs"]["crm.people"]["rows"]
    assert {row["email"] for row in inputs} == {
        f"person{n + 1}@example.com" for n in range(len(inputs))
    }
    assert all(str(row["birth_date"]).startswith("2000-01-") for row in inputs)
    assert all(f"{row['customer_rank']:.0f}" == str(row["customer_rank"]) for row in inputs)
    assert {len(row["dob"]) for row in inputs} == {len("2000-01-01")}
    drawn = (made.root / "contracts/shop/orders.odcs.yaml").read_text()
    assert "2000-01-01" in drawn and "19" not in re.findall(r"'(\d\d)\d\d-\d\d-\d\d'", drawn)
    assert "property: freshness" not in drawn


@pytest.mark.parametrize("product", ["of_today", "loaded"])
def test_what_is_of_today_stays_of_the_day_of_the_draft(shop: Stranger, product: str) -> None:
    """And what is stamped with the moment of its load stays of that moment."""
    test, file = drafted(shop, f"shop.{product}"), f"tests/shop/test_{product}.yaml"
    assert list(test["vars"]) == ["execution_time"]
    moment = test["vars"]["execution_time"]
    assert datetime.fromisoformat(moment).time() != time(), "it is a moment, not a day"
    if product == "loaded":
        rows = test["outputs"]["query"]["rows"]
        assert {str(row["loaded_at"]) for row in rows} == {moment}
        assert {row["loaded_time"] for row in rows} == {moment.partition(" ")[2]}
    assert "Successfully Ran `1` Tests" in shop.run("sqlmesh", "test", file)
    shop.edit(file, r"(execution_time: ').*'", r"\g<1>2024-01-05 10:00:00'")
    assert "Failed tests (1)" in shop.run("sqlmesh", "test", file, fails=1)
    shop.edit(file, r"(execution_time: ').*'", rf"\g<1>{moment}'")


def test_a_model_of_another_catalog_is_named_with_it(shop: Stranger) -> None:
    assert drafted(shop, "reports.daily")["model"] == "lake.reports.daily"
    assert list(drafted(shop, "shop.of_lake")["inputs"]) == ["lake.reports.daily"]
    assert drafted(shop, "shop.whole")["model"] == "shop.whole"
    shop.edit("tests/reports/test_daily.yaml", "lake.reports", "reports")
    said = shop.run("mesh", "contracts", "new", "reports.daily", fails=2)
    assert (
        "reports.daily has a contract already, and tests/reports/test_daily.yaml is there, in "
        "which no test is of lake.reports.daily. Correct its `model:`, or move it away first."
    ) in said
    shop.edit("tests/reports/test_daily.yaml", "model: reports", "model: lake.reports")


def test_what_is_there_already_is_said_and_keeps_no_other_from_its_draft(shop: Stranger) -> None:
    there = "contracts/shop/{0}.odcs.yaml: shop.{0} has a contract already. Edit it, or move"
    shop.run("rm", "contracts/shop/seen.odcs.yaml", "tests/shop/test_by_key.yaml")
    names = ("shop.whole", "shop.seen", "shop.by_key", "shop.seeded")
    said = shop.run("mesh", "contracts", "new", *names)
    assert there.format("whole") in said and there.format("seeded") in said
    assert "contracts/shop/seen.odcs.yaml: drafted from its columns" in said
    assert "by_key.odcs.yaml is there already, and stays; there was no unit test." in said
    said = shop.run("mesh", "contracts", "new", *names[:2], fails=2)
    assert there.format("whole") in said and there.format("seen") in said


def test_a_domain_of_blueprints_or_one_that_is_built_is_not_new(shop: Stranger) -> None:
    model = (
        "MODEL (name sales_@region.orders, kind FULL, blueprints ((region := north), "
        "(region := south)));\nSELECT id::BIGINT AS id FROM shop.whole"
    )
    write(shop, "models/regional.sql", model)
    said = shop.run("mesh", "contracts", "new", "sales_north.orders", "sales_south.orders")
    assert said.count(": drafted from its columns") == 2 and "is a new domain" not in said
    shop.run("rm", "-r", "models/regional.sql", "contracts/reports", "contracts/sales_north")
    shop.run("rm", "-r", "contracts/sales_south", "tests/sales_north", "tests/sales_south")
    assert "is a new domain" not in shop.run("mesh", "contracts", "new", "reports.daily")


def test_a_grain_is_the_same_in_capitals_and_an_odd_one_is_told(shop: Stranger) -> None:
    text = "MODEL (name shop.{0}, kind FULL, grain {1}{2});\n" + OWN
    told = {"capitals": '(ID, "Points")', "reserved": '("DAY", id)', "odd": "nowhere"}
    for name, grain in told.items():
        write(shop, f"models/{name}.sql", text.format(name, grain, ""))
    said = shop.run("mesh", "contracts", "new", *(f"shop.{name}" for name in told))
    odd = "Its grain in the MODEL block names nowhere, which is no column of it: the key was"
    assert said.count("MODEL block") == 1 and odd in said
    keys = {}
    for name in told:
        contract = yaml.safe_load((shop.root / f"contracts/shop/{name}.odcs.yaml").read_text())
        columns = contract["schema"][0]["properties"]
        keys[name] = [column["name"] for column in columns if "primaryKey" in column]
    assert keys == {"capitals": ["id", "points"], "reserved": ["id", "day"], "odd": ["id"]}
    shop.write_contracts()
    for name, grain in told.items():
        write(shop, f"models/{name}.sql", text.format(name, grain, f", @contract({name})"))
    said = shop.run("sqlmesh", "lint", fails=1)
    assert "the grain is id in the contract" in said and "but nowhere in the model" in said
    assert said.count("the grain is") == 1
    for name in told:
        shop.run("rm", f"models/{name}.sql", f"contracts/shop/{name}.odcs.yaml")


def test_a_key_is_no_list_of_values_in_a_history_either(shop: Stranger) -> None:
    for product in ("named", "history"):
        contract = yaml.safe_load((shop.root / f"contracts/shop/{product}.odcs.yaml").read_text())
        name = contract["schema"][0]["properties"][0]
        assert name["primaryKey"] and "enum" not in name
