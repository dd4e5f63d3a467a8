"""Contracts of models of every kind and type that SQLMesh has: drafted, planned, held to."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from project_copy import share_analyzer
from stranger import PLAN, Stranger

CONFIG = """\
gateways:
  local:
    connection: {type: duckdb, database: shop.db}
model_defaults: {dialect: duckdb, start: '2024-01-01', cron: '@daily'}
"""
# Of fewer rows nothing is promised.
MORE = range(4, 34)
OTHERS = (f"({n}, DATE '2025-05-05', DATE '2025-02-02', 20, 'b')" for n in MORE)
PEOPLE = f"""\
SELECT * FROM (VALUES
  (1::BIGINT, DATE '2019-05-05', DATE '2025-01-02', 10::BIGINT, ''::VARCHAR(9)),
  (2, DATE '2025-05-05', DATE '2025-02-02', 20, 'b'),
  (3, DATE '2035-05-05', DATE '2025-03-02', 30, 'b'),
  {", ".join(OTHERS)}
) AS t(id, born, day, points, code)"""
SEEN = "id, born, day, points, code FROM shop_internal.people AS people"
KINDS = {
    "whole": "FULL",
    "seen": "VIEW",
    "by_key": "INCREMENTAL_BY_UNIQUE_KEY (unique_key id)",
    "by_time": "INCREMENTAL_BY_TIME_RANGE (time_column day)",
    "by_part": "INCREMENTAL_BY_PARTITION",
    "history": "SCD_TYPE_2_BY_COLUMN (unique_key id, columns [points])",
}
QUERIES = {
    **dict.fromkeys(KINDS, f"SELECT {SEEN}"),
    "by_time": f"SELECT {SEEN} WHERE day BETWEEN @start_date AND @end_date",
}
TYPES = """\
SELECT
  id::INT AS id,
  (points / 8)::DECIMAL(12, 2) AS price,
  (points / 8)::DECIMAL(38, 9) AS exact,
  (day + INTERVAL 90 SECOND)::TIMESTAMP AS booked_at,
  DATE '0001-01-01' AS since,
  CASE id WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN 'inf'::DOUBLE ELSE 0.5 END AS ratio,
  NULL::DOUBLE AS nothing,
  CONCAT('person', id::VARCHAR, '@example.org')::VARCHAR AS email,
  day AS "order"
FROM shop_internal.people AS people"""
NOTHING = "SELECT id, day FROM shop_internal.people AS people WHERE id > 99"
BEFORE = (f"(DATE '{2020 + n // 12}-{n % 12 + 1:02}-01', {n})" for n in MORE)
MONTHS = f"""\
SELECT month, rides FROM (VALUES
  (DATE '2025-01-01', 1::BIGINT), (DATE '2025-02-01', 2), (DATE '2025-03-01', 3),
  {", ".join(BEFORE)}
) AS t(month, rides)"""
# Built daily of months, each quarter, on two days of a month, each year; and of old days.
RARE = {
    "months": ("FULL, cron '@daily'", MONTHS),
    "quarters": ("FULL, cron '0 0 1 */3 *'", MONTHS),
    "twice": ("FULL, cron '0 0 1,20 * *'", MONTHS),
    "years": ("FULL, cron '@yearly'", MONTHS),
    "of_rare": ("FULL, cron '@daily'", "SELECT month, rides FROM shop.quarters AS quarters"),
    "old": ("FULL", MONTHS.replace("2025-01", "1650-01")),
}
EMBEDDED = "SELECT id FROM shop_internal.people AS people"


class Shop(Stranger):
    """A project of small models, planned in prod, set up for contracts."""

    def model(self, name: str, kind: str, query: str, contract: str = "") -> Path:
        """Write a model, under a contract if one is named."""
        more = ", partitioned_by day" if kind == "INCREMENTAL_BY_PARTITION" else ""
        more += f",\n  @contract({contract})\n" if contract else ""
        path = self.root / "models" / f"{name}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"MODEL (name {name}, kind {kind}{more});\n{query}\n")
        return path

    def example(self, product: str, value: str) -> None:
        """Give an example where the data has none."""
        path = self.root / "contracts" / "shop" / f"{product}.odcs.yaml"
        before = path.read_text()
        after = before.replace("- It is a value that it may have", f"- {value}", 1)
        assert after != before
        path.write_text(after)

    def columns(self, product: str) -> dict[str, dict]:
        (table,) = self.stated(product)["schema"]
        return {column["name"]: column for column in table["properties"]}

    def levels(self, product: str) -> dict[str, dict]:
        return {level["property"]: level for level in self.stated(product)["slaProperties"]}

    def stated(self, product: str) -> dict:
        path = self.root / "contracts" / f"{product.replace('.', '/')}.odcs.yaml"
        return yaml.safe_load(path.read_text())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("shop"))
    (made.root / "config.yaml").write_text(CONFIG)
    share_analyzer(made.root)
    made.model("shop_internal.people", "FULL", PEOPLE)
    wanted = {name: (kind, QUERIES[name]) for name, kind in KINDS.items()}
    wanted |= {"types": ("FULL", TYPES), "nothing": ("FULL", NOTHING)} | RARE
    for name, (kind, query) in wanted.items():
        made.model(f"shop.{name}", kind, query)
    made.model("market.types", "FULL, owner traders", "SELECT id FROM shop.types AS types")
    made.model("shop.part", "EMBEDDED", EMBEDDED)
    made.model("shop_internal.reader", "VIEW", "SELECT id FROM shop.part AS part")
    made.run(*PLAN)
    made.run("mesh", "init", "--yes")
    names = ("market.types", *(f"shop.{one}" for one in wanted))
    said = made.run("mesh", "contracts", "new", *names)
    assert said.count(": drafted from its columns") == len(names)
    made.write_contracts()
    made.example("types", "0.5")
    made.example("history", "'2025-01-02T00:00:00'")
    made.example("nothing", "7")
    made.example("nothing", "'2025-01-02'")
    for name, (kind, query) in wanted.items():
        made.model(f"shop.{name}", kind, query, f"shop.{name}")
    made.model("market.types", "FULL", "SELECT id FROM shop.types AS types", "market.types")
    return made


def test_what_is_drafted_of_every_kind_and_type_is_kept(shop: Shop) -> None:
    path = shop.root / "contracts" / "shop" / "nothing.odcs.yaml"
    key = "required: true\n        primaryKey: true\n        primaryKeyPosition: 1"
    path.write_text(path.read_text().replace("required: false", key, 1))
    assert "15 contracts: no problems" in shop.run("mesh", "contracts", "lint")
    shop.run(*PLAN)
    said = shop.run("mesh", "contracts", "verify", "prod", "--as-of", "2025-03-02")
    assert "of 15 products are kept in prod" in said and "shop.part" not in said
    assert "not there" not in shop.run("mesh", "status", fails=1)  # All are late.
    assert "BigQuery takes them all" in shop.run("mesh", "contracts", "prove")
    # What is embedded is read by those that read it.
    said = shop.run("mesh", "cost")
    assert "shop.history" in said and "shop.part" not in said


def test_a_month_is_fresh_until_its_successor_is_late(shop: Shop) -> None:
    """What is built daily of months is as old as a month when all is well."""
    levels = shop.levels("shop.months")
    assert (levels["freshness"]["value"], levels["freshness"]["unit"]) == (33, "d")
    assert levels["freshness"]["element"] == "month"
    words = ("mesh", "contracts", "verify", "prod", "shop.months", "--as-of")
    assert "are kept in prod" in shop.run(*words, "2025-03-31")
    assert "promised are at most 33 days" in shop.run(*words, "2025-04-05", fails=1)


def test_a_frequency_is_no_shorter_than_the_time_between_two_runs(shop: Shop) -> None:
    often = {name: shop.levels(f"shop.{name}")["frequency"] for name in RARE}
    assert {name: (one["value"], one["unit"]) for name, one in often.items()} == {
        "months": (1, "d"), "quarters": (3, "month"), "twice": (3, "w"), "years": (1, "y"),
        "of_rare": (3, "month"), "old": (1, "d"),
    }  # fmt: skip


def test_a_history_promises_what_holds_of_a_history(shop: Shop) -> None:
    """The day since which a row is the current one is none of its own."""
    (table,) = shop.stated("shop.history")["schema"]
    rules = {rule["id"] for rule in table["quality"]}
    assert rules == {"valid_to_is_not_before_valid_from", "one_row_is_current", "row_count"}
    levels = shop.levels("shop.history")
    assert levels["freshness"]["element"] == levels["retention"]["element"] == "day"


def test_a_team_is_the_owner_of_the_model_or_else_the_domain(shop: Shop) -> None:
    names = [shop.stated(product)["team"]["name"] for product in ("market.types", "shop.whole")]
    assert names == ["traders", "shop"]


def test_types_are_stated_as_both_engines_keep_them(shop: Shop) -> None:
    columns = shop.columns("shop.types")
    physical = {name: column["physicalType"] for name, column in columns.items()}
    assert physical == {
        "id": "INT64", "price": "NUMERIC", "exact": "NUMERIC", "booked_at": "DATETIME",
        "since": "DATE", "ratio": "FLOAT64", "nothing": "FLOAT64", "email": "STRING",
        "order": "DATE",
    }  # fmt: skip
    narrower = {name: column.get("customProperties") for name, column in columns.items()}
    assert narrower["price"] == [{"property": "duckdbType", "value": "DECIMAL(12, 2)"}]
    assert narrower["exact"] is None
    assert columns["price"]["examples"] == [1.25, 3.75]
    assert columns["booked_at"]["logicalTypeOptions"] == {"minimum": "2025-01-01T00:00:00"}
    assert (
        "logicalTypeOptions" not in columns["since"]
        and "logicalTypeOptions" not in columns["ratio"]
    )
    assert [one["value"] for one in shop.columns("shop.whole")["code"]["enum"]] == ["", "b"]
    # Of three rows, too, each has its own, and a draft is kept in git.
    assert "enum" not in columns["email"]
    assert "@example.org" not in str(columns["email"])
    history = shop.columns("shop.history")
    assert history["valid_from"]["physicalType"] == "DATETIME"
    assert "order" in shop.run("mesh", "contracts", "show", "shop.types")


def test_a_type_that_only_duckdb_tells_apart_is_seen_by_lint(shop: Shop) -> None:
    wider = TYPES.replace("id::INT ", "id::BIGINT ").replace("DECIMAL(12, 2)", "DECIMAL(14, 2)")
    shop.model("shop.types", "FULL", wider, "shop.types")
    said = shop.run("sqlmesh", "lint", fails=1)
    assert "shop.types: column id is INTEGER on DuckDB by the contract (contracts/shop/" in said
    assert "but BIGINT by the model: cast it to INT, or change its `duckdbType`." in said
    assert "but DECIMAL(14, 2) by the model: cast it to DECIMAL(12, 2), or change its" in said
    shop.model("shop.types", "FULL", TYPES.replace("id::INT ", "id "), "shop.types")
    said = shop.run("sqlmesh", "lint")
    assert "column id (models/shop.types.sql:5) is not cast: write `id::INT AS id`." in said
    shop.model("shop.types", "FULL", TYPES, "shop.types")


# A plan leaves the rows of the others as they are: SQLMesh changes these from the next run on.
@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("by_part", "history")])
def test_a_wrong_row_reaches_prod_in_no_kind_of_model(shop: Shop, name: str) -> None:
    """Whatever dates the row has: one was born before anything is built, one after today."""
    for number in (1, 3):
        wrong = QUERIES[name].replace(
            "points,", f"CASE id WHEN {number} THEN -5 ELSE points END AS points,"
        )
        shop.model(f"shop.{name}", KINDS[name], wrong, f"shop.{name}")
        said = shop.run(*PLAN, fails=1)
        assert f"shop.{name} breaks its contract." in said and "points.range" in said, said
        shop.model(f"shop.{name}", KINDS[name], QUERIES[name], f"shop.{name}")


def test_a_moment_without_offset_is_held_to_its_own_kind_of_bounds(shop: Shop) -> None:
    contract = shop.root / "contracts" / "shop" / "types.odcs.yaml"
    text = contract.read_text()
    zoned = text.replace("'2025-01-01T00:00:00'", "'2025-01-01T00:00:00+00:00'")
    contract.write_text(zoned)
    said = shop.run("mesh", "contracts", "lint", fails=1)
    assert "is no value of type datetime. Write a day and time without an offset" in said
    later = text.replace("'2025-01-01T00:00:00'", "'2025-01-02T00:01:31'")
    contract.write_text(later.replace("'2025-01-02T00:01:30'", "'2025-01-02T00:01:31'"))
    assert "Rule booked_at.range: 1 failing" in shop.run(*PLAN, fails=1)
    contract.write_text(text)


def test_of_several_models_those_that_can_be_are_drafted_and_the_others_named(shop: Shop) -> None:
    fresh = [shop.model(f"shop.{name}", "FULL", MONTHS) for name in ("fresh", "later")]
    fails = shop.model("shop.fails", "FULL", "SELECT 'a'::TEXT::BIGINT AS x FROM shop.whole")
    wrong = ("shop.nowhere", "shop.fresh", "shop.fails", "shop.part", "shop.later")
    said = shop.run("mesh", "contracts", "new", *wrong, fails=2)
    for why in ("no model shop.nowhere", "shop.part is embedded", "shop.fails: DuckDB refuses"):
        assert why in said
    assert said.count(": drafted from its columns") == 2 and "run `mesh docs`" in said
    for one in (*fresh, fails):
        one.unlink()
        name = one.stem.partition(".")[2]
        for draft in ("contracts/shop/{}.odcs.yaml", "tests/shop/test_{}.yaml"):
            (shop.root / draft.format(name)).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("query", "column"),
    [
        (f"SELECT points * 2 AS twice, {SEEN}", "twice"),
        (f"SELECT {SEEN}".replace("points", "points::VARCHAR AS points"), "points"),
    ],
)
def test_of_a_planned_model_whose_columns_changed_since_the_query_is_run(
    shop: Shop, query: str, column: str
) -> None:
    """It cannot be planned before it has a contract, and some have to change to get one."""
    seen = shop.root / "models" / "shop.seen.sql"
    contract = shop.root / "contracts" / "shop" / "seen.odcs.yaml"
    texts = seen.read_text(), contract.read_text()
    shop.model("shop.seen", "VIEW", query)
    contract.unlink()
    try:
        said = shop.run("mesh", "contracts", "new", "shop.seen")
        assert "seen.odcs.yaml: drafted from its columns and 33 rows that its query makes" in said
        (test,) = (shop.root / "tests").rglob("test_seen.yaml")
        test.unlink()
        assert column in shop.columns("shop.seen")
    finally:
        seen.write_text(texts[0])
        contract.write_text(texts[1])


def test_a_draft_takes_from_the_model_what_it_tells(shop: Shop) -> None:
    """Its key, its words, and what may be empty on the day when a row has no match."""
    query = """\
SELECT
  people.id AS id, /* The number of a guest */
  people.points AS points,
  others.code AS code
FROM shop_internal.people AS people
LEFT JOIN (
  SELECT id, MAX(code) AS code FROM shop_internal.people AS all_people GROUP BY id
) AS others ON others.id = people.id"""
    kinds = {
        "guests": "SCD_TYPE_2_BY_COLUMN (unique_key id, columns [points])",
        "keyed": "INCREMENTAL_BY_UNIQUE_KEY (unique_key (id, points))",
        "told": "FULL, description 'Who was there.'",
    }
    models = [shop.model(f"shop.{name}", kind, query) for name, kind in kinds.items()]
    shop.run("mesh", "contracts", "new", *(f"shop.{name}" for name in kinds))
    keys = {
        name: [c for c, told in shop.columns(f"shop.{name}").items() if told.get("primaryKey")]
        for name in kinds
    }
    assert keys == {"guests": ["id", "valid_from"], "keyed": ["id", "points"], "told": ["id"]}
    assert shop.levels("shop.guests")["freshness"]["element"] == "valid_from"
    assert shop.stated("shop.told")["description"]["purpose"] == "Who was there."
    assert shop.columns("shop.told")["id"]["description"] == "The number of a guest"
    assert shop.columns("shop.told")["code"]["required"] is False
    rules = {rule["id"] for rule in shop.stated("shop.told")["schema"][0]["quality"]}
    assert rules and "code_is_there" not in rules
    for path in [*models, *((shop.root / "contracts" / "shop").glob("*.odcs.yaml"))]:
        if path.name.split(".")[0] in kinds:
            path.unlink()


def test_what_has_no_rows_of_its_own_or_no_header_is_told_so(shop: Shop) -> None:
    said = shop.run("mesh", "contracts", "new", "shop.part", fails=2)
    assert "shop.part is embedded: its query becomes part of those that read it" in said
    python = shop.root / "models" / "scored.py"
    python.write_text(
        "import pandas as pd\nfrom sqlmesh import model\n\n\n"
        '@model("shop.scored", columns={"id": "bigint"}, kind="FULL")\n'
        "def execute(context, start, end, execution_time, **kwargs):\n"
        '    return pd.DataFrame({"id": [1]})\n'
    )
    said = shop.run("mesh", "contracts", "new", "shop.scored", fails=2)
    assert "Call it shop_internal.scored, and make shop.scored an SQL model of kind VIEW" in said
    assert "a Python model is under no contract" in shop.run("sqlmesh", "lint", fails=1)
    python.unlink()
    odd = shop.model("shop.odd", "VIEW", 'SELECT 1::BIGINT AS "Full Name"')
    said = shop.run("mesh", "contracts", "new", "shop.odd", fails=2)
    assert "shop.odd: no contract can state a column called `full name`. Rename it" in said
    text = 'SELECT 1::HUGEINT AS big, 1 AS "A B", 2 AS "C D", [1] AS many, 1::BIGINT AS id'
    odd.write_text(odd.read_text().partition("SELECT")[0] + text)
    said = shop.run("mesh", "contracts", "new", "shop.odd", fails=2)
    assert "no contract can state columns called `a b` and `c d`, nor the types of the" in said
    assert "columns big (INT128) and many (INT[]). Rename them in the model, with small" in said
    assert "Cast each of them in the model to one of: INT64, FLOAT64, NUMERIC, STRING," in said
    odd.unlink()


WORDS = ("select", "from", "group", "order")
ROWS = 40
VALUES = ", ".join(
    f"({row}::BIGINT, DATE '2024-01-0{2 + row % 2}', 'a{row}', {10 * row}::BIGINT)"
    for row in range(1, ROWS + 1)
)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_columns_are_called_as_words_of_sql_in_any_dialect(tmp_path: Path, dialect: str) -> None:
    made = Shop(tmp_path)
    (made.root / "config.yaml").write_text(CONFIG.replace("dialect: duckdb", f"dialect: {dialect}"))
    share_analyzer(made.root)
    columns = ", ".join(f'"{word}"' for word in WORDS)
    types = dict(zip(WORDS, ("BIGINT", "DATE", "TEXT", "BIGINT"), strict=True))
    query = "SELECT {} FROM shop_internal.raw".format(
        ", ".join(f'"{word}"::{kind} AS "{word}"' for word, kind in types.items())
    )
    kinds = {
        "words": ("FULL", query),
        "of_time": (
            'INCREMENTAL_BY_TIME_RANGE (time_column "from")',
            f'{query} WHERE "from" BETWEEN @start_date AND @end_date',
        ),
    }
    raw = f"SELECT {columns} FROM (VALUES {VALUES}) AS t({columns})"
    made.model("shop_internal.raw", "FULL", raw)
    for name, (kind, text) in kinds.items():
        made.model(f"shop.{name}", kind, text)
    made.run(*PLAN)
    made.run("mesh", "init", "--yes")
    for _ in range(2):
        made.run("mesh", "contracts", "new", "shop.words", "shop.of_time")
    made.write_contracts()
    for name, (kind, text) in kinds.items():
        made.model(f"shop.{name}", kind, text, f"shop.{name}")
    assert "2 contracts: no problems" in made.run("mesh", "contracts", "lint")
    made.run("sqlmesh", "lint")
    made.run("sqlmesh", "test")
    made.run(*PLAN)
    assert "kept in prod" in made.run(
        "mesh", "contracts", "verify", "prod", "--as-of", "2024-01-04"
    )
    assert "are noticed" in made.run("mesh", "contracts", "bite")
    negative = '(-"order")::BIGINT AS "order"'
    for name, (kind, text) in kinds.items():
        wrong = text.replace('"order"::BIGINT AS "order"', negative)
        made.model(f"shop.{name}", kind, wrong, f"shop.{name}")
        said = made.run(*PLAN, fails=1)
        assert f"shop.{name} breaks its contract. Rule order.range: {ROWS} failing" in said
        made.model(f"shop.{name}", kind, text, f"shop.{name}")
