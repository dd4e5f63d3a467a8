"""`mesh` on a project that it has never seen: one that `sqlmesh init` makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from project_copy import share_analyzer
from stranger import PLAN, Stranger

from mesh.environments import open_project
from mesh.project import Project

MODELS = ("seed_model", "incremental_model", "full_model")
DOMAIN = "sqlmesh_example"
DASHBOARD = """\
id: orders
title: Orders
audience: who sells
purpose: How many orders there are.
sources:
  items: {product: sqlmesh_example.incremental_model, version: ">=1.0.0 <2.0.0", as_of: event_date}
metrics:
  orders: {source: items, field: id, aggregate: max, label: Orders, format: count}
charts:
  - id: all_orders
    title: All orders
    look_at: The number.
    kind: scorecard
    source: items
    metric: orders
    position: {column: 1, row: 1, width: 12, height: 3}
"""


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """A planned project, set up, each model under contract."""
    made = Stranger(tmp_path_factory.mktemp("stranger"))
    made.run("git", "init", "-q", "-b", "main")
    made.run("sqlmesh", "init", "duckdb")
    (made.root / ".gitignore").write_text("db.db*\n.cache\nlogs\n")
    made.run("sqlmesh", "plan", "--auto-apply", "--no-prompts")
    made.run("mesh", "init", "--yes")
    said = made.run("mesh", "contracts", "new", *MODELS)
    assert said.count("drafted from its columns and") == len(MODELS)
    assert said.count("Of fewer than 30 rows no key, bound, allowed value or") == len(MODELS)
    text = (made.root / "contracts" / DOMAIN / "incremental_model.odcs.yaml").read_text()
    assert text.startswith("# Drafted from 7 rows. Of fewer than 30 rows no key,")
    # What so few rows show has to be said by who knows; the key is the grain of its model.
    assert "primaryKey" in text and "required: false" in text and "minimum" not in text
    made.write_contracts()
    least = r"\1        logicalTypeOptions:\n          minimum: 0\n"
    made.edit(f"contracts/{DOMAIN}/full_model.odcs.yaml", r"( +name: num_orders\n)", least)
    for model in MODELS:
        own = ", assert_positive_order_ids" if model == "full_model" else ""
        made.edit(f"models/{model}.sql", r"\n  grain [^\n]*", f"\n  @contract({model}{own})")
    made.edit("models/full_model.sql", r"\s*audits \([^)]*\),", "")
    made.run("sqlmesh", "plan", "--auto-apply", "--no-prompts")
    made.commit("Put the models under contract")
    return made


def test_lint_and_plan_hold_the_models_to_their_contracts(stranger: Stranger) -> None:
    assert "3 contracts: no problems" in stranger.run("mesh", "contracts", "lint")
    said = stranger.run("sqlmesh", "lint")
    assert f"{DOMAIN}.incremental_model: a public model without a unit test" in said
    assert f"{DOMAIN}.seed_model: a public model without" not in said  # SQLMesh tests no seeds.
    assert "kept in prod" in stranger.run(
        "mesh", "contracts", "verify", "prod", "--as-of", "2020-01-08"
    )


def test_the_day_of_use_is_stated_where_the_project_reads_it(stranger: Stranger) -> None:
    config = stranger.root / "config.yaml"
    before = config.read_text()
    verify = ("mesh", "contracts", "verify", "prod")
    said = stranger.run(*verify, fails=1)
    setting = "`as_of: 'YYYY-MM-DD'` under `variables: mesh` in config.yaml"
    assert f"state the day of use: --as-of, or once by {setting}." in said
    stranger.edit(
        "config.yaml", r"(?m)^( *)version: (\d+)$", r"\1version: \2\n\1as_of: '2020-01-08'"
    )
    assert "2020-01-08 (as config.yaml states)" in stranger.run(*verify)
    stranger.edit("config.yaml", "2020-01-08", "some day")
    said = stranger.run(*verify, fails=2)
    assert f"is no date: some day. Write YYYY-MM-DD, by {setting}, or leave it empty" in said
    stranger.edit("config.yaml", "'some day'", "\"{{ env_var('MESH_AS_OF', '') }}\"")
    assert "--as-of, or once by MESH_AS_OF." in stranger.run(*verify, fails=1)
    config.write_text(before)


@pytest.mark.parametrize("command", ["refresh", "rollback"])
def test_who_names_no_environment_is_told_those_that_there_are(
    stranger: Stranger, command: str
) -> None:
    assert "which environment? Name it: prod." in stranger.run("mesh", command, fails=2)


def test_its_contracts_are_bitten_and_nothing_is_demanded_of_them(stranger: Stranger) -> None:
    said = stranger.run("mesh", "contracts", "bite", "full_model")
    assert f"{DOMAIN}.full_model 1.0.0: " in said and "demanded" not in said
    assert "damages to 1 product of prod are noticed" in said
    assert f"reconcilesWith: {DOMAIN}.incremental_model" in said


def test_a_broken_promise_stops_the_plan_and_prod_stays(stranger: Stranger) -> None:
    before = stranger.run("sqlmesh", "fetchdf", f"SELECT SUM(num_orders) FROM {DOMAIN}.full_model")
    stranger.edit("models/full_model.sql", r"COUNT\(DISTINCT id\)", "-COUNT(DISTINCT id)")
    try:
        said = stranger.run(*PLAN, fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "models")
    assert f"{DOMAIN}.full_model breaks its contract. Rule num_orders.range" in said
    after = stranger.run("sqlmesh", "fetchdf", f"SELECT SUM(num_orders) FROM {DOMAIN}.full_model")
    assert after == before


def test_a_refresh_without_deliveries_says_that_broken_rows_are_shown(
    stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stranger.root)
    opened = open_project(Project(stranger.root))
    seed = opened.there(opened.environment("prod"))[f"{DOMAIN}.seed_model"].table_name()
    opened.close()
    with duckdb.connect(str(stranger.root / "db.db")) as connection:
        connection.execute("DELETE FROM sqlmesh._intervals WHERE name LIKE '%incremental_model%'")
        connection.execute(f"INSERT INTO {seed} SELECT * FROM {seed} WHERE id = 7")
    said = " ".join(stranger.run("mesh", "refresh", "prod", fails=1).split())
    assert "could not be brought up to date. " in said and "as it was" not in said
    assert "Rows that were written before that are shown: `mesh contracts verify prod`" in said
    assert "incremental_model" in stranger.run("mesh", "contracts", "verify", "prod", fails=1)
    with duckdb.connect(str(stranger.root / "db.db")) as connection:
        connection.execute(f"DELETE FROM {seed} WHERE rowid = (SELECT MAX(rowid) FROM {seed})")
    assert "prod is up to date" in stranger.run("mesh", "refresh", "prod")


def test_of_a_part_is_asked_what_its_rows_can_answer(stranger: Stranger) -> None:
    """The preview of a plan that is forward-only has the newest days alone, here no row at all."""
    stranger.edit("models/incremental_model.sql", r"SELECT\n  id", "SELECT\n  id + 0 AS id")
    try:
        said = " ".join(stranger.run("sqlmesh", "plan", "dev", "--forward-only", *PLAN[2:]).split())
    finally:
        stranger.run("git", "checkout", "-q", "models")
    assert "incremental_model" in said and "is built in part, as with a start" in said
    assert "row_count" not in said and "breaks its contract" not in said


@contextmanager
def ruled(stranger: Stranger, rule: str, query: str) -> Iterator[None]:
    """Within, the contract of full_model has a rule more."""
    stranger.edit(
        f"contracts/{DOMAIN}/full_model.odcs.yaml",
        "    quality:\n",
        f"    quality:\n      - id: {rule}\n        type: sql\n"
        "        description: As it is said.\n        dimension: conformity\n"
        f"        severity: error\n        mustBe: 0\n        query: {query}\n",
    )
    try:
        yield
    finally:
        stranger.run("git", "checkout", "-q", "contracts")


def test_a_rule_means_in_a_plan_what_it_means_to_verify(stranger: Stranger) -> None:
    """Of a division by zero DuckDB's dialect makes NULL, which breaks no rule."""
    query = "SELECT COUNT(*) FROM ${table} WHERE NOT (1.5 / (item_id - item_id) < 9)"
    with ruled(stranger, "few_for_each", query):
        assert "Rule few_for_each: 3 failing" in stranger.run(*PLAN, fails=1)
    stranger.run(*PLAN)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(*) FROM ${table} WHERE NOT (CAST(CONCAT('no ', item_id) AS INT64) > 0)",
        "SELECT COUNT(*) FROM (SELECT MAX(CAST(CONCAT('no ', item_id) AS INT64)) AS most "
        "FROM ${table}) AS found WHERE NOT (most > 0)",
    ],
    ids=["of a row", "of a table"],
)
def test_a_rule_that_an_engine_cannot_ask_is_named_with_its_place(
    stranger: Stranger, query: str
) -> None:
    with ruled(stranger, "numbered", query):
        lines = (stranger.root / f"contracts/{DOMAIN}/full_model.odcs.yaml").read_text().split("\n")
        line = 1 + next(n for n, text in enumerate(lines) if "id: numbered" in text)
        said = stranger.run(*PLAN, fails=1)
    place = f"(contracts/{DOMAIN}/full_model.odcs.yaml:{line})"
    assert (
        f"{DOMAIN}.full_model has rows of which its contract cannot ask `numbered` {place}" in said
    )
    assert "Could not convert string 'no " in said
    stranger.run(*PLAN)


def test_a_promise_that_rows_do_not_keep_stops_each_plan_that_takes_it_up(
    stranger: Stranger,
) -> None:
    """Nothing is built for it, and SQLMesh notes the version before an audit stops it."""
    with ruled(stranger, "few_orders", "SELECT COUNT(*) FROM ${table} WHERE num_orders >= 5"):
        for environment in ("dev", "dev", "prod"):
            plan = (*PLAN[:2], environment, *PLAN[2:])
            assert "Rule few_orders: 1 failing" in stranger.run(*plan, fails=1)
    stranger.run(*PLAN)


def test_its_own_audits_are_run_too(stranger: Stranger) -> None:
    stranger.edit("audits/assert_positive_order_ids.sql", r"item_id < 0", "item_id >= 0")
    stranger.edit("models/full_model.sql", r"\nGROUP BY item_id", "\nWHERE TRUE GROUP BY item_id")
    try:
        said = stranger.run(*PLAN, fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "models", "audits")
    assert "assert_positive_order_ids" in said


def test_a_model_whose_own_audits_hide_the_contract_is_refused(stranger: Stranger) -> None:
    stranger.edit(
        "models/full_model.sql",
        r"@contract\(full_model, assert_positive_order_ids\)",
        "audits (assert_positive_order_ids),\n  @contract(full_model)",
    )
    try:
        said = stranger.run("sqlmesh", "lint", fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "models")
    assert "write @contract(full_model, assert_positive_order_ids) into the MODEL block" in said


def test_an_audit_that_stops_no_plan_is_told_by_its_file(stranger: Stranger) -> None:
    stranger.edit("audits/contract.sql", "name contract,", "name contract,\n  blocking FALSE,")
    try:
        said = stranger.run("sqlmesh", "lint", fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "audits")
    assert "its audit `contract` is not the one that asks all that the contract contracts/" in said
    assert "and stops a plan: `mesh init` writes audits/contract.sql anew." in said
    assert "by hand" not in said


def test_a_file_of_unit_tests_that_holds_none_is_named(stranger: Stranger) -> None:
    file = stranger.root / "tests" / "test_odd.yaml"
    try:
        for text in ("", "# nothing\n", "- a\n"):
            file.write_text(text)
            said = stranger.run("sqlmesh", "lint", fails=1)
            assert "tests/test_odd.yaml:1: There is no unit test in this file. Write each" in said
        file.write_text("test_a: {model: a.b}\ntest_b: 3\n")
        assert "tests/test_odd.yaml:1: `3` is no unit test." in stranger.run(
            "sqlmesh", "lint", fails=1
        )
        file.write_text("test_a:\n  model: {{ 1 + }}\n")
        assert "tests/test_odd.yaml:2: This is no template of Jinja: " in stranger.run(
            "sqlmesh", "lint", fails=1
        )
        file.write_text("test_a:\n  model: [\n  b: 1\n")
        said = stranger.run("sqlmesh", "lint", fails=1)
        assert "tests/test_odd.yaml:3: This is no YAML: " in said
    finally:
        file.unlink()


def test_a_draft_stops_nothing_that_can_be_shown_without_it(stranger: Stranger) -> None:
    place = f"contracts/{DOMAIN}/full_model.odcs.yaml"
    stranger.edit(place, r"purpose: >-\n    It is", "purpose: >-\n    TODO for what")
    try:
        note = f"note: left out: {place}:"
        said = stranger.run("mesh", "contracts", "list")
        assert note in said and "The `purpose` is still to be written. Write here: for what" in said
        assert f"{DOMAIN}.seed_model" in said and f"{DOMAIN}.full_model" not in said
        said = stranger.run("mesh", "contracts", "show", "seed_model")
        assert note in said and f"{DOMAIN}.incremental_model" in said
        assert note not in stranger.run("mesh", "contracts", "show", "full_model", fails=1)
        assert note in stranger.run("mesh", "docs")
        # Who has to agree is not left out.
        owners = stranger.run("mesh", "codeowners", fails=1)
        assert f"{place}:" in owners and "is still to be written" in owners
        page = (stranger.root / "docs" / "data-model.md").read_text()
        assert f"### {DOMAIN}.seed_model" in page and f"### {DOMAIN}.full_model" not in page
        assert note in stranger.run("mesh", "status", fails=1)
        # Its model was read without it there, and there alone.
        assert "The `purpose` is still to be" in stranger.run("sqlmesh", "plan", fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "contracts")
        stranger.run("rm", "-rf", "docs", ".github")
    assert "No changes to plan" in stranger.run(*PLAN)
    assert note not in stranger.run("mesh", "contracts", "list")


def test_what_was_never_planned_or_loaded_is_named_by_the_cost(stranger: Stranger) -> None:
    sql, external = stranger.root / "models" / "never.sql", stranger.root / "external_models.yaml"
    python = sql.with_suffix(".py")
    python.write_text(
        "import pandas as pd\nfrom sqlmesh import model\n\n\n"
        f'@model("{DOMAIN}_internal.never", columns={{"id": "bigint"}}, kind="FULL")\n'
        "def execute(context, start, end, execution_time, **kwargs):\n"
        '    return pd.DataFrame({"id": [1]})\n'
    )
    try:
        said = stranger.run("mesh", "cost")
        never = (
            f"since the environment does not have them: {DOMAIN}_internal.never. Plan them there."
        )
        assert f"counted as empty, {never}" in said
        external.write_text("- name: raw.things\n  columns: {id: BIGINT}\n")
        sql.write_text(
            f"MODEL (name {DOMAIN}_internal.more, kind FULL);\nSELECT id FROM raw.things\n"
        )
        said = stranger.run("mesh", "cost", fails=2)
        assert "there is no table raw.things to count the rows of. Load it, and plan what" in said
        assert "`sqlmesh plan prod`." in said
        said = stranger.run("mesh", "contracts", "new", "raw.things")
        assert "drafted from its columns alone: no environment has rows of it." in said
    finally:
        for path in (python, sql, external):
            path.unlink(missing_ok=True)
        stranger.run("rm", "-rf", "contracts/raw")


def test_bigquery_is_proved_without_a_gateway_for_it(stranger: Stranger) -> None:
    share_analyzer(stranger.root)
    assert "BigQuery takes them all" in stranger.run("mesh", "contracts", "prove")


def test_show_and_status_tell_of_it(stranger: Stranger) -> None:
    told = json.loads(stranger.run("mesh", "contracts", "show", "seed_model", "--json"))
    assert [one["product"] for one in told["consumers"]] == [
        f"{DOMAIN}.incremental_model",
        f"{DOMAIN}.full_model",
    ]
    said = stranger.run("mesh", "status", fails=1)
    assert f"prod has 2 of 3 products late, older than promised: {DOMAIN}.incremental_model" in said
    assert "grows any more, state the day of use by `as_of: 'YYYY-MM-DD'` under" in said
    assert "prod was up to date" in stranger.run("mesh", "refresh", "prod")


def test_what_an_environment_leaves_out_since_it_is_as_in_prod_is_read_there(
    stranger: Stranger,
) -> None:
    """A usual plan of SQLMesh makes views of what differs, and no others."""
    stranger.edit("models/full_model.sql", r"\nGROUP BY item_id", "\nWHERE TRUE GROUP BY item_id")
    try:
        stranger.run("sqlmesh", "plan", "dev", *PLAN[2:])
        views = stranger.run(
            "sqlmesh", "fetchdf", "SELECT schema_name, view_name FROM duckdb_views()"
        )
        assert f"{DOMAIN}__dev full_model" in views and f"{DOMAIN}__dev seed_model" not in views
        said = stranger.run("mesh", "contracts", "verify", "dev", "--as-of", "2020-01-08")
        assert "3 products are kept in dev" in said
        assert "not there" not in stranger.run("mesh", "status", "dev", fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "models")


def test_a_review_finds_a_renamed_column(stranger: Stranger) -> None:
    stranger.edit("models/full_model.sql", r"AS num_orders", "AS orders")
    try:
        said = stranger.run("mesh", "review", "--base", "main", fails=1)
    finally:
        stranger.run("git", "checkout", "-q", "models")
    assert "num_orders" in said


def test_a_review_plans_what_sqlmesh_plans_with_workers_too(stranger: Stranger) -> None:
    """Of a seed, SQLMesh tells another state when a worker loads it."""
    stranger.environment["MAX_FORK_WORKERS"] = "2"
    try:
        stranger.run(*PLAN, "prod")
        said = stranger.run("mesh", "review", "--base", "main")
    finally:
        stranger.environment["MAX_FORK_WORKERS"] = "1"
        stranger.run(*PLAN, "prod")
    assert "SQLMesh's plan" not in said


def test_a_review_of_a_database_in_which_nothing_was_planned_is_one_without(
    stranger: Stranger,
) -> None:
    """SQLMesh's lint makes such a file, and so does who loads the source first."""
    database = stranger.root / "db.db"
    planned = database.rename(database.with_name("db.db.planned"))
    try:
        with duckdb.connect(str(database)) as connection:
            connection.execute("CREATE TABLE loaded (id INTEGER)")
        assert "Nothing is broken" in stranger.run("mesh", "review", "--base", "main")
    finally:
        planned.rename(database)


def test_owners_and_pages_are_drawn(stranger: Stranger) -> None:
    stranger.run("mesh", "codeowners")
    assert f"/contracts/{DOMAIN}/" in (stranger.root / ".github" / "CODEOWNERS").read_text()
    stranger.run("mesh", "docs")
    drawn = (stranger.root / "docs" / "architecture.md").read_text()
    for absent in ("BigQuery", "infra", "Continuous", "catalog", "looker", "workflows"):
        assert absent not in drawn
    page = (stranger.root / "docs" / "data-model.md").read_text()
    assert f"{DOMAIN}__incremental_model --> {DOMAIN}__full_model" in page
    stranger.run("mesh", "docs", "--check")


def test_a_dashboard_of_it_is_checked_and_built(stranger: Stranger) -> None:
    (stranger.root / "looker").mkdir()
    (stranger.root / "looker" / "orders.yaml").write_text(DASHBOARD)
    assert "1 dashboard: no problems" in stranger.run("mesh", "dashboards", "check")
    stranger.edit("looker/orders.yaml", "field: id", "field: idd")
    assert "Did you mean `id`?" in stranger.run("mesh", "dashboards", "check", fails=1)
    stranger.edit("looker/orders.yaml", "field: idd", "field: id")
    stranger.run("mesh", "dashboards", "build", "--no-png")
    page = (stranger.root / "dist" / "dashboards" / "orders.html").read_text()
    assert "All orders" in page


def test_without_anything_of_mesh_each_command_says_what_is_missing(tmp_path: Path) -> None:
    bare = Stranger(tmp_path)
    bare.run("sqlmesh", "init", "duckdb")
    for command in (
        ("contracts", "lint"),
        ("contracts", "list"),
        ("contracts", "show", "full_model"),
    ):
        said = bare.run("mesh", *command, fails=2)
        assert "`mesh contracts new MODEL` drafts the first one" in said
