"""`mesh contracts verify`: every kind of broken promise, made by hand, is found and told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from mesh.cli.contracts_verify import _show_product, as_document
from mesh.cli.main import app
from mesh.cli.main import run as run_mesh
from mesh.contracts import load_contracts
from mesh.environments import Opened
from mesh.errors import Location, MeshError, WrongUse
from mesh.project import AS_OF_VARIABLE
from mesh.verify import Status, VerifyReport, verify
from mesh.verify.junit import write_junit
from mesh.verify.report import Outcome, ProductReport
from mesh.verify.text import finding
from tests.project_copy import PROJECT
from tests.verify_project import ENVIRONMENT, place, tampered

pytest_plugins = ["tests.verify_project"]

ACTIONS = "interactions.user_actions"
TASTES = "interactions.user_genre_ratings"
RATINGS = "interactions.user_movie_ratings"
GROUPS = "engagement.user_actions_and_groups"
MOVIES = "interactions.movies_engagement"

# What a product shows instead of its rows, the rules that must be broken, and what is said.
BROKEN = {
    "a value that is missing": (
        RATINGS,
        "SELECT user_id, movie_id, CASE WHEN user_id = 1 THEN NULL ELSE rating END AS rating, "
        "rated_at FROM {rows}",
        {"rating.required": "of them"},
    ),
    "a number out of its range and off its steps": (
        RATINGS,
        "SELECT * REPLACE (CASE WHEN user_id = 1 THEN 7.3 ELSE rating END AS rating) FROM {rows}",
        {"rating.range": "of them", "rating.multiple_of": "of them"},
    ),
    "a value that is not allowed": (
        ACTIONS,
        "SELECT * REPLACE (CASE WHEN user_id = 1 THEN 'liked' ELSE action_type END "
        "AS action_type) FROM {rows}",
        {"action_type.enum": "of them"},
    ),
    "a text that does not match its pattern": (
        TASTES,
        "SELECT * REPLACE (CASE WHEN user_id = 1 THEN genre || '|' ELSE genre END AS genre) "
        "FROM {rows}",
        {"genre.pattern": "of them"},
    ),
    "an empty title": (
        MOVIES,
        "SELECT * REPLACE ('' AS title) FROM {rows}",
        {"title.length": "of them"},
    ),
    "a month that is no first day": (
        ACTIONS,
        "SELECT * REPLACE (reporting_month + 1 AS reporting_month) FROM {rows}",
        {"months_are_first_days": "found"},
    ),
    "a month with more than all time": (
        ACTIONS,
        "SELECT * REPLACE (0 + 1 AS action_count, 2 AS action_monthly_count) FROM {rows}",
        {"monthly_count_within_total": "found"},
    ),
    "a grain that is there twice": (
        RATINGS,
        "SELECT * FROM {rows} UNION ALL (SELECT * FROM {rows} LIMIT 3)",
        {"grain.unique": "3 found"},
    ),
    "groups that differ between a user's rows": (
        GROUPS,
        "SELECT * REPLACE (row_number() OVER (PARTITION BY user_id) = 1 AS is_rater, "
        "row_number() OVER (PARTITION BY user_id) <> 1 AS is_sleeper, FALSE AS is_tagger) "
        "FROM {rows}",
        {"groups_belong_to_the_user": "found"},
    ),
    "a sleeper who is a rater": (
        GROUPS,
        "SELECT * REPLACE (TRUE AS is_rater, TRUE AS is_sleeper) FROM {rows}",
        {"sleeper_is_neither": "found"},
    ),
    "rows that another product has": (
        GROUPS,
        "SELECT * FROM {rows} WHERE user_id > 1",
        {"nothing_is_lost": "1 found", "level.completeness": "nothing_is_lost, which measures it"},
    ),
    "no rows at all": (
        ACTIONS,
        "SELECT * FROM {rows} WHERE FALSE",
        {"row_count": "row_count=0", "level.freshness": "there are no rows"},
    ),
    "months that are old": (
        ACTIONS,
        "SELECT * FROM {rows} WHERE reporting_month < DATE '2010-01-01'",
        {"level.freshness": "promised are at most 62 days"},
    ),
    "rows that are older than anything is kept": (
        ACTIONS,
        "SELECT * REPLACE (DATE '1901-01-01' AS reporting_month) FROM {rows}",
        {"level.retention": "older than the 18,300 days that data is kept"},
    ),
    "a column that is missing": (
        RATINGS,
        "SELECT * EXCLUDE (rating) FROM {rows}",
        {
            "columns.present": "rating is missing",
            "rating.range": "could not be checked: there is no column rating",
        },
    ),
    "columns that nobody promised": (
        RATINGS,
        "SELECT *, 'a' AS mood, 1 AS age FROM {rows}",
        {"columns.extra": "mood (VARCHAR) is not in the contract; age (INTEGER) is not in"},
    ),
    "columns in another order": (
        RATINGS,
        "SELECT movie_id, user_id, rating, rated_at FROM {rows}",
        {"columns.order": "in the order movie_id, user_id, rating, rated_at"},
    ),
    "an INTEGER where BIGINT is promised": (
        RATINGS,
        "SELECT * REPLACE (movie_id::INTEGER AS movie_id) FROM {rows}",
        {"columns.types": "movie_id is INTEGER, promised BIGINT"},
    ),
    "a FLOAT where DOUBLE is promised": (
        RATINGS,
        "SELECT * REPLACE (rating::FLOAT AS rating) FROM {rows}",
        {"columns.types": "rating is FLOAT, promised DOUBLE"},
    ),
    "a time without its zone": (
        RATINGS,
        "SELECT * REPLACE (rated_at::TIMESTAMP AS rated_at) FROM {rows}",
        {"columns.types": "rated_at is TIMESTAMP, promised TIMESTAMP WITH TIME ZONE"},
    ),
}


def rules(report: VerifyReport, product: str) -> dict:
    found = next(one for one in report.products if one.product == product)
    return {outcome.rule: outcome for outcome in found.outcomes}


def newest(project: Opened, column: str, table: str) -> datetime:
    connection = project.context.engine_adapter.connection
    return connection.execute(f"SELECT MAX({column}) FROM {table}").fetchone()[0]


@pytest.fixture(scope="module")
def kept(built: Opened) -> VerifyReport:
    return verify(built, ENVIRONMENT)


def test_what_the_models_build_keeps_every_promise_of_every_contract(kept: VerifyReport) -> None:
    assert kept.ok, kept.broken
    assert {one.product for one in kept.products} == set(load_contracts(PROJECT.contracts))
    promises = sum(len(one.outcomes) for one in kept.products)
    assert promises > 1000
    assert kept.summary.startswith(
        f"{promises:,} promises of {len(kept.products)} products are kept"
    )


def test_every_rule_of_every_contract_has_an_outcome(kept: VerifyReport) -> None:
    for product, contract in load_contracts(PROJECT.contracts).items():
        asked = {rule.id for rule in (*contract.row_rules(), *contract.table_rules())}
        asked |= {f"columns.{what}" for what in ("present", "types", "extra", "order")}
        asked |= {
            f"level.{level.id}"
            for level in contract.service_levels
            if level.property in ("freshness", "completeness")
        }
        assert asked <= set(rules(kept, product)), product


def test_the_operational_tables_are_verified_too(kept: VerifyReport, built: Opened) -> None:
    rows = built.context.engine_adapter.connection.execute(
        "SELECT COUNT(*) FROM mesh.operational.ratings"
    ).fetchone()[0]
    assert rules(kept, "operational.ratings")["rating.range"].checked == rows > 0


@pytest.mark.parametrize("name", BROKEN)
def test_it_finds(built: Opened, name: str) -> None:
    product, query, expected = BROKEN[name]
    with tampered(built, product, query):
        report = verify(built, ENVIRONMENT, [product])
    found = rules(report, product)
    assert not report.ok
    for rule, said in expected.items():
        assert not found[rule].ok, f"{rule} is kept"
        assert found[rule].failing or found[rule].status is Status.UNCHECKED
        assert said in finding(found[rule])
        assert found[rule].where.line


def test_a_sample_shows_the_grain_and_the_columns_of_the_rule_alone(built: Opened) -> None:
    with tampered(built, ACTIONS, BROKEN["a value that is not allowed"][1]):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    sample = rules(report, ACTIONS)["action_type.enum"].sample
    assert 1 <= len(sample) <= 5
    assert {tuple(row) for row in sample} == {("user_id", "action_type", "reporting_month")}
    assert {row["action_type"] for row in sample} == {"liked"}


def test_no_row_is_shown_where_the_output_is_kept(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_EXAMPLES", "no")
    with tampered(built, ACTIONS, BROKEN["a value that is not allowed"][1]):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    broken = rules(report, ACTIONS)["action_type.enum"]
    assert broken.failing and broken.sample == ()


def test_it_counts_every_failing_row_and_shows_five(built: Opened) -> None:
    with tampered(built, RATINGS, "SELECT * REPLACE (9.0::DOUBLE AS rating) FROM {rows}"):
        report = verify(built, ENVIRONMENT, [RATINGS])
    broken = rules(report, RATINGS)["rating.range"]
    assert broken.failing == broken.checked == report.products[0].rows
    assert len(broken.sample) == 5


def test_a_rule_that_the_engine_cannot_run_hides_no_other(built: Opened) -> None:
    query = "SELECT * REPLACE ('often' AS action_count, 'x' AS action_type) FROM {rows}"
    with tampered(built, ACTIONS, query):
        found = rules(verify(built, ENVIRONMENT, [ACTIONS]), ACTIONS)
    assert found["action_count.range"].status is Status.UNCHECKED
    assert "could not be checked" in found["action_count.range"].message
    assert found["action_type.enum"].failing
    assert found["user_id.required"].ok


def test_a_view_that_cannot_be_read_is_a_broken_promise(built: Opened) -> None:
    name = place(built, ACTIONS).sql(dialect="duckdb")
    with tampered(built, ACTIONS, "SELECT * FROM {rows}"):
        built.context.engine_adapter.connection.execute(f"DROP VIEW {name}")
        report = verify(built, ENVIRONMENT, [ACTIONS])
    absent = rules(report, ACTIONS)["product.present"]
    assert not report.ok and report.products[0].rows is None
    assert "plan dev again" in absent.message


def test_freshness_is_measured_against_today_unless_somebody_says_another_day(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(AS_OF_VARIABLE)
    with fresh_settings(built):
        today = verify(built, ENVIRONMENT, [ACTIONS])
    assert datetime.now(UTC) - today.as_of < timedelta(minutes=1)
    assert today.as_of_reason == "today" and today.is_late
    assert [outcome.rule for _, outcome in today.broken] == ["level.freshness"]
    monkeypatch.setenv(AS_OF_VARIABLE, "2019-01-02")
    with fresh_settings(built):
        stated = verify(built, ENVIRONMENT, [ACTIONS])
    assert stated.as_of == datetime(2019, 1, 2, tzinfo=UTC)
    assert stated.as_of_reason == "as config.yaml states"


def test_a_day_of_use_that_is_none_is_refused(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AS_OF_VARIABLE, "yesterday")
    with (
        fresh_settings(built),
        pytest.raises(
            WrongUse, match=r"as_of` is no date: yesterday.*Write YYYY-MM-DD, by MESH_AS_OF, or"
        ),
    ):
        verify(built, ENVIRONMENT, [ACTIONS])


def test_frequency_is_compared_with_the_newest_delivery(built: Opened) -> None:
    came = datetime.now(UTC)
    kept = verify(built, ENVIRONMENT, [ACTIONS], came + timedelta(days=31))
    late = verify(built, ENVIRONMENT, [ACTIONS], came + timedelta(days=32))
    assert rules(kept, ACTIONS)["level.frequency"].ok
    assert rules(late, ACTIONS)["level.frequency"].message == (
        f"the newest delivery that is shown came on {came:%Y-%m-%d}, 32 days before "
        f"{came + timedelta(days=32):%Y-%m-%d}; promised is one every 31 days"
    )


@contextmanager
def fresh_settings(project: Opened) -> Iterator[None]:
    """The settings as the environment's variables are now."""
    vars(project.project).pop("settings", None)
    yield
    vars(project.project).pop("settings", None)


def test_freshness_is_measured_against_the_given_day(built: Opened) -> None:
    month = newest(built, "reporting_month", place(built, ACTIONS).sql(dialect="duckdb"))
    in_time = verify(built, ENVIRONMENT, [ACTIONS], month + timedelta(days=62))
    late = verify(built, ENVIRONMENT, [ACTIONS], month + timedelta(days=63))
    assert in_time.ok
    # Of a column of dates the hour does not count: nobody could say by the day what is late.
    assert verify(built, ENVIRONMENT, [ACTIONS], month + timedelta(days=62, hours=23)).ok
    assert "63 days before" in rules(late, ACTIONS)["level.freshness"].message
    assert [outcome.rule for _, outcome in late.broken] == ["level.freshness"]


def test_completeness_that_another_product_measures_is_asked_there(built: Opened) -> None:
    query = "SELECT * FROM {rows} WHERE user_id > 1"
    with tampered(built, TASTES, query):
        report = verify(built, ENVIRONMENT, [TASTES])
    level = rules(report, TASTES)["level.completeness"]
    assert "interactions.user_actions/raters_have_genres, which measures it" in level.message


@pytest.mark.parametrize("measuring", ["no_such_rule", "interactions.user_actions/no_such_rule"])
def test_completeness_that_no_rule_measures_is_not_kept(
    built: Opened, tmp_path: Path, measuring: str
) -> None:
    shutil.copytree(PROJECT.contracts, tmp_path / "contracts")
    contract = tmp_path / "contracts" / "interactions" / "user_genre_ratings.odcs.yaml"
    stated = "interactions.user_actions/raters_have_genres"
    contract.write_text(contract.read_text().replace(stated, measuring))
    report = verify(built, ENVIRONMENT, [TASTES], contracts=tmp_path / "contracts")
    level = rules(report, TASTES)["level.completeness"]
    assert not level.ok
    assert level.message == f"{measuring}, which measures it, could not be checked"


def test_rules_across_products_look_into_the_same_environment(built: Opened) -> None:
    with tampered(built, ACTIONS, "SELECT * FROM {rows} WHERE user_id > 1"):
        report = verify(built, ENVIRONMENT, [GROUPS])
    assert not rules(report, GROUPS)["nothing_is_lost"].ok


def test_a_contract_without_its_product_is_a_broken_promise(built: Opened, tmp_path: Path) -> None:
    with_one_more(tmp_path, "active")
    report = verify(built, ENVIRONMENT, contracts=tmp_path)
    absent = rules(report, "interactions.user_moods")["product.present"]
    assert "user_moods is not in the environment: plan dev again" in absent.message


def test_a_proposed_contract_needs_no_product(built: Opened, tmp_path: Path) -> None:
    with_one_more(tmp_path, "proposed")
    report = verify(built, ENVIRONMENT, contracts=tmp_path)
    assert "interactions.user_moods" not in {one.product for one in report.products}


def with_one_more(root: Path, status: str) -> None:
    """The contract of a product that nobody has built, and those that the environment has."""
    for path in PROJECT.contracts.rglob("user_actions.odcs.yaml"):
        text = path.read_text().replace("user_actions", "user_moods")
        text = text.replace("status: active", f"status: {status}")
        target = root / "interactions" / "user_moods.odcs.yaml"
        target.parent.mkdir(parents=True)
        target.write_text(text)


def test_a_product_that_the_environment_lacks_is_told(built: Opened, tmp_path: Path) -> None:
    with_one_more(tmp_path, "active")
    with pytest.raises(WrongUse, match=r"is not in dev\. Bring it there with `sqlmesh plan dev`"):
        verify(built, ENVIRONMENT, ["user_moods"], contracts=tmp_path)


def test_a_misspelt_environment_gets_a_suggestion(built: Opened) -> None:
    with pytest.raises(WrongUse, match=r"there is no environment 'devv' \(dev\)\. Did you mean"):
        verify(built, "devv")


def test_a_misspelt_product_gets_a_suggestion(built: Opened) -> None:
    with pytest.raises(MeshError, match=r"no contract for user_action\. Did you mean `user_actio"):
        verify(built, ENVIRONMENT, ["user_action"])


def test_a_day_that_is_none_is_refused(capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        run_mesh(["contracts", "verify", "dev", "--as-of", "yesterday"])
    assert end.value.code == 2
    said = " ".join(capfd.readouterr().err.split())
    assert "--as-of 'yesterday' is no date. Write it as YYYY-MM-DD" in said


@pytest.mark.parametrize(
    ("path", "said"),
    [("nowhere/report.xml", "there is no folder"), (".", "it is a folder")],
)
@pytest.mark.parametrize(
    "command",
    [
        ("contracts", "verify", "nowhere", "--junit"),
        ("review", "--base", "nowhere", "--markdown"),
        ("review", "--base", "nowhere", "--sarif"),
    ],
    ids=" ".join,
)
def test_a_report_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, path: str, said: str, command: tuple[str, ...], capfd: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as end:
        run_mesh([*command, str(tmp_path / path)])
    assert end.value.code == 2
    assert f"The report cannot be written: {said}" in " ".join(capfd.readouterr().err.split())


def test_the_junit_file_names_rule_and_line_of_what_is_broken(
    built: Opened, tmp_path: Path
) -> None:
    with tampered(built, ACTIONS, BROKEN["a value that is not allowed"][1]):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    write_junit(report, tmp_path / "report.xml")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.get("name") == ACTIONS
    assert int(suite.get("tests")) == len(report.products[0].outcomes)
    failed = {case.get("name"): case for case in suite if len(case)}
    case = failed["action_type.enum"]
    assert case.get("file") == "contracts/interactions/user_actions.odcs.yaml"
    assert "action_type is one of rate, tag" in case[0].get("message")
    assert "action_type='liked'" in case[0].text


def test_the_json_holds_counts_and_samples(built: Opened) -> None:
    with tampered(built, RATINGS, BROKEN["a number out of its range and off its steps"][1]):
        report = verify(built, ENVIRONMENT, [RATINGS], date(2030, 1, 1))
    data = json.loads(json.dumps(as_document(report), default=str))
    assert data["ok"] is False and data["as_of"].startswith("2030-01-01")
    rule = next(one for one in data["products"][0]["rules"] if one["rule"] == "rating.range")
    assert rule["failing"] > 0 and rule["sample"][0]["rating"] == 7.3
    assert rule["status"] == "broken" and rule["file"].endswith("user_movie_ratings.odcs.yaml")


def test_what_is_no_number_is_text_in_the_json() -> None:
    sample = ({"rating": float("nan"), "count": 3}, {"rating": float("-inf"), "count": None})
    where = Location(Path("contracts/x.odcs.yaml"), 7)
    broken = Outcome("r.range", "range", "r", "conformity", Status.BROKEN, where, 2, 2, sample)
    product = ProductReport("x.y", "1.0.0", None, 2, (broken,), 0.1)
    report = VerifyReport("dev", datetime.now(UTC), "given", (product,), (), 0.1)
    text = json.dumps(as_document(report), allow_nan=False, default=str)
    assert json.loads(text)["products"][0]["rules"][0]["sample"] == [
        {"rating": "nan", "count": 3},
        {"rating": "-inf", "count": None},
    ]


def test_what_is_only_late_does_not_hide_what_is_wrong() -> None:
    where = Location(Path("x.yaml"))

    def product(name: str, *kinds: str) -> ProductReport:
        broken = [Outcome(k, k, "", "", Status.BROKEN, where) for k in kinds]
        return ProductReport(name, "1.0.0", None, 2, tuple(broken), 0.1)

    def summary(*products: ProductReport) -> str:
        return VerifyReport("prod", datetime.now(UTC), "given", products, (), 0.1).summary

    late = [product(name, "freshness", "frequency") for name in ("x.a", "x.b")]
    assert summary(*late, product("x.c", "range", "unique", "freshness")) == (
        "7 broken promises among 7 promises of 3 products in prod: x.c; "
        "5 of freshness or frequency, of 3 products."
    )
    assert summary(late[0]) == (
        "2 broken promises among 2 promises of 1 product in prod: "
        "2 of freshness or frequency, of 1 product."
    )


def test_the_command_prints_a_table_and_ends_with_1(
    built: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("mesh.environments.open_project", lambda *_, **__: built)
    with tampered(built, RATINGS, BROKEN["a number out of its range and off its steps"][1]):
        result = CliRunner().invoke(app, ["contracts", "verify", "dev", RATINGS])
    said = " ".join(capfd.readouterr().out.split()) + " ".join(result.output.split())
    assert result.exit_code == 1
    assert "✗ rating.range" in said and "rating=7.3" in said
    assert "contracts/interactions/user_movie_ratings.odcs.yaml:" in said
    assert "broken promises among" in said
    whole = CliRunner().invoke(app, ["contracts", "verify", "dev", RATINGS])
    assert whole.exit_code == 0


def test_no_row_is_pulled_into_pandas(built: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    import ibis

    pulled: list[object] = []

    # Pandera takes what a check raises for bad data, so that nobody would see it.
    def forbidden(table: object, *_: object, **__: object) -> None:
        pulled.append(table)
        raise AssertionError("a table was pulled into pandas")

    monkeypatch.setattr(ibis.expr.types.Table, "to_pandas", forbidden)
    monkeypatch.setattr(ibis.expr.types.Table, "execute", forbidden)
    monkeypatch.setattr(ibis.expr.types.Column, "to_pandas", forbidden)
    with tampered(built, RATINGS, "SELECT * REPLACE (9.0::DOUBLE AS rating) FROM {rows}"):
        assert not verify(built, ENVIRONMENT, [RATINGS]).ok
    assert not pulled


def test_an_environment_without_data_breaks_its_promises_and_is_called_empty(
    built: Opened,
) -> None:
    with tampered(built, ACTIONS, "SELECT * FROM {rows} WHERE FALSE"):
        report = verify(built, ENVIRONMENT, [ACTIONS], datetime(2020, 1, 1, tzinfo=UTC))
    assert report.empty and not report.ok


def test_the_memory_of_the_engine_is_as_it_was_afterwards(built: Opened) -> None:
    query = "SELECT current_setting('memory_limit')"
    connection = built.context.engine_adapter.connection
    before = connection.execute(query).fetchone()
    verify(built, ENVIRONMENT, [ACTIONS])
    assert connection.execute(query).fetchone() == before


def test_a_table_that_may_be_empty_is_never_too_old(built: Opened) -> None:
    connection = built.context.engine_adapter.connection
    connection.execute("ALTER TABLE mesh.operational.tags RENAME TO kept_tags")
    try:
        connection.execute(
            "CREATE TABLE mesh.operational.tags AS FROM mesh.operational.kept_tags LIMIT 0"
        )
        report = verify(built, ENVIRONMENT, ["operational.tags"])
        connection.execute("DROP TABLE mesh.operational.tags")
    finally:
        connection.execute("ALTER TABLE mesh.operational.kept_tags RENAME TO tags")
    assert report.ok, report.broken
    assert rules(report, "operational.tags")["level.freshness"].message == "there are no rows"


@contextmanager
def without_ten(built: Opened, *, delivered: bool, table: str = "ratings") -> Iterator[None]:
    """Ten rows fewer in the source, and what has their keys; delivered: by a delivery, or by
    somebody's hand."""
    connection = built.context.engine_adapter.connection
    connection.execute(f"CREATE TABLE operational.taken AS FROM operational.{table} LIMIT 10")
    taken = "(userId, movieId) IN (SELECT (userId, movieId) FROM operational.taken)"
    kept = f"CREATE TABLE operational.kept AS FROM operational.{table} WHERE {taken}"
    connection.execute(kept)
    connection.execute(f"DELETE FROM operational.{table} WHERE {taken}")
    if delivered:
        connection.execute(
            "INSERT INTO operational.ingests SELECT * REPLACE (ingest_id + 1 AS ingest_id, "
            f"finished_at + INTERVAL 1 SECOND AS finished_at, {table}_rows - (SELECT COUNT(*) "
            f"FROM operational.kept) AS {table}_rows) "
            "FROM operational.ingests ORDER BY ingest_id DESC LIMIT 1"
        )
        connection.execute(
            "INSERT INTO operational.changed_months SELECT DISTINCT (SELECT MAX(ingest_id) FROM "
            f"operational.ingests), '{table}', date_trunc('month', timestamp)::DATE "
            "FROM operational.kept"
        )
    try:
        yield
    finally:
        connection.execute(f"INSERT INTO operational.{table} FROM operational.kept")
        connection.execute("DROP TABLE operational.taken")
        connection.execute("DROP TABLE operational.kept")
        if delivered:
            newest = "ingest_id = (SELECT MAX(ingest_id) FROM operational.ingests)"
            connection.execute(f"DELETE FROM operational.changed_months WHERE {newest}")
            connection.execute(f"DELETE FROM operational.ingests WHERE {newest}")


def test_what_differs_from_a_later_delivery_is_told_and_not_broken(built: Opened) -> None:
    with without_ten(built, delivered=True):
        report = verify(built, ENVIRONMENT, [RATINGS])
    (product,) = report.products
    (told,) = [one for one in product.outcomes if one.rule == "every_rating_is_here"]
    assert report.lacking and told.status is Status.WARNED
    assert finding(told) == "operational.ratings: deliveries are there that are not shown yet"
    assert not product.broken


def test_what_is_not_shown_yet_does_not_make_a_product_incomplete(built: Opened) -> None:
    with without_ten(built, delivered=True, table="tags"):
        report = verify(built, ENVIRONMENT, ["interactions.user_tags"])
    told = rules(report, "interactions.user_tags")
    assert told["every_tag_is_here"].failing
    for rule in ("every_tag_is_here", "level.completeness"):
        assert told[rule].status is Status.WARNED, told[rule]
        assert "deliveries are there that are not shown yet" in told[rule].message
    assert report.ok and report.lacking


def test_what_differs_from_what_somebody_made_of_the_source_is_broken(built: Opened) -> None:
    with without_ten(built, delivered=False):
        report = verify(built, ENVIRONMENT, [RATINGS])
    (product,) = report.products
    assert "every_rating_is_here" in {one.rule for one in product.broken}


@pytest.mark.parametrize(("rows", "text"), [(1, "(1 row, "), (1200, "(1,200 rows, ")])
def test_one_row_is_told_as_one(rows: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    _show_product(ProductReport("interactions.plays", "1.0.0", "prod.plays", rows, (), 0.1))
    assert text.strip() in " ".join(capsys.readouterr().out.split())
