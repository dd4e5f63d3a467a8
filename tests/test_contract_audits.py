"""No data that breaks a contract reaches an environment: the audits, alone and in a plan."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest
import sqlglot
from audience import opened, products, small_audience
from built import built
from project_copy import OF_USERS, ProjectCopy, copy_project
from sqlglot import exp, parse_one
from sqlmesh.core.macros import MacroEvaluator
from sqlmesh.core.snapshot.categorizer import SnapshotChangeCategory
from sqlmesh.utils.errors import PlanError

from mesh.contracts import find, load_contracts
from mesh.contracts.audits import CheckedRule, broken_contract, within
from mesh.contracts.header import AUDIT, checked_rules, row_conditions
from mesh.environments import plan
from mesh.environments.names import is_public
from mesh.errors import CheckFailed, WrongUse
from mesh.project import examples_shown
from tests.project_copy import PRODUCTS, PROJECT

PRODUCT = "shop.things"
HOSTILE = [
    (1, "it's", 1.0),
    (2, '"double" -- ; DROP TABLE things', 2.0),
    (3, "座頭市 🎬 %s {0} \\", 3.0),
    (4, None, 4.0),
    (5, "", None),
    (None, "no key", 5.0),
    (7, "plain", 0.5),
]


def said(query: exp.Select, rows: list[tuple] = HOSTILE) -> str | None:
    """What an audit's query says of these rows on DuckDB; None when it finds nothing."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE things (id BIGINT, name VARCHAR, price DOUBLE)")
        connection.executemany("INSERT INTO things VALUES (?, ?, ?)", rows)
        try:
            found = connection.execute(query.sql(dialect="duckdb")).fetchall()
        except duckdb.InvalidInputException as error:
            return str(error).removeprefix("Invalid Input Error: ")
        assert found == []
        return None


def row_audit(**conditions: str) -> exp.Select:
    rules = [(name, parse_one(text, dialect="bigquery")) for name, text in conditions.items()]
    return broken_contract(PRODUCT, exp.to_table("things"), ["id"], rules, [])


def table_audit(**queries: str) -> exp.Select:
    rules = [
        CheckedRule(
            name, parse_one(text.replace("${table}", "__contract_table__"), dialect="bigquery")
        )
        for name, text in queries.items()
    ]
    return broken_contract(PRODUCT, exp.to_table("things"), ["id"], [], rules)


def test_rows_that_keep_all_rules_are_not_spoken_of() -> None:
    assert said(row_audit(positive="price > 0", short="LENGTH(name) < 99")) is None


def test_a_condition_that_is_null_counts_as_kept() -> None:
    assert said(row_audit(named="name <> 'nothing'", priced="price >= 0.5")) is None


def test_a_broken_rule_is_told_with_its_rows_and_their_values() -> None:
    assert said(row_audit(cheap="price <= 3", kept="price < 99")) == (
        "shop.things breaks its contract. Rule cheap: 2 failing. For example: "
        "id=4, price=4.0; id=NULL, price=5.0."
    )


def test_a_row_that_breaks_two_rules_is_shown_for_both() -> None:
    text = said(row_audit(named="NOT name IS NULL", cheap="price <= 3.5", kept="id > 0"))
    assert text == (
        "shop.things breaks its contract. Rule cheap: 2 failing. For example: id=4, price=4.0; "
        "id=NULL, price=5.0. Rule named: 1 failing. For example: id=4, name=NULL."
    )


def test_a_rule_about_the_grain_alone_shows_the_grain_alone() -> None:
    text = said(row_audit(small="id < 7", cheap="price <= 4.5"))
    assert text is not None
    assert "Rule small: 1 failing. For example: id=7." in text


@pytest.mark.parametrize("row", HOSTILE[:3], ids=["quote", "injection", "unicode"])
def test_hostile_values_are_shown_as_they_are(row: tuple) -> None:
    text = said(row_audit(gone="name = 'plain'"), [row])
    assert text == (
        f"shop.things breaks its contract. Rule gone: 1 failing. For example: id={row[0]}, "
        f"name={row[1]}."
    )


def test_of_many_broken_rows_five_are_shown_and_all_are_counted() -> None:
    rows = [(number, "x", 9.0) for number in range(1000)]
    text = said(row_audit(cheap="price < 9"), rows)
    assert text is not None
    assert "Rule cheap: 1000 failing." in text
    assert text.count("price=9.0") == 5


@pytest.mark.parametrize("shown", [True, False])
def test_rows_are_shown_unless_the_output_is_kept(
    shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shown:
        monkeypatch.setenv("MESH_EXAMPLES", "no")
    rules = [("cheap", parse_one("price < 5"))]
    assert examples_shown() is shown
    query = broken_contract(
        PRODUCT, exp.to_table("things"), ["id"], rules, [], examples=examples_shown()
    )
    rows = " For example: id=NULL, price=5.0." if shown else ""
    assert said(query) == f"shop.things breaks its contract. Rule cheap: 1 failing.{rows}"


def test_rules_about_rows_and_about_the_table_are_told_together() -> None:
    query = broken_contract(
        PRODUCT,
        exp.to_table("things"),
        ["id"],
        [("cheap", parse_one("price < 5"))],
        [CheckedRule("few", parse_one("SELECT COUNT(*) AS n FROM __contract_table__ AS t"))],
    )
    text = said(query)
    assert text is not None
    assert "Rule cheap: 1 failing. For example: id=NULL, price=5.0. Rule few" in text
    assert 'Rule few: 1 failing. For example: {"n":7}.' in text


def test_rules_about_the_table_tell_rule_number_and_rows() -> None:
    doubled = "SELECT id, COUNT(*) AS copies FROM ${table} GROUP BY id HAVING COUNT(*) > 1"
    rows = [*HOSTILE, *HOSTILE[:2], (1, "it's", 1.0)]
    text = said(table_audit(once=doubled, never="SELECT id FROM ${table} WHERE price > 99"), rows)
    assert text is not None
    assert text.startswith("shop.things breaks its contract. Rule once: 2 failing. For example: ")
    assert '{"id":1,"copies":3}' in text
    assert "never" not in text
    assert said(table_audit(once=doubled)) is None


def test_what_an_older_revision_planned_without_brackets_is_not_guessed() -> None:
    """`%` of a state of before has lost the brackets: of `MOD(a * b, c)` it is `a * (b % c)`."""
    rules = parse_one("(('even', a * b % 2 = 0), ('some', a > 0))", dialect="bigquery")
    assert isinstance(rules, exp.Tuple)
    with pytest.raises(WrongUse, match=r"older revision of this project .*`sqlmesh plan`"):
        row_conditions(rules)
    rules.expressions[0].set("expressions", rules.expressions[1].expressions)
    assert [condition.sql() for _, condition in row_conditions(rules)] == ["a > 0", "a > 0"]


def test_only_the_interval_in_question_is_looked_at() -> None:
    days = "(SELECT CAST('2020-01-31' AS DATE) AS day UNION ALL SELECT CAST('2020-02-01' AS DATE))"
    table = parse_one(f"SELECT * FROM {days} AS days").subquery("days")
    spans = [("2020-01-01", "2020-01-31"), ("2020-03-01", "2020-03-31")]
    found = within(table, "day", exp.DataType.build("DATE"), spans)
    query = exp.select("day").from_(found).sql(dialect="duckdb")
    assert [str(day) for (day,) in duckdb.sql(query).fetchall()] == ["2020-01-31"]


@pytest.mark.parametrize(
    "contract", load_contracts(PROJECT.contracts).values(), ids=lambda c: c.product
)
def test_the_audits_of_every_contract_are_googlesql_and_duckdb(contract) -> None:
    rows = [(rule.id, rule.condition) for rule in contract.row_rules()]
    tables = [CheckedRule(rule.id, rule.query) for rule in contract.table_rules()]
    query = broken_contract(contract.product, exp.to_table("a.b"), contract.grain, rows, tables)
    text = query.sql(dialect="bigquery")
    assert "__contract_table__" not in text
    assert sqlglot.parse_one(text, dialect="bigquery").sql(dialect="bigquery") == text
    assert sqlglot.parse_one(query.sql(dialect="duckdb"), dialect="duckdb")


# --- in a plan ---


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy of few models whose prod has been planned with good data."""
    copy = copy_project(tmp_path_factory.mktemp("audits") / "project")
    copy.keep_few(*OF_USERS, "user_genre_preferences")
    shutil.copy2(built(copy, small_audience(), "prod"), copy.database)
    return copy


def test_the_state_holds_every_rule_that_was_checked(copy: ProjectCopy) -> None:
    """What was planned is read from the state later, where audits are text."""
    with opened(copy, copy.database) as project:
        planned = project.products(project.environment("prod"))
        assert len(planned) >= 7
        for product, snapshot in planned.items():
            contract = find(product, PROJECT.contracts)
            arguments = dict(snapshot.model.audits)[AUDIT]
            table = exp.to_table("t")
            found = checked_rules(arguments["tables"], table, table, by_months=False)
            assert [rule.id for rule in found] == [rule.id for rule in contract.table_rules()]
            rows = row_conditions(arguments["rows"])
            assert [rule[0] for rule in rows] == [rule.id for rule in contract.row_rules()]


def test_the_audits_in_a_plan_are_those_that_sqlmesh_would_render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are taken as made; written as text and read again they are the same."""
    copy = copy_project(tmp_path / "project")

    def audits() -> list[str]:
        queries = [
            snapshot.model.render_audit_query(
                audit, snapshots=snapshots, start="2018-01-01", end="2018-01-31", **arguments
            )
            for snapshot in products
            for audit, arguments in snapshot.model.audits_with_args
        ]
        return [query.sql(dialect) for query in queries for dialect in ("bigquery", "duckdb")]

    with opened(copy, copy.database) as project:
        snapshots = project.context.snapshots
        products = [
            snapshots[model.fqn] for name, model in project.models.items() if is_public(name)
        ]
        for snapshot in snapshots.values():
            snapshot.categorize_as(SnapshotChangeCategory.BREAKING)
        ours = audits()
        monkeypatch.setattr(MacroEvaluator, "transform", MacroEvaluator.transform.__wrapped__)
        assert len(ours) >= 2 * PRODUCTS
        assert audits() == ours


@pytest.mark.parametrize("change", ["+ 0", "* -1"])
def test_a_plan_of_some_months_is_held_to_what_those_can_keep(
    copy: ProjectCopy, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed model is built from 2016 on, and compared with others that are whole."""
    path, warnings = "models/interactions/internal/user_actions_monthly.sql", []
    before = copy.read(path)
    copy.edit(path, "COUNT(*) AS", f"COUNT(*) {change} AS")
    try:
        with opened(copy, copy.database) as project:
            monkeypatch.setattr(project.console, "log_warning", lambda text: warnings.append(text))
            settings = {"auto_apply": True, "no_prompts": True, "skip_tests": True}
            try:
                project.context.plan("dev_part", start="2016-01-01", **settings)
            except PlanError:
                assert change == "* -1"
                assert "action_monthly_count.range" in project.console.record.failure
                return
            rows = {name: len(all_of_it) for name, all_of_it in products(project, "prod").items()}
            part = len(products(project, "dev_part")["interactions.user_actions"])
            assert 0 < part < rows["interactions.user_actions"]
    finally:
        copy.write(path, before)
    assert change == "+ 0"
    assert [text for text in warnings if "interactions.user_actions" in text]


BROKEN_ROWS = {
    # required, range and multiple_of, in one scan
    "interactions/user_movie_ratings": (
        "rating::FLOAT64 AS rating",
        "CASE movie_id WHEN 1 THEN NULL WHEN 2 THEN 9 WHEN 3 THEN 0.7 ELSE rating END::FLOAT64 "
        "AS rating",
    ),
    # pattern, range of an integer, a rule in SQL about one column and one about two
    "interactions/user_genre_ratings": (
        "monthly.genre::STRING AS genre,\n  monthly.reporting_month::DATE AS reporting_month,\n"
        "  monthly.rating_count::INT64",
        "CASE monthly.user_id WHEN 8 THEN '(no genres listed)' WHEN 9 THEN 'a|b' "
        "ELSE monthly.genre END::STRING AS genre,\n"
        "  monthly.reporting_month::DATE AS reporting_month,\n"
        "  IF(monthly.user_id = 7, monthly.rating_count + 1000, 0)::INT64",
    ),
}
BROKEN_TABLES = {
    # grain.unique, and a rule across products
    "interactions/movies_engagement_daily": (
        "FROM interactions_internal.movie_ratings_daily",
        "FROM interactions_internal.movie_ratings_daily CROSS JOIN UNNEST([1, 2]) AS twice",
    ),
    # a rule across products
    "interactions/user_actions": (
        "FROM interactions_internal.user_actions_monthly",
        "FROM interactions_internal.user_actions_monthly WHERE user_id > 3",
    ),
    # allowed values, in the consumer's domain
    "engagement/user_genre_preferences": ("THEN 'likes'", "THEN 'Likes'"),
}


def break_and_plan(copy: ProjectCopy, broken: dict[str, tuple[str, str]]) -> str:
    """What a plan of acceptance says of these models; prod must not change."""
    kept = {name: copy.read(f"models/{name}.sql") for name in broken}
    try:
        for name, (old, new) in broken.items():
            copy.edit(f"models/{name}.sql", old, new)
        with opened(copy, copy.database) as project:
            before = products(project, "prod")
            with pytest.raises(CheckFailed) as caught:
                plan(project, "acceptance")
            assert products(project, "prod") == before
            assert "acceptance" not in project.environment_names
    finally:
        for name, text in kept.items():
            copy.write(f"models/{name}.sql", text)
    return str(caught.value)


def test_a_plan_stops_at_rows_that_break_a_rule(copy: ProjectCopy) -> None:
    audience = small_audience()
    of_movie = {m: sum(1 for _, movie in audience.ratings if movie == m) for m in (1, 2, 3)}
    # What reads a broken product, or is compared with it, is not built: so each is broken alone.
    text, *others = (break_and_plan(copy, dict([one])) for one in BROKEN_ROWS.items())
    assert text.startswith("acceptance could not be planned and is as it was. ")
    assert text.endswith("Mend it and run `sqlmesh plan acceptance` again.")
    for expected in (
        "interactions.user_movie_ratings breaks its contract. ",
        f"Rule rating.required: {of_movie[1]} failing.",
        f"Rule rating.range: {of_movie[2]} failing.",
        f"Rule rating.multiple_of: {of_movie[3]} failing.",
    ):
        assert expected in text, text
    for expected in (
        "interactions.user_genre_ratings breaks its contract. ",
        "Rule genre.pattern: ",
        "Rule genre_is_a_genre: ",
        "Rule rating_monthly_count.range: ",
        "Rule monthly_count_within_total: ",
    ):
        assert expected in others[0], others[0]
    shown = text.split("Rule rating.range: ")[1].split(" Rule ")[0]
    assert shown.count("rating=9.0") == 5


def test_a_plan_stops_at_tables_that_break_a_rule(copy: ProjectCopy) -> None:
    texts = [break_and_plan(copy, dict([one])) for one in BROKEN_TABLES.items()]
    text = " ".join(texts)
    days = len(products_of(copy)["interactions.movies_engagement_daily"])
    for product, rule in (
        ("interactions.movies_engagement_daily", f"grain.unique: {days} failing."),
        ("interactions.user_actions", "ratings_are_counted: 1 failing."),
        ("engagement.user_genre_preferences", "user_preference.enum: "),
    ):
        told = [one for one in texts if f"{product} breaks its contract. " in one]
        assert told and f"Rule {rule}" in told[0], text
    assert "Rule no_rating_is_lost: 1 failing. For example: {" in text


def products_of(copy: ProjectCopy) -> dict[str, list[tuple]]:
    with opened(copy, copy.database) as project:
        return products(project, "prod")


def test_sqlmesh_plan_alone_names_the_rule(
    copy: ProjectCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, change = "models/interactions/user_movie_ratings.sql", BROKEN_ROWS
    text = copy.read(path)
    copy.edit(path, *change["interactions/user_movie_ratings"])
    monkeypatch.setenv("MESH_EXAMPLES", "no")
    done = copy.run("sqlmesh", "plan", "acceptance", "--auto-apply", "--no-prompts")
    copy.write(path, text)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert "user_id=" not in output
    newest = max(copy.root.rglob("sqlmesh_*.log"), key=lambda log: log.stat().st_mtime)
    assert not re.search(r"user_id=\d", newest.read_text())
    assert "interactions.user_movie_ratings breaks its contract. Rule " in output
    assert "Rule rating.multiple_of: " in output
