"""What `mesh contracts lint` finds: one edit of a valid contract for each possible mistake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mesh.cli.contracts import app
from mesh.contracts import ContractInvalid, load_contract
from mesh.contracts.checks import CHECKS
from mesh.contracts.lint import lint
from mesh.errors import WrongUse
from mesh.files.problems import RULES, Problem

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "contracts"
CASES = yaml.safe_load((FIXTURES / "broken.yaml").read_text())
PLAYS = "interactions/plays.odcs.yaml"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A copy of the valid contracts, to be broken, in a project that says what its sources are."""
    shutil.copytree(FIXTURES / "valid", tmp_path / "contracts")
    for name in ("config.yaml", "external_models.yaml"):
        shutil.copy(FIXTURES / name, tmp_path / name)
    return tmp_path / "contracts"


def break_plays(contracts: Path, old: str, new: str) -> list[str]:
    path = contracts / PLAYS
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path.read_text().splitlines()


def problems_of(contracts: Path) -> tuple[Problem, ...]:
    return lint([contracts]).problems


@pytest.mark.parametrize("case", CASES, ids=[case["case"].replace(" ", "_") for case in CASES])
def test_each_mistake_is_named_with_its_line_and_its_fix(contracts: Path, case: dict) -> None:
    lines = break_plays(contracts, case["old"], case["new"])
    problems = problems_of(contracts)
    found = [p for p in problems if p.rule == case["rule"]]
    assert found, problems
    places = [p for p in found if case["at"] in lines[p.line - 1]]
    assert places, [(p.line, lines[p.line - 1], str(p)) for p in found]
    assert any(case["says"] in p.message and case["fix"] in p.fix for p in places), places
    assert all(p.path.name == "plays.odcs.yaml" for p in problems)


def test_each_rule_has_a_purpose_and_a_case_that_breaks_it() -> None:
    covered = {case["rule"] for case in CASES}
    elsewhere = {"FILE_UNREADABLE", "FILE_NAME", "YAML_TOO_LARGE", "DESCRIPTION_TOO_LONG"}
    # To the reader all of a contract is optional and of one kind; dashboards have cases for these.
    of_other_files = {"KEY_MISSING", "KIND_UNKNOWN", "VALUE"}
    purposes = {**RULES, **{check.id: check.purpose for check in CHECKS}}
    assert covered | elsewhere | of_other_files == set(purposes)
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(purpose.endswith(".") for purpose in purposes.values())


def test_the_line_of_an_expression_that_is_no_sql_is_told_alike_by_all(contracts: Path) -> None:
    """A command that reads rules named the key above, where lint names the expression."""
    edit = ("{COUNT(DISTINCT user_id): COUNT(*)}", "{COUNT(DISTINCT user_id): SOUNDEX(name)}")
    lines = break_plays(contracts, *edit)
    (problem,) = [one for one in problems_of(contracts) if one.rule == "RULE_SQL"]
    assert "SOUNDEX" in lines[problem.line - 1]
    with pytest.raises(ContractInvalid) as refused:
        load_contract(contracts / PLAYS).table_rules()
    assert refused.value.problems == (problem,)


def test_valid_contracts_have_no_problems(contracts: Path) -> None:
    assert problems_of(contracts) == ()


def test_the_contracts_of_this_repository_have_no_problems() -> None:
    result = lint([ROOT / "contracts"])
    assert result.problems == ()
    assert result.files >= 11


def test_the_type_on_duckdb_need_not_be_said(contracts: Path) -> None:
    """It follows from the type on BigQuery; where it is stated it has to be that one."""
    break_plays(
        contracts, "        customProperties: [{property: duckdbType, value: VARCHAR}]\n", ""
    )
    assert problems_of(contracts) == ()


def test_who_leads_to_a_person_is_seen_from_another_contract(contracts: Path) -> None:
    """Written `userId` there and `user_id` here; without that contract nobody can know."""
    break_plays(contracts, "classification: personal", "classification: internal")
    (problem,) = problems_of(contracts)
    assert problem.rule == "PERSONAL"
    users = contracts / "operational" / "users.odcs.yaml"
    line = users.read_text().splitlines().index("        classification: personal") + 1
    assert problem.fix == (
        f"Write `classification: personal`, as contracts/operational/users.odcs.yaml:{line} does, "
        "or `tags: [not_personal]` where the name means another thing."
    )
    break_plays(
        contracts,
        "classification: internal",
        "tags: [not_personal]\n        classification: internal",
    )
    assert problems_of(contracts) == ()


def test_only_tables_of_the_source_keep_another_spelling(contracts: Path) -> None:
    (contracts.parent / "external_models.yaml").unlink()
    found = {(p.path.name, p.rule) for p in problems_of(contracts)}
    assert found == {("users.odcs.yaml", "NAME_INVALID")}


def test_all_problems_of_all_files_are_found_in_one_run(contracts: Path) -> None:
    break_plays(contracts, "status: active", "status: sleepy")
    break_plays(contracts, "classification: internal", "clasification: internal")
    break_plays(contracts, "minimum: 0.5, maximum: 5.0", "minimum: 6, maximum: 5")
    users = contracts / "operational" / "users.odcs.yaml"
    users.write_text(users.read_text().replace("version: 1.0.0", "version: one"))
    found = {(p.path.name, p.rule) for p in problems_of(contracts)}
    assert found >= {
        ("plays.odcs.yaml", "STATUS"),
        ("plays.odcs.yaml", "KEY_UNKNOWN"),
        ("plays.odcs.yaml", "RANGE"),
        ("users.odcs.yaml", "VERSION"),
    }


def test_a_description_longer_than_bigquery_takes_is_refused(contracts: Path) -> None:
    break_plays(contracts, "The rating in stars.", "x" * 1024)
    assert problems_of(contracts) == ()
    break_plays(contracts, "x" * 1024, "x" * 1025)
    (problem,) = problems_of(contracts)
    assert problem.rule == "DESCRIPTION_TOO_LONG"
    assert "The description has 1,025 characters." in str(problem)
    assert "BigQuery takes 1,024: shorten it." in str(problem)


def test_a_second_major_version_lies_beside_the_first(contracts: Path) -> None:
    text = (contracts / PLAYS).read_text()
    second = text.replace("version: 1.2.3", "version: 2.0.0")
    second = second.replace("id: interactions.plays", "id: interactions.plays_v2")
    second = second.replace("name: plays\nversion", "name: plays_v2\nversion")
    second = second.replace("- id: plays\n    name: plays", "- id: plays\n    name: plays_v2", 1)
    (contracts / "interactions" / "plays_v2.odcs.yaml").write_text(second)
    assert problems_of(contracts) == ()
    (contracts / "interactions" / "plays_v2.odcs.yaml").write_text(
        second.replace("version: 2.0.0", "version: 1.0.0")
    )
    (problem,) = problems_of(contracts)
    assert problem.rule == "NAME_DISAGREES"
    assert "Version 1.0.0 does not go with `plays_v2`. Call the product `plays`" in str(problem)


def test_a_deprecated_version_with_an_end_is_in_order(contracts: Path) -> None:
    break_plays(contracts, "status: active", "status: deprecated")
    break_plays(
        contracts,
        "slaProperties:",
        "slaProperties:\n  - {id: end, property: endOfLife, value: '2027-01-31', description: E.}",
    )
    assert problems_of(contracts) == ()


def test_rules_that_wait_for_each_other_are_refused(contracts: Path) -> None:
    users = contracts / "operational" / "users.odcs.yaml"
    rule = """    quality:
      - id: users_play
        type: sql
        description: Each user played.
        dimension: completeness
        severity: error
        query: |-
          SELECT COUNT(*) FROM (
            SELECT 1 FROM ${table} AS own
            WHERE NOT EXISTS (
              SELECT 1 FROM interactions.plays AS p WHERE p.user_id = own.userId
            )
          ) AS offending
        mustBe: 0
slaProperties:"""
    users.write_text(users.read_text().replace("slaProperties:", rule, 1))
    problems = problems_of(contracts)
    assert [(p.path.name, p.rule) for p in problems] == [
        ("plays.odcs.yaml", "REFERENCE"),
        ("users.odcs.yaml", "REFERENCE"),
    ]
    circle = "interactions.plays → operational.users → interactions.plays"
    assert problems[0].message == f"The rules wait for each other: {circle}."
    assert "the product that is built last" in problems[0].fix


def test_a_rule_that_reads_its_own_product_by_name_is_refused(contracts: Path) -> None:
    break_plays(
        contracts,
        "operational.users AS known WHERE known.userId",
        "interactions.plays AS known WHERE known.user_id",
    )
    (problem,) = problems_of(contracts)
    assert "interactions.plays → interactions.plays" in problem.message


@pytest.mark.parametrize(
    "name",
    [
        "plays.yaml",
        "plays.odcs.yml",
        "plays.odcs.yaml.bak",
        "plays.odcs.yaml~",
        "Plays.ODCS.YAML",
        "old/plays.yml",
    ],
)
def test_a_contract_with_another_ending_is_not_overlooked(contracts: Path, name: str) -> None:
    place = contracts / "interactions" / name
    place.parent.mkdir(exist_ok=True)
    (contracts / PLAYS).rename(place)
    found = [p for p in problems_of(contracts) if p.rule == "FILE_NAME"]
    assert [p.path for p in found] == [place]
    assert f"`interactions/{name}` is not read by anything here." in found[0].message
    assert "Call it <product>.odcs.yaml" in found[0].fix
    said = CliRunner().invoke(app, ["lint", str(contracts)]).output
    assert " of 2 contracts" in said.strip().splitlines()[-1]


def test_a_contract_in_a_folder_below_its_domain_is_read(contracts: Path) -> None:
    place = contracts / "interactions" / "old" / "plays.odcs.yaml"
    place.parent.mkdir()
    (contracts / PLAYS).rename(place)
    said = [p.message for p in problems_of(contracts) if p.path == place]
    assert "The contract is of interactions.plays, but the file is old/plays.odcs.yaml." in said


def test_contracts_behind_a_link_are_read(contracts: Path, tmp_path: Path) -> None:
    (contracts / "interactions").rename(tmp_path / "elsewhere")
    (contracts / "interactions").symlink_to(tmp_path / "elsewhere")
    (contracts / "again").symlink_to(contracts)
    result = lint([contracts])
    assert result.files == 2 and [str(problem) for problem in result.problems] == []


def test_a_contract_that_was_moved_or_copied_is_told_where_it_belongs(contracts: Path) -> None:
    """Its words agree with each other: the file is what is wrong, and no name is to be changed."""
    copy = contracts / "people" / "plays.odcs.yaml"
    copy.parent.mkdir()
    shutil.copy(contracts / PLAYS, copy)
    (found,) = [one for one in problems_of(contracts) if one.rule == "NAME_DISAGREES"]
    said = f"{found.message} {found.fix}"
    assert "is of interactions.plays, but the file is people/plays.odcs.yaml" in said
    assert f"That has one, {PLAYS}: remove this one" in said
    (contracts / PLAYS).unlink()
    (found,) = [one for one in problems_of(contracts) if one.rule == "NAME_DISAGREES"]
    assert found.fix.startswith(f"Move it to {PLAYS}, or name people.plays by id")


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(
        WrongUse, match=r"There is no such file or folder\. Name files, as contracts/<domain>"
    ):
        lint([tmp_path / "nowhere"])


@pytest.mark.parametrize("name", ["README.md", "plays.yaml", "review.yaml"])
def test_a_file_of_another_kind_is_wrong_use(contracts: Path, name: str) -> None:
    (contracts / name).write_text("# Contracts\n")
    with pytest.raises(
        WrongUse, match=r"This is no contract\. Name files, as contracts/<domain>/<product>.odcs"
    ):
        lint([contracts / name])


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "YAML_INVALID: The file is empty. Write a file of levels"), (None, "Is a directory")],
    ids=["empty", "a folder"],
)
def test_what_is_wrong_with_the_levels_is_told_once_and_of_no_contract(
    contracts: Path, content: str | None, says: str
) -> None:
    levels = contracts / "review.yaml"
    levels.mkdir() if content is None else levels.write_text(content)
    result = CliRunner().invoke(app, ["lint", str(contracts)])
    assert result.exit_code == 1
    first, last = result.output.strip().splitlines()
    assert says in first
    assert last == "1 problem in contracts/review.yaml"
    break_plays(contracts, "status: active", "status: activ")
    result = CliRunner().invoke(app, ["lint", str(contracts)])
    assert result.output.strip().splitlines()[-1] == (
        "2 problems in 1 of 2 contracts and in contracts/review.yaml"
    )


def test_a_folder_without_contracts_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "model.sql").touch()
    with pytest.raises(
        WrongUse, match=r"There are no contracts in this folder\. Name files, as contracts/<domain>"
    ):
        lint([tmp_path])


def test_the_command_prints_one_line_for_each_problem_and_fails(contracts: Path) -> None:
    break_plays(contracts, "status: active", "status: activ")
    result = CliRunner().invoke(app, ["lint", str(contracts)])
    assert result.exit_code == 1
    first, last = result.output.strip().splitlines()
    assert first.endswith("plays.odcs.yaml:6: STATUS: `activ` is no status. Did you mean `active`?")
    assert last == "1 problem in 1 of 2 contracts"


def test_the_command_says_when_all_is_well(contracts: Path) -> None:
    result = CliRunner().invoke(app, ["lint", str(contracts)])
    assert (result.exit_code, result.output.strip()) == (0, "2 contracts: no problems")


def test_the_command_speaks_json(contracts: Path) -> None:
    break_plays(contracts, "status: active", "status: activ")
    result = CliRunner().invoke(app, ["lint", "--json", str(contracts / PLAYS)])
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert said["files"] == 1
    (problem,) = said["problems"]
    assert problem["file"].endswith("plays.odcs.yaml")
    assert (problem["line"], problem["rule"]) == (6, "STATUS")
    assert problem["message"] and problem["fix"] == "Did you mean `active`?"


def test_a_folder_with_the_name_of_a_contract_is_not_overlooked(contracts: Path) -> None:
    place = contracts / "interactions" / "skips.odcs.yaml"
    place.mkdir()
    (problem,) = problems_of(contracts)
    assert (problem.path, problem.rule) == (place, "FILE_NAME")
    assert "`interactions/skips.odcs.yaml` is a folder with a file's name." in problem.message


def test_a_first_day_of_a_month_may_be_as_old_as_a_month_besides(contracts: Path) -> None:
    daily = (
        "slaProperties:\n  - {id: often, property: frequency, value: 1, unit: d, description: A.}"
    )
    break_plays(contracts, "slaProperties:", f"slaProperties:\n  - {daily}")

    def idle() -> list[str]:
        found = [one.fix for one in problems_of(contracts) if one.rule == "LEVEL_IDLE"]
        return [one.partition(",")[0].rstrip(".") for one in found]

    (told,) = (one.fix for one in problems_of(contracts) if one.rule == "LEVEL_IDLE")
    assert "12 days at the most, for what is built so often. If `month` is the first day" in told
    assert "say so by a rule, as `EXTRACT(DAY FROM month) = 1`" in told
    first = "NOT (EXTRACT(DAY FROM month) = 1 AND (plays > 0 OR score IS NULL))"
    break_plays(contracts, "NOT (plays > 0 OR score IS NULL)", first)
    assert not idle()
    break_plays(contracts, "value: 31, unit: d", "value: 44, unit: d")
    assert idle() == ["Promise what somebody would miss: 43 days at the most"]
    quarter = "(EXTRACT(DAY FROM month) = 1 AND EXTRACT(MONTH FROM month) IN (1, 4, 7, 10) AND"
    break_plays(contracts, "(EXTRACT(DAY FROM month) = 1 AND", quarter)
    assert not idle()
    break_plays(contracts, "value: 44, unit: d", "value: 106, unit: d")
    assert idle() == ["Promise what somebody would miss: 105 days at the most"]
    break_plays(
        contracts, "EXTRACT(MONTH FROM month) IN (1, 4, 7, 10)", "EXTRACT(MONTH FROM month) = 1"
    )
    assert not idle()
