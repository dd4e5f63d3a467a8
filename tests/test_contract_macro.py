"""`@contract(product)`: the header is the contract's, and an edit of the contract is seen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from project_copy import ProjectCopy, Worker, copy_project

from mesh.contracts import Contract, find
from tests.project_copy import PROJECT

ACTIONS = "contracts/interactions/user_actions.odcs.yaml"
MODEL = "interactions.user_actions"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    return copy_project(tmp_path_factory.mktemp("macro") / "project")


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
        "[('domain', 'interactions'), ('product', 'user_actions'), ('contract_version', '1_0_0')]"
    )


def test_products_that_a_rule_reads_are_built_first(header: dict) -> None:
    read = {"user_genre_ratings", "user_movie_ratings", "movies_engagement"}
    assert {f"mesh.interactions.{name}" for name in read} <= set(header["depends_on"])


def test_every_rule_of_the_contract_is_in_an_audit(header: dict, contract: Contract) -> None:
    audits = header["audits"]
    assert list(audits) == ["contract"]
    for rule in contract.row_rules():
        assert f"('{rule.id}', (" in audits["contract"]["rows"], rule.id
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


def test_a_plan_shows_an_edited_rule_in_its_diff(copy: ProjectCopy, worker: Worker) -> None:
    assert worker.ask("apply", environment="dev") is None
    assert worker.ask("plan", environment="dev") == []
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

    (copy.root / ACTIONS).unlink()
    assert worker.ask("lint")["error"] == (
        "ConfigError: models/interactions/user_actions.sql:4: There is no contract for "
        "user_actions. Did you mean `audience_actions`?"
    )


def test_on_the_command_line_no_stack_of_calls_is_shown(copy: ProjectCopy) -> None:
    copy.write(ACTIONS, "\x00 no: [yaml")
    done = copy.run("sqlmesh", "lint")
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"Error: {ACTIONS}:" in " ".join(text.split())
    assert "Traceback" not in text
    assert 'File "' not in text
