"""A project takes contracts model by model: what has none yet is planned as before."""

from __future__ import annotations

import re

import pytest
from project_copy import share_analyzer
from stranger import Stranger

DOMAIN = "sqlmesh_example"
PLAN = ("sqlmesh", "plan", "--auto-apply", "--no-prompts")
FINISHED = f"`uncontracted` names {DOMAIN}.full_model, whose contract is finished: take it out"


@pytest.fixture
def stranger(tmp_path) -> Stranger:
    made = Stranger(tmp_path)
    made.run("git", "init", "-q", "-b", "main")
    made.run("sqlmesh", "init", "duckdb")
    made.run(*PLAN)
    made.run("mesh", "init", "--yes")
    return made


def listed(stranger: Stranger) -> list[str]:
    return re.findall(rf"      - ({DOMAIN}\.\w+)", (stranger.root / "config.yaml").read_text())


def test_what_is_there_is_planned_as_before_until_its_contract_is_finished(
    stranger: Stranger,
) -> None:
    assert listed(stranger) == [
        f"{DOMAIN}.{name}" for name in ("full_model", "incremental_model", "seed_model")
    ]
    # A folder that was made for contracts has none yet, and may hold the levels of the review.
    (stranger.root / "contracts" / DOMAIN).mkdir(parents=True, exist_ok=True)
    said = stranger.run(*PLAN)
    assert "contract" not in said and "is not cast" not in said
    said = stranger.run("mesh", "contracts", "verify", "prod")
    assert "0 promises of 0 products" in said and "holds no data" not in said

    stranger.run("mesh", "contracts", "new", "full_model")
    stranger.run(*PLAN)
    # The draft waits for what only a person knows, and stops nobody.
    share_analyzer(stranger.root)
    for words in (("prove",), ("verify", "prod"), ("bite",)):
        said = " ".join(stranger.run("mesh", "contracts", *words).split())
        assert f"left out, as drafts that wait under `uncontracted`: {DOMAIN}.full_model." in said
    said = stranger.run("mesh", "contracts", "verify", "prod", "full_model", fails=1)
    assert "The `purpose` is still to be written" in said
    stranger.commit("A contract to be finished")

    config = (stranger.root / "config.yaml").read_text()
    stranger.write_contracts()
    (stranger.root / "config.yaml").write_text(config)
    assert FINISHED in stranger.run("sqlmesh", "lint", fails=1)

    stranger.edit("config.yaml", rf"      - {DOMAIN}.full_model\n", "")
    said = stranger.run("sqlmesh", "lint", fails=1)
    assert f"{DOMAIN}.full_model: the contract" in said and "is not enforced" in said
    assert "incremental_model" not in said
    stranger.edit("models/full_model.sql", r"\n  grain [^\n]*", "")
    enforced = "@contract(full_model, assert_positive_order_ids)"
    assert f"write {enforced} into the MODEL block" in said
    stranger.edit("models/full_model.sql", r"audits \([^)]*\)", enforced)
    stranger.run(*PLAN)
    assert "Nothing is broken." in stranger.run("mesh", "review", "--base", "HEAD")

    # What comes anew is asked for its contract.
    model = "MODEL (name sqlmesh_example.fresh, kind FULL);\nSELECT 1::INT AS one"
    (stranger.root / "models" / "fresh.sql").write_text(model)
    assert f"{DOMAIN}.fresh: a public model without a contract" in stranger.run(*PLAN, fails=1)


def test_the_list_names_what_is_there(stranger: Stranger) -> None:
    stranger.edit("config.yaml", f"{DOMAIN}.seed_model", f"{DOMAIN}.seed_modl")
    said = stranger.run("sqlmesh", "lint", fails=1)
    assert f"`uncontracted` names {DOMAIN}.seed_modl, which is not there: take it out" in said
    assert f"{DOMAIN}.seed_model: a public model without a contract" in said
    stranger.edit("config.yaml", r"uncontracted:\n(      - .*\n?)+", "uncontracted: all\n")
    said = stranger.run("mesh", "contracts", "lint", fails=2)
    assert "`variables: mesh: uncontracted` is not a list of names as `schema.model`: 'all'" in said


def test_what_was_lost_of_the_configuration_is_written_anew(stranger: Stranger) -> None:
    """Models that ask for contracts, and a configuration that no longer says so."""
    config = stranger.root / "config.yaml"
    stranger.run("mesh", "contracts", "new", "full_model")
    before = config.read_text().replace(f"      - {DOMAIN}.full_model\n", "")
    stranger.write_contracts()
    stranger.edit("models/full_model.sql", r"audits \([^)]*\)", "@contract(full_model)")
    config.write_text(before.replace("    version: 2\n", ""))
    assert "Run `mesh init`" in " ".join(stranger.run(*PLAN, fails=1).split())
    stranger.run("mesh", "init", "--yes")
    assert config.read_text() == before
    config.write_text(before.partition("variables:")[0])
    stranger.run("mesh", "init", "--yes")
    stranger.run(*PLAN)
