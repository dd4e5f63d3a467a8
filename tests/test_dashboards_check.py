"""Dashboard specs against contracts: every fault is found, at its line, with what to write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlglot import parse_one
from typer.testing import CliRunner

from mesh.cli.dashboards import Host
from mesh.cli.main import app
from mesh.contracts import Column, load_contracts
from mesh.contracts.constraints.length import Length
from mesh.cost.scan import Relations, scan
from mesh.cost.sizes import BYTES_OF, LEAST_PER_TABLE, TEXT_OVERHEAD, TableSize
from mesh.dashboards.chart_queries import chart_queries
from mesh.dashboards.check import check
from mesh.dashboards.controls import OneOf
from mesh.dashboards.kinds.pie import MAX_SLICES
from mesh.dashboards.looker.links import links
from mesh.dashboards.looker.sheet import build_sheet, sheet
from mesh.dashboards.read import DashboardInvalid, load_dashboards
from mesh.dashboards.rules import RULES, in_range
from mesh.dashboards.usage import read_usage
from mesh.errors import CheckFailed, WrongUse
from mesh.files.generated import update
from mesh.files.problems import Problem, suggestion
from mesh.files.schema import with_comment
from mesh.project import Project
from tests.project_copy import PROJECT
from tests.test_dashboards_controls import CONTROL_FAULTS
from tests.test_dashboards_kinds import KIND_FAULTS

SPECS, CONTRACTS = PROJECT.dashboards, PROJECT.contracts
ACTIONS_VERSION = load_contracts(CONTRACTS)["engagement.audience_actions"].version

# File, text to replace (its first occurrence), other text, rule, part of the message or the fix.
FAULTS = {
    "a colour of nothing": (
        "movie_report",
        "reader: bi_reader\n",
        "reader: bi_reader\ncolours: {Raters: '#123456'}\n",
        "COLOUR",
        "Nothing that a chart shows is called `Raters`.",
    ),
    "a template that was tried on no day": (
        "user_360",
        "reader: bi_reader\n",
        "reader: bi_reader\ntemplate: {checked_on: '2026-02-30'}\n",
        "TEMPLATE",
        "There is no 2026-02-30.",
    ),
    "a template that is still to be tried": (
        "user_360",
        "reader: bi_reader\n",
        "reader: bi_reader\ntemplate: {checked_on: '2999-01-01'}\n",
        "TEMPLATE",
        "2999-01-01 is still to come. Write the day on which somebody last tried it.",
    ),
    "a metric by a name that is none": (
        "user_360",
        "  ratings: {source: actions",
        "  Ratings-1: {source: actions",
        "VALUE",
        "`Ratings-1` is no name that can stand here. Write up to 60 small letters, digits and `_`",
    ),
    "an unknown product": (
        "user_360",
        "product: engagement.genre_audience_v2",
        "product: engagement.genre_audiense_v2",
        "SOURCE_UNKNOWN",
        "Did you mean `engagement.genre_audience_v2`?",
    ),
    "a day up to which the data go that each row has for itself": (
        "cohorts_and_churn",
        "as_of: as_of",
        "as_of: cohort_month",
        "SOURCE_AS_OF",
        "charts tell rows apart by it (`cohorts`)",
    ),
    "a day up to which the data go that is the first of a month": (
        "user_360",
        """    month: reporting_month
    as_of: as_of""",
        """    as_of: reporting_month""",
        "SOURCE_AS_OF",
        "`reporting_month` is always the first day of a month, as the contract of engagement.aud",
    ),
    "a contract out of range": (
        "user_360",
        "version: '>=1.0.0 <2.0.0'",
        "version: '>=2.0.0'",
        "SOURCE_VERSION",
        f"has version {ACTIONS_VERSION}, which is not in `>=2.0.0`",
    ),
    "a range that is none": (
        "user_360",
        "version: '>=1.0.0 <2.0.0'",
        "version: 'newest'",
        "SOURCE_VERSION",
        "is no range of versions",
    ),
    "a product with personal columns": (
        "user_360",
        "product: engagement.audience_actions",
        "product: engagement.user_actions_and_groups",
        "SOURCE_PERSONAL",
        "`user_id`",
    ),
    "readers who may read single users": (
        "user_360",
        "reader: bi_reader",
        "reader: engagement_team",
        "READER_PERSONAL",
        "`engagement_team` may read engagement.user_actions_and_groups, which has personal columns",
    ),
    "a product of the producer": (
        "movie_trends",
        "product: engagement.trending_movies",
        "product: interactions.movies_engagement",
        "SOURCE_ROLE",
        "no role `bi_reader`",
    ),
    "a misspelt field of a metric": (
        "user_360",
        "field: user_count, aggregate: value, label: Users",
        "field: user_cuont, aggregate: value, label: Users",
        "FIELD_UNKNOWN",
        "Did you mean `user_count`?",
    ),
    "a metric that is text": (
        "user_360",
        "{source: genres, field: user_count,",
        "{source: genres, field: genre,",
        "FIELD_TYPE",
        "`genre` is string",
    ),
    "a sum of distinct counts": (
        "user_360",
        "{source: genres, field: user_count, aggregate: value",
        "{source: genres, field: user_count, aggregate: sum",
        "METRIC_NOT_ADDITIVE",
        "must not be added over rows",
    ),
    "a chart of several rows": (
        "movie_trends",
        "      - {field: period, equals: last_182_days}\n",
        "",
        "METRIC_NOT_ONE_ROW",
        "leaves `period` open",
    ),
    "a chart of every month": (
        "movie_trends",
        "    filters:\n      - {field: months_ago, equals: 0}\n",
        "",
        "METRIC_NOT_ONE_ROW",
        "leaves `reporting_month` open",
    ),
    "a column that several rows share": (
        "user_360",
        "dimension: {field: spelling, label: Tag}",
        "dimension: {field: genres, label: Tag}",
        "METRIC_NOT_ONE_ROW",
        "leaves `tag` open",
    ),
    "a count that is rounded down and told as it is": (
        "movie_report",
        "label: Ratings, format: count, rounded_to: 5}",
        "label: Ratings by year, format: count}",
        "METRIC_ROUNDED",
        "`rating_count` comes in steps of 5, says its contract",
    ),
    "a sum of counts that are rounded down": (
        "movie_trends",
        "{source: tags, field: user_count, aggregate: value",
        "{source: tags, field: user_count, aggregate: sum",
        "METRIC_ROUNDED",
        "a sum would be off by more with each row",
    ),
    "a fact that can be empty without a word": (
        "movie_report",
        "    missing: fewer than ten ratings are early, or late\n",
        "",
        "FACT",
        "`early_rating_count` can be empty, and the page would show “–” without a word",
    ),
    "a misspelt metric": (
        "user_360",
        "metric: genre_users",
        "metric: genre_user",
        "METRIC_UNKNOWN",
        "Did you mean `genre_users`?",
    ),
    "a metric of another source": (
        "user_360",
        "metric: genre_users",
        "metric: group_users",
        "METRIC_UNKNOWN",
        "is of the source `groups`, not `genres`",
    ),
    "a metric that no chart shows": (
        "user_360",
        "metrics:\n",
        "metrics:\n  more: {source: genres, field: user_count, aggregate: value, label: M, "
        "format: count}\n",
        "METRIC_UNUSED",
        "No chart shows the metric `more`",
    ),
    "a misspelt alias": (
        "user_360",
        "source: segments\n    dimension",
        "source: segment\n    dimension",
        "SOURCE_ALIAS",
        "Did you mean `segments`?",
    ),
    "a value that an enum does not have": (
        "user_360",
        "equals: likes",
        "equals: like",
        "VALUE_UNKNOWN",
        "Did you mean `likes`?",
    ),
    "a day that is none": (
        "user_360",
        "{field: is_whole, equals: true}",
        "{field: reporting_month, equals: 2018-13-01}",
        "VALUE_UNKNOWN",
        "is never `2018-13-01`, which is not a date",
    ),
    "a label for a value that an enum does not have": (
        "user_360",
        "labels: {rate: Ratings,",
        "labels: {rated: Ratings,",
        "VALUE_UNKNOWN",
        "Did you mean `rate`?",
    ),
    "a filter on a column that is not there": (
        "user_360",
        "{field: preference, equals: rated}",
        "{field: preferences, equals: rated}",
        "FIELD_UNKNOWN",
        "Did you mean `preference`?",
    ),
    "a filter that says nothing": (
        "user_360",
        "{field: preference, equals: rated}",
        "{field: preference}",
        "FILTER",
        "either `equals` or `one_of`",
    ),
    "a column filtered twice": (
        "movie_trends",
        "{field: period, equals: last_182_days}",
        "{field: preference, equals: likes}",
        "FILTER",
        "`preference` is filtered twice",
    ),
    "a pie of more than ten slices": (
        "user_360",
        "top: {count: 9,",
        "top: {count: 12,",
        "PIE_SLICES",
        f"more than {MAX_SLICES}",
    ),
    "a pie without an end": (
        "user_360",
        "    top: {count: 9, others: is_others, rank: slice_rank}\n",
        "",
        "PIE_SLICES",
        "any number of values",
    ),
    "a top that the product did not count": (
        "user_360",
        "top: {count: 9,",
        "top: {count: 5,",
        "TOP",
        "after the first 9 values, not after 5",
    ),
    "charts that overlap": (
        "user_360",
        "position: {column: 7, row: 1, width: 2, height: 2}",
        "position: {column: 6, row: 1, width: 2, height: 2}",
        "GRID",
        "`raters_count` lies over `all_users`",
    ),
    "a chart beside the grid": (
        "user_360",
        "position: {column: 11, row: 1, width: 2, height: 2}",
        "position: {column: 12, row: 1, width: 2, height: 2}",
        "GRID",
        "ends in column 13",
    ),
    "an id that stands twice": (
        "user_360",
        "id: genres_liked",
        "id: genres_rated",
        "ID_DUPLICATE",
        "first on line",
    ),
    "a misspelt key": (
        "user_360",
        "    look_at: Everyone",
        "    lookat: Everyone",
        "KEY_UNKNOWN",
        "Did you mean `look_at`?",
    ),
    "a key that is missing": (
        "user_360",
        "purpose: Who the audience is, by taste and by behaviour.\n",
        "",
        "KEY_MISSING",
        "`purpose` is missing",
    ),
    "an unknown kind of chart": (
        "user_360",
        "kind: donut",
        "kind: dount",
        "KIND_UNKNOWN",
        "Did you mean `donut`?",
    ),
    "a chart of a billion rows": (
        "user_360",
        "width: 2, height: 2}",
        "width: 2, height: 1000000000}",
        "VALUE",
        "less than or equal to 100",
    ),
    "a number that is text": (
        "user_360",
        "width: 2, height: 2}",
        "width: wide, height: 2}",
        "VALUE_WRONG_TYPE",
        "must be a whole number",
    ),
    "a key that stands twice": (
        "user_360",
        "title: User 360\n",
        "title: User 360\ntitle: User 361\n",
        "KEY_DUPLICATE",
        "stands twice",
    ),
    "an id that is not the file's": (
        "user_360",
        "id: user_360\n",
        "id: user_361\n",
        "ID",
        "Write `id: user_360`",
    ),
    "a default that the choice does not have": (
        "movie_trends",
        "default: last_182_days",
        "default: last_183_days",
        "VALUE_UNKNOWN",
        "Did you mean `last_182_days`?",
    ),
    "a search in a number": (
        "movie_trends",
        "search: [title, genres]",
        "search: [title, release_year]",
        "FIELD_TYPE",
        "`release_year` is integer",
    ),
    "a search in what is not shown": (
        "movie_trends",
        "search: [title, genres]",
        "search: [title, comparison]",
        "TABLE_COLUMN",
        "`comparison` is searched, but no column shows it",
    ),
    "a search in nothing": (
        "movie_trends",
        "search: [title, genres]",
        "search: []",
        "VALUE",
        "at least 1 item",
    ),
    "a table sorted by text": (
        "movie_trends",
        "sort: {field: movie_rank, order: ascending}",
        "sort: {field: title, order: ascending}",
        "FIELD_TYPE",
        "`title` is string; here it must be integer",
    ),
    "a choice among any number of values": (
        "movie_trends",
        "field: period\n      label: Period",
        "field: title\n      label: Period",
        "FIELD_TYPE",
        "nobody can choose among them",
    ),
    "a share shown as a count": (
        "user_360",
        "label: Share of all actions, format: percent",
        "label: Share of all actions, format: count",
        "FIELD_TYPE",
        "`action_share` is number, which is not shown as `count`",
    ),
    "a table column of two kinds": (
        "movie_trends",
        "- {dimension: release_year, label: Released}",
        "- {dimension: release_year, metric: movie_ratings, label: Released}",
        "TABLE_COLUMN",
        "Name one of the two",
    ),
}


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


def specs_with(folder: Path, name: str, before: str, after: str) -> Path:
    """A copy of the specs in which one text was replaced."""
    for path in SPECS.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.stem == name:
            assert before in text
            text = text.replace(before, after, 1)
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


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
def a_fault_is_found_where_it_stands(fault: str, tmp_path: Path) -> None:
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


def test_a_chart_reads_what_its_keys_name_and_what_its_metrics_and_its_source_do() -> None:
    usage = read_usage(SPECS)
    assert usage.unreadable == ()
    boards = [loaded.dashboard for loaded in load_dashboards(SPECS)]
    for board in boards:
        for chart in board.charts:
            use = usage.charts[f"{board.id}/{chart.id}"]
            assert use.product == board.sources[chart.source].product
            read = {*chart.columns_read(board), *(f.field for f in chart.filters)}
            read |= {board.metrics[name].field for name in chart.metric_names}
            assert read <= use.columns
            text = use.path.read_text(encoding="utf-8").splitlines()
            assert text[use.line - 1] == f"  - id: {chart.id}"
    movies = usage.charts["movie_trends/most_rated_movies"]
    assert {"movie_id", "rating_count", "previous_start", "as_of", "genres"} <= movies.columns
    assert movies.values["period"] == {"last_30_days", "last_182_days"}
    assert usage.charts["user_360/raters"].values == {
        "membership": {"members", "others"},
        "user_group": {"raters"},
    }


def test_what_charts_read_is_known_of_files_that_are_not_in_order(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("id: [")
    (tmp_path / "sales.yml").write_text(
        "sources: {orders: {product: shop.orders, asof: day}}\n"
        "metrics: {amount: {field: amount}}\n"
        "charts:\n"
        "  - 3\n"
        "  - id: by_channel\n"
        "    kind: bar\n"
        "    source: orders\n"
        "    dimension: {field: channel, labels: {desk: The counter}}\n"
        "    metrics: [amount, 7]\n"
        "  - {id: odd, kind: cake, source: elsewhere.sales}\n"
    )
    usage = read_usage(tmp_path)
    assert [path.name for path in usage.unreadable] == ["broken.yaml"]
    bar, odd = usage.charts["sales/by_channel"], usage.charts["sales/odd"]
    assert (bar.product, bar.line) == ("shop.orders", 5)
    assert (bar.columns, bar.values) == ({"channel", "amount"}, {"channel": {"desk"}})
    assert (odd.product, odd.columns) == ("elsewhere.sales", set())
    assert read_usage(tmp_path / "nowhere").charts == {}


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


def test_the_build_sheet_in_the_document_is_up_to_date() -> None:
    assert not update(sheet(PROJECT), only_check=True), "run `mesh docs`"


def test_the_build_sheet_names_every_chart_and_its_filters() -> None:
    sheet = build_sheet(SPECS, CONTRACTS)
    for loaded in load_dashboards(SPECS):
        for chart in loaded.dashboard.charts:
            assert f"(`{chart.id}`)" in sheet
    assert "Include `preference` Equal to `likes`" in sheet


def test_the_build_sheet_names_values_that_looker_studio_can_be_given() -> None:
    """A word of the preview is no value of a column, and a page there counts from today."""
    sheet = build_sheet(SPECS, CONTRACTS)
    year = sheet[sheet.index("(`year`)") :]
    assert "| Default selection | the last 5 values of `cohort` in their order" in year
    assert "| Select | several; who wants one of them" in year
    genre = sheet[sheet.index("#### Control: Genre over the years") :]
    assert "| Default selection | none: all are shown then, “All genres” in the preview |" in genre
    assert "| Control field | `movie_id`, not `title`: two can share that" in sheet
    # The line is a row of the data, which must be no dot.
    years = sheet[sheet.index("(`survival_of_years`)") :]
    assert "with the filter Include `cohort` Equal to `all`, and set it anew" in years
    assert "| Filter of the dots | Exclude `cohort` Equal to `all`, which is the line |" in years
    by_year = sheet[sheet.index("(`survival_by_year`)") : sheet.index("(`survival_of_years`)")]
    assert "CASE WHEN cohort = 'all' THEN 'All years' ELSE cohort END" in by_year
    # What a control picks, a filter of the chart would take away.
    assert "Filter of the last" not in by_year
    assert """WHEN movie_age = 'this_year' THEN "This year's" WHEN""" in sheet


@pytest.mark.parametrize("before", [None, "", "# Our dashboards\n\nAsk Anna.\n"])
def test_the_build_sheet_is_written_beside_what_others_wrote(
    tmp_path: Path, before: str | None
) -> None:
    for folder in (SPECS, CONTRACTS):
        shutil.copytree(folder, tmp_path / folder.name)
    page = tmp_path / "looker" / "README.md"
    page.unlink()
    if before is not None:
        page.write_text(before)
    project = Project(tmp_path)
    assert update(sheet(project)) == [page]
    written = page.read_text()
    assert written.startswith((before or "") + ("\n" if before else "") + "## Build sheet\n")
    assert written.endswith("<!-- end of build sheet -->\n") and "(`raters`)" in written
    assert not update(sheet(project))


@pytest.mark.parametrize("mark", ["<!-- generated: build sheet -->", "<!-- end of build sheet -->"])
def test_a_document_that_lost_a_mark_is_told(tmp_path: Path, mark: str) -> None:
    for folder in (SPECS, CONTRACTS):
        shutil.copytree(folder, tmp_path / folder.name)
    page = tmp_path / "looker" / "README.md"
    page.write_text(page.read_text().replace(mark, ""))
    with pytest.raises(CheckFailed, match=f"one is gone. Put it back: .*`{mark}` "):
        sheet(Project(tmp_path))


def widest(column: Column) -> float:
    """The most bytes of one value; texts are taken to hold 200 on average, or what they may."""
    if column.bigquery_type in BYTES_OF:
        return BYTES_OF[column.bigquery_type]
    if column.enum:
        return TEXT_OVERHEAD + max(len(str(allowed.value).encode()) for allowed in column.enum)
    length = column.promise(Length)
    return TEXT_OVERHEAD + min(4 * length.most if length and length.most else 200, 200)


def test_no_chart_can_reach_the_least_that_bigquery_bills() -> None:
    known = load_contracts(CONTRACTS)
    sizes = {
        product: TableSize(
            min((r.maximum for r in one.table_rules() if r.maximum is not None), default=10**12),
            {column.name: widest(column) for column in one.columns},
        )
        for product, one in known.items()
    }
    schemas = {p: {c.name: c.bigquery_type for c in one.columns} for p, one in known.items()}
    found = chart_queries(PROJECT)
    boards = [loaded.dashboard for loaded in load_dashboards(SPECS)]
    listed = [one for board in boards for one in board.controls if isinstance(one, OneOf)]
    assert len(found) == sum(len(board.charts) for board in boards) + len(listed)
    relations = Relations(schemas, {}, sizes)
    for one in found:
        scanned = scan(parse_one(one.sql, dialect="bigquery"), relations).scanned
        assert 0 < scanned < LEAST_PER_TABLE, one.subject


def test_a_link_without_a_template_opens_a_report_on_one_source() -> None:
    found = links(SPECS, CONTRACTS, "movie-audience", Host.LOOKER)
    mine = [one for one in found if one.dashboard == "movie_trends"]
    assert {"movies", "genres", "genre_months", "lives"} < {one.source for one in mine}
    query = parse_qs(urlsplit(mine[0].url).query)
    assert query["ds.movies.connector"] == ["bigQuery"]
    assert query["ds.movies.projectId"] == ["movie-audience"]
    assert query["ds.movies.datasetId"] == ["engagement"]
    assert query["ds.movies.tableId"] == ["trending_movies"]
    assert "c.reportId" not in query


def test_a_link_with_a_template_attaches_all_sources_and_keeps_field_types(tmp_path: Path) -> None:
    specs = specs_with(tmp_path, "user_360", "report_id: null", "report_id: abc-123_X")
    found = links(specs, CONTRACTS, "movie-audience", Host.DATA)
    (link,) = [one for one in found if one.dashboard == "user_360"]
    address = urlsplit(link.url)
    assert (address.scheme, address.netloc) == ("https", "datastudio.google.com")
    assert address.path == "/reporting/create"
    query = parse_qs(address.query)
    assert query["c.reportId"] == ["abc-123_X"]
    assert query["r.reportName"] == ["User 360"]
    for alias in ("genres", "actions", "groups", "segments"):
        assert query[f"ds.{alias}.refreshFields"] == ["false"]
        assert query[f"ds.{alias}.type"] == ["TABLE"]
        assert query[f"ds.{alias}.billingProjectId"] == ["movie-audience"]
    assert link.note == "template never checked"


def test_a_link_needs_a_project() -> None:
    with pytest.raises(WrongUse, match="is no id of a Google Cloud project"):
        links(SPECS, CONTRACTS, "No Project", Host.LOOKER)


@pytest.mark.parametrize("host", ["evil.com", "https://lookerstudio.google.com", ""])
def test_a_link_leads_to_looker_studio_and_nowhere_else(host: str) -> None:
    asked = ["dashboards", "links", "--google-project", "movie-audience", "--host", host]
    result = CliRunner().invoke(app, [*asked, "-p", str(PROJECT.root)])
    told = " ".join(result.output.split())
    assert result.exit_code == 2 and "ds." not in told
    assert all(one in told for one in Host)
