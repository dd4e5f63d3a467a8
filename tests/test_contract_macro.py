"""`@contract(product)`: the header is the contract's, and an edit of the contract is seen."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from project_copy import OF_GROUPS, OF_USERS, ProjectCopy, Worker, copy_project
from sqlglot import exp, parse_one
from sqlmesh import Context

from mesh.contracts import Contract, find, follow
from mesh.contracts.audits import broken_contract
from mesh.contracts.header import audited_interval, checked_rules, row_conditions, source_table
from mesh.project import Project
from tests.project_copy import PROJECT

ACTIONS = "contracts/interactions/user_actions.odcs.yaml"
MODEL = "interactions.user_actions"
ALMOST = "contracts/engagement/audience_actions.odcs.yaml"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("macro") / "project")
    copy.keep_few(*OF_USERS)
    return copy


@pytest.fixture(scope="module")
def worker(copy: ProjectCopy) -> Iterator[Worker]:
    with copy.worker() as worker:
        yield worker


def set_time(path: Path, time: float) -> None:
    os.utime(path, (time, time))


def described(worker: Worker) -> str:
    """What the model says of its column `action_type`."""
    answer = worker.ask("header", model=MODEL)
    assert "error" not in answer, answer
    return answer["column_descriptions"]["action_type"]


@pytest.fixture(scope="module")
def header(worker: Worker) -> dict:
    return worker.ask("header", model=MODEL)


@pytest.fixture(autouse=True)
def as_it_was(copy: ProjectCopy) -> Iterator[None]:
    """Each test finds the contract as it is in the repository."""
    text = copy.read(ACTIONS)
    yield
    copy.write(ACTIONS, text)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return find("user_actions", PROJECT.contracts)


def test_the_header_is_what_the_contract_states(header: dict, contract: Contract) -> None:
    assert header["owner"] == "interactions"
    assert header["description"] == contract.description
    assert contract.purpose in header["description"]
    assert header["grain"] == ["(user_id, action_type, reporting_month)"] or header["grain"] == [
        "user_id",
        "action_type",
        "reporting_month",
    ]
    assert header["column_descriptions"] == {c.name: c.description for c in contract.columns}
    assert header["tags"] == ["user_360"]
    assert header["grants"] == {"select": ["engagement_team"]}
    assert header["labels"] == (
        "[('domain', 'interactions'), ('product', 'user_actions'), ('contract_version', '1_1_0')]"
    )


def test_products_that_a_rule_reads_are_built_first(header: dict) -> None:
    read = {"user_genre_ratings", "user_movie_ratings", "movies_engagement"}
    assert {f"mesh.interactions.{name}" for name in read} <= set(header["depends_on"])


def test_every_rule_of_the_contract_is_in_an_audit(header: dict, contract: Contract) -> None:
    audits = header["audits"]
    assert list(audits) == ["contract"]
    for rule in contract.row_rules():
        assert f"('{rule.id}', '" in audits["contract"]["rows"], rule.id
    for rule in contract.table_rules():
        assert f"('{rule.id}', '" in audits["contract"]["tables"], rule.id
    assert audits["contract"]["grain"] == "[user_id, action_type, reporting_month]"
    assert audits["contract"]["interval"] == "CAST(reporting_month AS DATE)"


def test_an_edited_contract_is_seen_whatever_its_time(copy: ProjectCopy, worker: Worker) -> None:
    """SQLMesh keeps parsed models by the times of files, and knows nothing of contracts."""
    path = copy.root / ACTIONS
    before = path.stat().st_mtime
    assert described(worker) == "What the user did."
    # At once, within the same second, and of the same length.
    copy.edit(ACTIONS, "What the user did.", "Hoe de gebruiker.")
    assert described(worker) == "Hoe de gebruiker."
    # By a copy or an archive that keeps times: newer than it was, older than every model.
    copy.edit(ACTIONS, "Hoe de gebruiker.", "What the user does.")
    set_time(path, before + 0.001)
    assert described(worker) == "What the user does."
    # Back to what it was, older than ever.
    copy.edit(ACTIONS, "What the user does.", "What the user did.")
    set_time(path, before - 86400)
    assert described(worker) == "What the user did."
    # A model from a computer whose clock is ahead must not hide the edit either.
    model = copy.root / "models" / "interactions" / "user_actions.sql"
    set_time(model, model.stat().st_mtime + 86400)
    assert described(worker) == "What the user did."
    copy.edit(ACTIONS, "What the user did.", "What a user did.")
    assert described(worker) == "What a user did."


def test_an_unchanged_contract_leaves_the_parsed_models_alone(
    copy: ProjectCopy, worker: Worker
) -> None:
    described(worker)
    macro = copy.root / "macros" / "contract.py"
    time = macro.stat().st_mtime_ns
    described(worker)
    assert macro.stat().st_mtime_ns == time


@pytest.mark.parametrize(("package", "clone"), [("a", "z"), ("z", "a")])
def test_contracts_are_in_the_same_state_wherever_a_clone_lies(
    package: str, clone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found sound in one need not be looked at in another."""
    (tmp_path / clone).mkdir()
    for name in ("contracts", "external_models.yaml"):
        (tmp_path / clone / name).symlink_to(PROJECT.root / name)
    (tmp_path / package).symlink_to(follow.PACKAGE)
    usual = follow.digest_of(PROJECT)
    monkeypatch.setattr(follow, "PACKAGE", tmp_path / package)
    assert follow.digest_of(Project(tmp_path / clone)) == usual


def test_a_plan_shows_just_what_was_edited_in_its_diff(copy: ProjectCopy, worker: Worker) -> None:
    assert worker.ask("apply", environment="dev") is None
    assert worker.ask("plan", environment="dev") == []
    # A contract with many an IF, which SQLMesh keeps as CASE.
    model, order = "models/engagement/trending_movies.sql", "rating_median DESC, movie_id"
    copy.edit(model, order, "movie_id")
    # As for a colleague, who has the state alone.
    shutil.rmtree(copy.root / ".cache" / "snapshot")
    (text,) = worker.ask("plan", environment="dev")
    changed = [line for line in text.splitlines() if re.match(r"[+-](?![+-])", line)]
    assert len(changed) == 2 and all("ORDER BY rating_count" in one for one in changed), text
    copy.edit(model, "ORDER BY rating_count DESC, movie_id", f"ORDER BY rating_count DESC, {order}")
    copy.edit(ACTIONS, "NOT (action_monthly_count <= action_count)", "NOT (action_count < 1000000)")
    text = "\n".join(worker.ask("plan", environment="dev"))
    assert re.search(r"^-.*action_monthly_count <= action_count", text, re.MULTILINE), text
    assert re.search(r"^\+.*action_count < 1000000", text, re.MULTILINE), text


def test_contracts_that_cannot_be_relied_on_stop_sqlmesh_in_a_sentence(
    copy: ProjectCopy, worker: Worker
) -> None:
    """Each names the file and the line."""
    good = copy.read(ACTIONS)
    line = copy.line(ACTIONS, "logicalTypeOptions: {minimum: 1}")
    copy.edit(ACTIONS, "{minimum: 1}", "{minimum: 9, maximum: 3}")
    said = worker.ask("lint")["error"]
    assert said.startswith(f"ConfigError: {ACTIONS}:{line}: No value is within this range.")

    copy.write(ACTIONS, good)
    copy.edit(ACTIONS, "NOT (action_monthly_count <= action_count)", "NOT (action_count <=)")
    line = copy.line(ACTIONS, "NOT (action_count <=)")
    assert worker.ask("lint")["error"].startswith(f"ConfigError: {ACTIONS}:{line}: ")

    (copy.root / ACTIONS).rename(copy.root / ALMOST)
    said = worker.ask("lint")["error"]
    (copy.root / ALMOST).unlink()
    assert said == (
        "ConfigError: models/interactions/user_actions.sql:4: There is no contract for "
        "user_actions. Did you mean `audience_actions`? Otherwise draft it with `mesh contracts "
        "new interactions.user_actions`."
    )


def test_on_the_command_line_no_stack_of_calls_is_shown(copy: ProjectCopy) -> None:
    copy.write(ACTIONS, "\x00 no: [yaml")
    done = copy.run("sqlmesh", "lint")
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"Error: {ACTIONS}:" in " ".join(text.split())
    assert "Traceback" not in text
    assert 'File "' not in text


# --- two folders, one environment ---

SHOP = {
    "config.yaml": """project: shop
gateways: {duckdb: {connection: {type: duckdb}}}
default_gateway: duckdb
model_defaults: {dialect: bigquery, start: '2020-01-01'}
variables: {mesh: {version: 2}}
linter:
  enabled: true
  rules: [publicmodelneedscontract, contractneedsmodel, columnsmatchcontract]
""",
    "models/orders.sql": """MODEL (name interactions.orders, kind VIEW, @contract(orders));
SELECT 1::INT64 AS order_id
""",
    "contracts/interactions/orders.odcs.yaml": """apiVersion: v3.2.0
kind: DataContract
id: interactions.orders
name: orders
version: 1.0.0
status: active
domain: interactions
description: {purpose: Orders of a shop., usage: As they are., limitations: Made up.}
servers: [{server: local, type: duckdb, database: shop.duckdb, schema: interactions}]
schema:
  - id: orders
    name: orders
    physicalType: view
    dataGranularityDescription: One row per order.
    properties:
      - id: order_id
        name: order_id
        logicalType: integer
        physicalType: INT64
        description: The number of the order.
        classification: internal
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        examples: [1]
    quality:
      - id: row_count
        type: library
        metric: rowCount
        description: At least one.
        dimension: completeness
        severity: error
        mustBeGreaterOrEqualTo: 1
slaProperties:
  - id: complete
    property: completeness
    value: 100
    unit: percent
    customProperties: [{property: measuredBy, value: row_count}]
    description: All of them.
  - {id: kept, property: retention, value: 1, unit: y, description: A year.}
team: {name: shopkeepers}
support: [{channel: shop}]
roles: [{role: readers, access: read, description: May read.}]
""",
}
GLUE = ("macros/contract.py", "audits/contract.sql", "linter/contracts.py")


def opened(*roots: Path) -> Context:
    return Context(paths=[str(root) for root in roots])


def test_two_clones_have_the_same_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLMesh keeps of a model tells nothing of the folder that its contract was read from."""
    monkeypatch.setenv("MESH_DUCKDB", str(tmp_path / "mesh.duckdb"))
    one = copy_project(tmp_path / "clone")
    # Read anew: the first has what was kept of a third.
    other = copy_project(tmp_path / "elsewhere" / "clone", loaded=False)
    for copy in (one, other):
        copy.keep_few(*OF_USERS, *OF_GROUPS)
    found = []
    for root in (one.root, other.root):
        context = opened(root)
        found.append({name: one.fingerprint for name, one in context.snapshots.items()})
        context.close()
    assert len(found[0]) > 20
    assert found[0] == found[1]


def test_each_of_two_projects_has_its_own_contracts(
    copy: ProjectCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_DUCKDB", str(tmp_path / "mesh.duckdb"))
    shop = ProjectCopy(tmp_path / "shop")
    for path, text in SHOP.items():
        shop.write(path, text)
    for path in GLUE:
        shop.write(path, copy.read(path))
    orphan = SHOP["contracts/interactions/orders.odcs.yaml"].replace("orders", "returns")
    shop.write("contracts/interactions/returns.odcs.yaml", orphan)
    context = opened(copy.root, shop.root)
    (found,) = context.lint_models(raise_on_error=False)
    orders = context.get_model("interactions.orders", raise_if_missing=True)
    actions = context.get_model(MODEL, raise_if_missing=True)
    context.close()
    assert (orders.owner, orders.description) == (
        "shopkeepers",
        "Orders of a shop. As they are. Made up.",
    )
    assert actions.owner == "interactions"
    assert found.violation_msg.startswith(
        "interactions.returns: the contract contracts/interactions/returns.odcs.yaml:1 has no model"
    )


MADE_FOR_EACH = {
    "models/orders.sql": """MODEL (
  name sales_@region.orders,
  kind VIEW,
  @contract(orders),
  blueprints ((region := north), (region := south))
);
SELECT 1::INT64 AS order_id
""",
    "models/group.sql": """/* The name of groups. */
MODEL (name `order`.`group`, kind VIEW, @contract(`order`.`group`));
SELECT 1::INT64 AS order_id
""",
}


def test_models_of_one_blueprint_have_the_contracts_of_their_schemas(tmp_path: Path) -> None:
    shop = ProjectCopy(tmp_path / "shop")
    for path, text in (SHOP | MADE_FOR_EACH).items():
        if not path.startswith("contracts/"):
            shop.write(path, text)
    for path in GLUE:
        shop.write(path, (PROJECT.root / path).read_text())
    contract = SHOP["contracts/interactions/orders.odcs.yaml"]
    for product in ("sales_north.orders", "sales_south.orders", "order.group"):
        domain, name = product.split(".")
        text = contract.replace("purpose: Orders", f"purpose: Orders from {domain}")
        text = text.replace("interactions", domain).replace("orders", name)
        shop.write(f"contracts/{domain}/{name}.odcs.yaml", text)
    context = opened(shop.root)
    for domain, name in (("sales_north", "orders"), ("sales_south", "orders"), ("order", "group")):
        found = context.get_model(f"{domain}.{name}", raise_if_missing=True)
        assert (found.description or "").startswith(f"Orders from {domain} of a shop.")
    context.close()

    shop.edit("models/group.sql", "@contract(`order`.`group`)", "@contract(`order`.`grupp`)")
    done = shop.run("sqlmesh", "lint")
    said = done.stdout + done.stderr
    assert "There is no contract for order.grupp. Did you mean `order.group`?" in said
    assert "with `mesh contracts new order.group`" in said
    assert "Traceback" not in said and 'File "' not in said
    # A draft may stand aside where contracts are only looked at; a slip may not.
    done = shop.run("mesh", "docs")
    assert done.returncode and "There is no contract for order.grupp." in done.stderr


def test_macros_that_an_environment_keeps_from_before_still_work() -> None:
    """SQLMesh stores their text: as it was before, it asks these functions in this way."""
    table = exp.to_table("shop.orders")
    rows = parse_one("(('order_id.required', (NOT order_id IS NULL)), ('x', (order_id > 0)))")
    tables = parse_one("('grain.unique', 'table', (SELECT 1 FROM __contract_table__ AS t))")
    conditions = row_conditions(rows)
    assert source_table(parse_one("shop.orders")) == table
    audited = audited_interval(None, table, exp.Null(), exp.Null(), conditions)
    assert audited is table
    rules = checked_rules(tables, audited, table)
    query = broken_contract("shop.orders", audited, ["order_id"], conditions, rules)
    assert "shop.orders breaks its contract." in query.sql()
    assert checked_rules(tables, audited, None) == []


def test_a_part_of_a_table_is_asked_for_what_holds_of_each_part() -> None:
    table = exp.to_table("t")
    tables = parse_one(
        "(('grain.unique', 'keys', (SELECT id FROM __contract_table__ GROUP BY id)), "
        "('row_count', 'count', (SELECT COUNT(*) FROM __contract_table__ HAVING COUNT(*) < 1)), "
        "('all_are_counted', 'table', (SELECT 1 FROM __contract_table__, shop.orders)), "
        "('one_is_others', 'table', (SELECT 1 FROM __contract_table__)))"
    )
    kept = [rule.id for rule in checked_rules(tables, table, table, preview=True)]
    assert kept == ["grain.unique", "one_is_others"]
