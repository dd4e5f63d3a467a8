"""`sqlmesh lint` holds models to their contracts: each kind of drift is named, with its fix."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace

import pytest
from project_copy import ROOT, ProjectCopy, copy_project
from sqlglot import exp, parse_one
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import load_sql_based_model

from linter.contracts import ExplicitColumns, PersonalColumnsAreClassified
from mesh.contracts import load_contracts
from tests.project_copy import PROJECT

GENRES = "contracts/interactions/user_genre_ratings.odcs.yaml"
DAILY = "contracts/interactions/movies_engagement_daily.odcs.yaml"
PERIODS = "contracts/interactions/user_period_ratings.odcs.yaml"
MATRIX = "contracts/interactions/user_movie_ratings.odcs.yaml"
MOVIES = "contracts/interactions/movies_engagement.odcs.yaml"
ACTIONS = "contracts/interactions/user_actions.odcs.yaml"
ORPHAN = "contracts/interactions/orphan.odcs.yaml"
COUNTRY = """
      - id: country
        name: country
        logicalType: string
        physicalType: STRING
        customProperties: [{property: duckdbType, value: VARCHAR}]
        description: Where the movie was made.
        classification: public
        required: false
        examples: ['France']
"""


def end_of_life(day: str) -> str:
    return f"""slaProperties:
  - id: end_of_life
    property: endOfLife
    value: '{day}'
    driver: analytics
    description: The last day on which this version is there.
"""


def drift(copy: ProjectCopy) -> None:
    """Every kind of drift at once, each in a model that has no other."""
    models = "models/interactions"
    copy.write(
        f"{models}/uncontracted.sql",
        "MODEL (name interactions.uncontracted, kind VIEW);\n"
        "SELECT movie_id::INT64 AS movie_id FROM interactions_internal.movies",
    )
    copy.edit(
        f"{models}/user_movie_ratings.sql",
        "kind VIEW,\n  @contract(user_movie_ratings)",
        "kind VIEW",
    )
    copy.edit(
        "models/engagement/user_genre_preferences.sql",
        "@contract(user_genre_preferences)",
        "@contract(user_actions_and_groups)",
    )
    copy.write(ORPHAN, copy.read(MATRIX).replace("user_movie_ratings", "orphan"))
    copy.edit(MOVIES, "\n    quality:", f"{COUNTRY}\n    quality:")
    copy.edit(
        f"{models}/user_genre_ratings.sql",
        "::INT64 AS rating_monthly_high_count\n",
        "::INT64 AS rating_monthly_high_count,\n  1::INT64 AS luck\n",
    )
    copy.edit(
        f"{models}/user_actions.sql", "action_monthly_count::INT64", "action_monthly_count::FLOAT64"
    )
    copy.edit(
        f"{models}/user_period_ratings.sql",
        "  monthly.release_decade::STRING AS release_decade,\n",
        "",
    )
    copy.edit(
        f"{models}/user_period_ratings.sql",
        ")\nSELECT\n",
        ")\nSELECT\n  monthly.release_decade::STRING AS release_decade,\n",
    )
    copy.edit(
        f"{models}/movies_engagement_daily.sql",
        "  @contract(movies_engagement_daily)",
        "  @contract(movies_engagement_daily),\n  grain movie_id",
    )
    copy.write(
        "models/engagement/internal/peek.sql",
        "MODEL (name engagement_internal.peek, kind VIEW);\n"
        "SELECT movie_id FROM interactions_internal.movies",
    )
    copy.write(
        "models/engagement/internal/peek_source.sql",
        "MODEL (name engagement_internal.peek_source, kind VIEW);\n"
        "SELECT movieid FROM operational.movies",
    )
    copy.write(
        f"{models}/straight.sql",
        "MODEL (name interactions.straight, kind VIEW);\n"
        "SELECT movieid::INT64 AS movie_id FROM operational.movies",
    )
    copy.edit(
        "models/engagement/audience_actions.sql",
        "actions.user_count::INT64 AS",
        "actions.user_count AS",
    )
    text = copy.read("models/engagement/audience_groups.sql")
    head, _, query = text.partition("/*")
    copy.write(
        "models/engagement/audience_groups.sql", f"{head}SELECT * FROM (/*{query}) AS groups"
    )
    for path, day in ((GENRES, "2999-12-31"), (DAILY, "2020-01-31")):
        copy.edit(path, "status: active", "status: deprecated")
        copy.edit(path, "slaProperties:\n", end_of_life(day))


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("drifted") / "project")
    drift(copy)
    return copy


@pytest.fixture(scope="module")
def violations(drifted: ProjectCopy) -> list[dict[str, str]]:
    with drifted.worker() as worker:
        return worker.ask("lint")


def readers(product: str) -> list[str]:
    """The consumer's models whose text names a product of the producer."""
    named = re.compile(rf"(FROM|JOIN) interactions\.{product}\b")
    found = [path for path in PROJECT.models.rglob("*.sql") if named.search(path.read_text())]
    return sorted(
        f"engagement{'_internal' * (path.parent.name == 'internal')}.{path.stem}" for path in found
    )


def messages(violations: list[dict[str, str]], rule: str, model: str) -> list[str]:
    """What one rule says of one model."""
    return [v["message"] for v in violations if (v["rule"], v["model"]) == (rule, model)]


def test_a_public_model_without_contract_is_refused(violations: list[dict[str, str]]) -> None:
    assert messages(violations, "publicmodelneedscontract", "interactions.uncontracted") == [
        "interactions.uncontracted: a public model without a contract: draft "
        "contracts/interactions/uncontracted.odcs.yaml with `mesh contracts new "
        "interactions.uncontracted`, or move the model to interactions_internal."
    ]


@pytest.mark.parametrize("product", ["user_movie_ratings", "user_genre_preferences"])
def test_a_contract_that_is_not_enforced_is_refused(
    violations: list[dict[str, str]], product: str
) -> None:
    domain = "engagement" if product == "user_genre_preferences" else "interactions"
    assert messages(violations, "publicmodelneedscontract", f"{domain}.{product}") == [
        f"{domain}.{product}: the contract contracts/{domain}/{product}.odcs.yaml:1 is not "
        f"enforced: write @contract({product}) into the MODEL block."
    ]


def test_a_contract_without_model_is_refused_once(violations: list[dict[str, str]]) -> None:
    assert [v["message"] for v in violations if v["rule"] == "contractneedsmodel"] == [
        f"interactions.orphan: the contract {ORPHAN}:1 has no model: write "
        "models/interactions/orphan.sql, or remove the contract."
    ]


def test_a_column_that_the_model_lacks_is_named(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    line = drifted.line(MOVIES, "- id: country")
    assert messages(violations, "columnsmatchcontract", "interactions.movies_engagement") == [
        f"interactions.movies_engagement: column country is in the contract ({MOVIES}:{line}) but "
        "not in the model: select it, or change the contract and its major version."
    ]


def test_a_column_that_the_contract_lacks_is_named(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    line = drifted.line(GENRES, "- id: rating_monthly_high_count")
    assert messages(violations, "columnsmatchcontract", "interactions.user_genre_ratings") == [
        f"interactions.user_genre_ratings: column luck is in the model but not in the contract "
        f"({GENRES}:{line}): add it to the contract with a new minor version, or leave it out of "
        "the model."
    ]


def test_a_column_of_another_type_is_named(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    line = drifted.line(ACTIONS, "physicalType: INT64", after="- id: action_monthly_count")
    assert messages(violations, "columnsmatchcontract", "interactions.user_actions") == [
        f"interactions.user_actions: column action_monthly_count is INT64 in the contract "
        f"({ACTIONS}:{line}) but FLOAT64 in the model: cast it, or change the contract and its "
        "major version."
    ]


def test_columns_in_another_order_are_shown_in_both(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    line = drifted.line(PERIODS, "- id: user_id")
    rest = (
        "reporting_month, rating_monthly_count, rating_monthly_median, rating_count, rating_median"
    )
    assert messages(violations, "columnsmatchcontract", "interactions.user_period_ratings") == [
        "interactions.user_period_ratings: the model has its columns in the order release_decade, "
        f"user_id, {rest}, the contract ({PERIODS}:{line}) in the order user_id, release_decade, "
        f"{rest}: write the final SELECT in the contract's order."
    ]


def test_another_grain_is_refused(drifted: ProjectCopy, violations: list[dict[str, str]]) -> None:
    line = drifted.line(DAILY, "primaryKey: true")
    assert messages(violations, "grainmatchescontract", "interactions.movies_engagement_daily") == [
        f"interactions.movies_engagement_daily: the grain is movie_id, rated_on in the contract "
        f"({DAILY}:{line}) but movie_id in the model: remove the grain from the MODEL block, "
        "@contract states it."
    ]


def test_a_consumer_may_not_read_an_internal_model(violations: list[dict[str, str]]) -> None:
    assert messages(violations, "onlycontractedinputs", "engagement_internal.peek") == [
        "engagement_internal.peek: reads interactions_internal.movies, an internal model of the "
        "domain interactions: read a data product of interactions instead, or ask its owner to "
        "publish one."
    ]


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            "engagement_internal.peek_source",
            "a table of the source that the domain interactions owns ({team}): read one of its "
            "data products instead; only models of interactions_internal read the source.",
        ),
        (
            "interactions.straight",
            "a table of the source: put a model interactions_internal.movies between; only models "
            "of interactions_internal read the source.",
        ),
    ],
)
def test_only_the_producers_internal_models_read_the_source(
    drifted: ProjectCopy, violations: list[dict[str, str]], model: str, told: str
) -> None:
    source = "contracts/operational/movies.odcs.yaml"
    team = f"{source}:{drifted.line(source, 'team:')}"
    assert messages(violations, "onlycontractedinputs", model) == [
        f"{model}: reads operational.movies, {told.format(team=team)}"
    ]


def test_a_column_without_cast_is_refused(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    path = "models/engagement/audience_actions.sql"
    line = drifted.line(path, "actions.user_count AS")
    assert messages(violations, "explicitcolumns", "engagement.audience_actions") == [
        f"engagement.audience_actions: column user_count ({path}:{line}) is not cast: write "
        "`actions.user_count::INT64 AS user_count`."
    ]


@pytest.mark.parametrize("dialect", ["bigquery", "duckdb", "postgres", "snowflake", "spark"])
@pytest.mark.parametrize(
    "expression",
    [
        *("plays", "1", "-1", "NULL", "plays / users", "given || ' ' || family", "NOT kept"),
        *("kept AND paid", "plays IN (1, 2)", "plays BETWEEN 1 AND 2", "plays IS NULL"),
        *("COUNT(*)", "SUM(plays) OVER (PARTITION BY users)", "CASE WHEN kept THEN 1 END"),
        *("(SELECT 1)", "(plays / users)", "plays::INT + 1", "CONCAT(given, family)"),
        *("plays /* of the day */ + 1", "DATE_ADD(day, INTERVAL 1 DAY)", "MOD(plays, 2)"),
        *("EXTRACT(YEAR FROM day)", "moment AT TIME ZONE 'UTC'", "given LIKE 'a%'"),
    ],
)
def test_the_cast_that_is_advised_is_of_the_whole_expression(dialect: str, expression: str) -> None:
    rule = ExplicitColumns(context=SimpleNamespace(models={}, path=ROOT))

    def told(text: str) -> tuple[exp.Expr, list[str]]:
        written = parse(f"MODEL (name shop.plays); SELECT {text} FROM t", default_dialect=dialect)
        model = load_sql_based_model(written, dialect=dialect)
        assert isinstance(model.query, exp.Select)
        return model.query.selects[0].unalias(), list(rule.findings(model, {}))

    quote = "`" if dialect in ("bigquery", "spark") else '"'
    was, (said,) = told(f"{expression} AS {quote}order{quote}")
    now, left = told(said.partition("write `")[2].removesuffix("`.").replace("<type>", "INT"))
    assert left == []
    whole = parse_one(was.unnest().sql(dialect=dialect, comments=False), dialect=dialect)
    assert now.this.unnest().sql(dialect=dialect) == whole.unnest().sql(dialect=dialect)


def test_a_star_in_a_public_model_is_refused(violations: list[dict[str, str]]) -> None:
    assert messages(violations, "explicitcolumns", "engagement.audience_groups") == [
        "engagement.audience_groups: SELECT * in a public model: name and cast every column."
    ]


def test_who_reads_a_deprecated_product_is_warned(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    line = drifted.line(GENRES, "status: deprecated")
    warned = [v for v in violations if v["rule"] == "readsdeprecatedproduct"]
    assert {v["level"] for v in warned} == {"warning"}
    # A rule of the producer's contract for user_actions reads it too; that is no consumer.
    assert sorted(v["message"] for v in warned) == [
        f"{model}: reads interactions.user_genre_ratings, which ends on "
        f"2999-12-31 ({GENRES}:{line}): move to interactions.user_genre_ratings_v2."
        for model in readers("user_genre_ratings")
    ]


def test_who_reads_an_ended_product_is_refused(
    drifted: ProjectCopy, violations: list[dict[str, str]]
) -> None:
    line = drifted.line(DAILY, "status: deprecated")
    refused = [v for v in violations if v["rule"] == "readsendedproduct"]
    assert {v["level"] for v in refused} == {"error"}
    assert sorted(v["message"] for v in refused) == [
        f"{model}: reads interactions.movies_engagement_daily, which ended on 2020-01-31 "
        f"({DAILY}:{line}): move to interactions.movies_engagement_daily_v2."
        for model in readers("movies_engagement_daily")
    ]


def test_nothing_else_is_found(violations: list[dict[str, str]]) -> None:
    """Each drift is told once, by its own rule, and no model is blamed for another's."""
    read = len(readers("user_genre_ratings")) + len(readers("movies_engagement_daily"))
    assert len(violations) == 16 + read, sorted(v["message"] for v in violations)


def test_personal_data_that_is_not_classified_so_is_named() -> None:
    contracts = load_contracts(PROJECT.contracts)
    contract = contracts["interactions.user_actions"]
    columns = [dataclasses.replace(contract.columns[0], classification="internal")]
    careless = dataclasses.replace(contract, columns=(*columns, *contract.columns[1:]))
    text = (ROOT / "models/interactions/user_actions.sql").read_text()
    model = load_sql_based_model(
        parse(text.replace(",\n  @contract(user_actions)", ""), default_dialect="bigquery"),
        dialect="bigquery",
    )
    rule = PersonalColumnsAreClassified(context=SimpleNamespace(models={}))
    line = ProjectCopy(ROOT).line(ACTIONS, "classification:", after="- id: user_id")
    assert list(rule.findings(model, contracts)) == []
    other = contracts["interactions.user_genre_ratings"]
    known = {contract.product: careless, other.product: other}
    told = ProjectCopy(ROOT).line(GENRES, "classification:", after="- id: user_id")
    assert list(rule.findings(model, known)) == [
        f"interactions.user_actions: column user_id leads to a person ({GENRES}:{told} says so), "
        f"but is classified internal in the contract ({ACTIONS}:{line}): write "
        "`classification: personal`, or leave the column out."
    ]
    # A name alone tells nothing, and who says that it means another thing is believed.
    assert list(rule.findings(model, {contract.product: careless})) == []
    tagged = dataclasses.replace(careless.columns[0], tags=("not_personal",))
    said = dataclasses.replace(careless, columns=(tagged, *careless.columns[1:]))
    assert list(rule.findings(model, known | {contract.product: said})) == []


def test_the_repository_as_it_is_has_no_violation() -> None:
    done = ProjectCopy(ROOT).run("sqlmesh", "lint")
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout


def test_lint_on_the_command_line_stops_with_the_messages(drifted: ProjectCopy) -> None:
    done = drifted.run("sqlmesh", "lint")
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "column action_monthly_count is INT64 in the contract" in said
    assert "Traceback" not in done.stdout + done.stderr
