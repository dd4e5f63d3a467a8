"""Dashboard specs against contracts: every fault is found, at its line, with what to write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli.main import app
from mesh.dashboards.check import check
from mesh.dashboards.read import DashboardInvalid, load_dashboards
from mesh.dashboards.rules import RULES, in_range
from mesh.dashboards.usage import read_usage
from mesh.errors import WrongUse
from mesh.files.problems import Problem, suggestion
from mesh.files.schema import with_comment
from tests.dashboards_data import specs_with
from tests.dashboards_faults import FAULTS
from tests.project_copy import PROJECT
from tests.test_dashboards_controls import CONTROL_FAULTS
from tests.test_dashboards_kinds import KIND_FAULTS

SPECS, CONTRACTS = PROJECT.dashboards, PROJECT.contracts
# Rules whose fault is on another line than the text that was replaced, or stands there twice.
LINES_ELSEWHERE = ("GRID", "METRIC_UNKNOWN", "FILTER", "ID_DUPLICATE")


def check_specs(specs: Path) -> tuple[int, list[Problem]]:
    """What is found in a folder of dashboards, beside the contracts of this project."""
    return check(specs, CONTRACTS)


@pytest.mark.parametrize(
    "name", ["other.yaml.bak", "Other.YAML", "other.yml~", "marketing/other.yaml", "user_360.yml"]
)
def test_a_dashboard_that_nothing_reads_is_told(tmp_path: Path, name: str) -> None:
    for path in SPECS.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(SPECS / "user_360.yaml", tmp_path / name)
    count, problems = check(tmp_path, CONTRACTS)
    (problem,) = problems
    assert count == len(list(SPECS.glob("*.yaml"))) and problem.rule == "FILE_NAME"
    assert problem.message == f"`{name}` is not read by anything here."
    assert problem.fix.startswith("Call it <dashboard>.yaml")


def test_a_dashboard_may_end_in_yml(tmp_path: Path) -> None:
    shutil.copy(SPECS / "user_360.yaml", tmp_path / "user_360.yml")
    shutil.copy(SPECS / "movie_trends.yaml", tmp_path)
    assert check(tmp_path, CONTRACTS) == (2, [])
    assert {chart.dashboard for chart in read_usage(tmp_path).charts.values()} == {
        "user_360",
        "movie_trends",
    }


def test_the_dashboard_to_start_from_in_the_document_is_whole(tmp_path: Path) -> None:
    document = (PROJECT.docs / "dashboards.md").read_text(encoding="utf-8")
    _, _, after = document.partition("## A dashboard to start from")
    text = after.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "ratings.yaml").write_text(text, encoding="utf-8")
    assert check_specs(tmp_path) == (1, [])
    (loaded,) = load_dashboards(tmp_path)
    assert [chart.kind for chart in loaded.dashboard.charts] == ["scorecard", "line"]
    # As `mesh schema` leaves it, and once more.
    named = with_comment(text, "dashboard.schema.json")
    assert named == f"# yaml-language-server: $schema=dashboard.schema.json\n{text}"
    assert with_comment(named, "dashboard.schema.json") == named


def test_a_day_of_its_own_is_advised_where_a_query_sees_all_rows(tmp_path: Path) -> None:
    name, before, after, *_ = FAULTS["a day up to which the data go that each row has for itself"]
    _, problems = check(specs_with(tmp_path, name, before, after), CONTRACTS)
    (fix,) = {problem.fix for problem in problems if problem.rule == "SOURCE_AS_OF"}
    assert "A product of kind VIEW or FULL can have one, `MAX(<day>) OVER () AS as_of`; of" in fix
    assert "of one that is incremental, which sees one interval at a time, publish a view" in fix


def test_the_dashboards_keep_to_their_contracts() -> None:
    assert check_specs(SPECS) == (len(list(SPECS.glob("*.yaml"))), [])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_where_it_stands(fault: str, tmp_path: Path) -> None:
    name, before, after, rule, words = FAULTS[fault]
    specs = specs_with(tmp_path, name, before, after)
    text = (specs / f"{name}.yaml").read_text(encoding="utf-8")
    found = [p for p in check_specs(specs)[1] if p.rule == rule and words in str(p)]
    assert found, check_specs(specs)[1]
    assert found[0].path == specs / f"{name}.yaml"
    assert 1 <= found[0].line <= text.count("\n")
    if after and before.count("\n") == 0 and rule not in LINES_ELSEWHERE:
        line = text[: text.index(after)].count("\n") + 1
        assert abs(found[0].line - line) <= 1


def test_every_rule_about_contracts_has_a_fault_that_shows_it() -> None:
    faults = (FAULTS | KIND_FAULTS | CONTROL_FAULTS).values()
    shown = {rule for *_, rule, _ in faults}
    assert set(RULES) <= shown


def test_all_faults_of_a_spec_are_found_in_one_run(tmp_path: Path) -> None:
    specs = specs_with(tmp_path, "user_360", "equals: likes", "equals: like")
    path = specs / "user_360.yaml"
    path.write_text(path.read_text().replace("metric: actions", "metric: action"))
    assert {p.rule for p in check_specs(specs)[1]} >= {"VALUE_UNKNOWN", "METRIC_UNKNOWN"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty. Write a dashboard, or delete the file."),
        (b"- a\n- b\n", "Begin with `id`, `title` and the other keys of a dashboard."),
        (b"a: [\n", "is no YAML"),
        (b"\0\1\2", "binary"),
        (b"id: x\nsources: 3\ncharts: []\n", "must be a mapping"),
        (b"charts:\n  - 3\n", "charts"),
    ],
)
def test_a_file_that_is_no_dashboard_is_told_in_words(
    content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_bytes(content)
    problems = check_specs(tmp_path)[1]
    assert any(words in str(problem) for problem in problems)
    with pytest.raises(DashboardInvalid, match=r"broken\.yaml"):
        load_dashboards(tmp_path)


def test_where_there_is_nothing_to_name_that_is_said() -> None:
    assert suggestion("genre_users", []) == "There is none to name yet: write it first."


def test_a_metric_is_not_called_unused_where_a_chart_misspells_it(tmp_path: Path) -> None:
    specs = specs_with(tmp_path, "user_360", "metrics: [tag_users,", "metrics: [tag_user,")
    assert {p.rule for p in check_specs(specs)[1]} == {"METRIC_UNKNOWN"}


@pytest.mark.parametrize(
    ("name", "was", "becomes", "rule", "fix"),
    [
        ("movie_trends", "reader: bi_reader", "reader: bi_raeder", "SOURCE_ROLE", "`bi_reader`"),
        (
            "movie_trends",
            "      - {field: period, equals: last_182_days}\n",
            "      - {field: peroid, equals: last_182_days}\n",
            "FIELD_UNKNOWN",
            "`period`",
        ),
    ],
)
def test_what_is_misspelt_once_is_told_once(
    tmp_path: Path, name: str, was: str, becomes: str, rule: str, fix: str
) -> None:
    for path in SPECS.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    text = (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    assert was in text
    (tmp_path / f"{name}.yaml").write_text(text.replace(was, becomes, 1), encoding="utf-8")
    (problem,) = check(tmp_path, CONTRACTS)[1]
    assert problem.rule == rule and problem.fix == f"Did you mean {fix}?"
    line = text[: text.index(was)].count("\n") + 1
    assert problem.line == line


def test_a_spec_that_ends_in_yml_is_a_dashboard_too(tmp_path: Path) -> None:
    specs = specs_with(tmp_path, "user_360", "equals: likes", "equals: like")
    (specs / "user_360.yaml").rename(specs / "user_360.yml")
    count, problems = check_specs(specs)
    assert count == len(list(SPECS.glob("*.yaml")))
    assert [p.rule for p in problems] == ["VALUE_UNKNOWN"]


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ((), "There are no dashboards here. Write one as <dashboard>.yaml"),
        (("looker",), "There is no such folder of contracts."),
        (("contracts",), "There are no dashboards here."),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "check",
        "build",
        "links --google-project movie-audience",
        "serve",
    ],
)
def test_a_project_without_dashboards_or_contracts_gets_one_sentence(
    command: str, folders: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("model_defaults: {dialect: duckdb}\n")
    shutil.copy(PROJECT.root / "external_models.yaml", tmp_path)
    for folder in folders:
        shutil.copytree(PROJECT.root / folder, tmp_path / folder)
    with pytest.raises(WrongUse, match=words):
        app(["dashboards", *command.split(), "-p", str(tmp_path)], standalone_mode=False)


def test_the_dashboards_are_those_of_the_project_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}\n")
    shutil.copy(PROJECT.root / "external_models.yaml", tmp_path)
    shutil.copytree(PROJECT.contracts, tmp_path / "contracts")
    (tmp_path / "looker").mkdir()
    specs_with(tmp_path / "looker", "user_360", "equals: likes", "equals: like")
    result = CliRunner().invoke(app, ["dashboards", "check", "-p", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith("looker/user_360.yaml:")
    assert CliRunner().invoke(app, ["dashboards", "check"]).exit_code == 0


def test_a_folder_without_specs_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="There are no dashboards here"):
        check_specs(tmp_path / "nowhere")


def test_the_command_exits_with_1_and_names_file_line_and_rule(tmp_path: Path) -> None:
    specs = specs_with(tmp_path, "user_360", "equals: likes", "equals: like")
    result = CliRunner().invoke(app, ["dashboards", "check", str(specs)])
    assert result.exit_code == 1
    assert "user_360.yaml:" in result.output
    assert "VALUE_UNKNOWN: `preference` is never `like`. Did you mean `likes`?" in result.output
    result = CliRunner().invoke(app, ["dashboards", "check", str(specs), "--json"])
    assert json.loads(result.output)["problems"][0]["rule"] == "VALUE_UNKNOWN"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (">=1.0.0 <2.0.0", True),
        (">=1.0.0, <1.4.2", False),
        ("1.4.2", True),
        ("=1.4.3", False),
        (">1.4.2", False),
        ("<=1.4.2", True),
        ("~1.4", None),
        ("", None),
    ],
)
def test_a_range_of_versions_says_what_is_in_it(text: str, fits: bool | None) -> None:
    assert in_range("1.4.2", text) is fits
