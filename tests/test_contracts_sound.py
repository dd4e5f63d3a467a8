"""What lint notes to be sound: it is faster by it, and never says anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_contracts_lint import CASES, PLAYS, break_plays, contracts, problems_of

from mesh.contracts.checks import CHECKS, Check
from mesh.contracts.lint import lint

__all__ = ["contracts"]
ONE_OF_EACH = {case["rule"]: case for case in CASES}
USERS = "operational/users.odcs.yaml"


@pytest.fixture
def cache(contracts: Path) -> Path:
    """Where the valid contracts were found sound."""
    assert lint([contracts], contracts.parent / "cache").problems == ()
    return contracts.parent / "cache"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The contracts that slow checks look at from now on."""
    seen: list[str] = []
    find = Check.problems

    def problems(check, subject):
        if check.is_slow:
            seen.append(subject.draft.file_name)
        return find(check, subject)

    monkeypatch.setattr(Check, "problems", problems)
    return seen


def test_what_was_sound_and_is_unchanged_is_not_looked_at_again(contracts, cache, slow):
    assert lint([contracts], cache).problems == ()
    assert slow == []
    assert lint([contracts]).problems == ()
    assert set(slow) == {"plays", "users"}
    assert any(check.is_slow for check in CHECKS) and not all(check.is_slow for check in CHECKS)


@pytest.mark.parametrize("rule", ONE_OF_EACH)
def test_a_mistake_is_told_as_if_nothing_had_been_noted_and_told_again(contracts, cache, rule):
    case, valid = ONE_OF_EACH[rule], (contracts / PLAYS).read_text()
    break_plays(contracts, case["old"], case["new"])
    without = problems_of(contracts)
    assert without
    assert lint([contracts], cache).problems == without
    assert lint([contracts], cache).problems == without
    (contracts / PLAYS).write_text(valid)
    assert lint([contracts], cache).problems == ()


def test_a_contract_is_looked_at_again_when_one_that_it_names_changes(contracts, cache, slow):
    users = contracts / USERS
    users.write_text(users.read_text().replace("name: userId", "name: userKey"))
    found = lint([contracts], cache).problems
    assert "plays" in slow
    assert found == problems_of(contracts)
    assert any(problem.path.name == "plays.odcs.yaml" for problem in found)


def test_an_edit_of_one_contract_leaves_those_alone_that_do_not_name_it(contracts, cache, slow):
    people = contracts / "interactions" / "people.odcs.yaml"
    text = (contracts / USERS).read_text().replace("userId", "user_id")
    people.write_text(
        text.replace("operational", "interactions").replace("users", "people")
        .replace("people_are_known", "users_are_known")
    )  # fmt: skip
    assert lint([contracts], cache).problems == ()
    slow.clear()
    people.write_text(people.read_text().replace("The viewer.", "The viewer!"))
    assert lint([contracts / USERS], cache).problems == ()
    assert lint([contracts], cache).problems == ()
    assert set(slow) == {"people"}


def test_where_nothing_can_be_noted_everything_is_looked_at(contracts, tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    assert lint([contracts], file).problems == ()
    break_plays(contracts, "minimum: 0.5, maximum: 5.0", "minimum: 6, maximum: 5")
    assert lint([contracts], file).problems == problems_of(contracts) != ()
    (tmp_path / "contracts.sound").write_bytes(b"\xff\xfe")
    assert lint([contracts], tmp_path).problems == problems_of(contracts)
