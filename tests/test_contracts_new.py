"""`mesh contracts new`: a draft that is right where data can tell, and refused until finished."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
import yaml
from sqlglot import exp
from sqlglot.schema import MappingSchema
from sqlmesh import Context
from sqlmesh.core.dialect import normalize_model_name, parse
from sqlmesh.core.model import Model, load_sql_based_model

from mesh.catalogue.new import NewContract, new_contracts
from mesh.catalogue.sample import least
from mesh.contracts.lint import lint
from mesh.environments import Opened
from mesh.errors import WrongUse
from mesh.project import Project
from tests.project_copy import PROJECT
from tests.stranger import WRITTEN
from tests.verify_project import ENVIRONMENT

pytest_plugins = ["tests.verify_project"]


def in_folder(opened: Opened, root: Path) -> Opened:
    """The built project, with its contracts elsewhere."""
    shutil.copy(PROJECT.root / "external_models.yaml", root)
    return replace(opened, project=Project(root))


def new_contract(opened: Opened, model: str, environment: str | None = None) -> NewContract:
    (made,) = new_contracts(opened, [model], environment)
    return made


def drafted(project: Opened, model: str, root: Path, environment: str = ENVIRONMENT) -> dict:
    made = new_contract(in_folder(project, root), model, environment)
    return yaml.safe_load(made.path.read_text(encoding="utf-8"))


def columns(document: dict) -> dict[str, dict]:
    return {column["name"]: column for column in document["schema"][0]["properties"]}


def test_columns_types_bounds_and_grain_come_from_model_and_data(
    built: Opened, tmp_path: Path
) -> None:
    found = columns(drafted(built, "user_genre_ratings", tmp_path))
    assert list(found) == [
        "user_id",
        "genre",
        "reporting_month",
        "rating_monthly_count",
        "rating_monthly_median",
        "rating_count",
        "rating_median",
        "rating_monthly_high_count",
    ]
    assert found["rating_median"]["physicalType"] == "FLOAT64"
    assert found["rating_median"]["logicalTypeOptions"]["multipleOf"] == 0.25
    assert found["user_id"]["classification"] == (
        "TODO personal if it leads to a person, else public, internal or confidential"
    )
    assert found["user_id"]["logicalTypeOptions"] == {"minimum": 1}
    keys = {name: one["primaryKeyPosition"] for name, one in found.items() if "primaryKey" in one}
    assert keys == {"user_id": 1, "genre": 2, "reporting_month": 3}


def test_few_texts_become_allowed_values_and_nulls_are_allowed_where_there_are_some(
    built: Opened, tmp_path: Path
) -> None:
    actions = columns(drafted(built, "user_actions", tmp_path))
    assert [one["value"] for one in actions["action_type"]["enum"]] == ["rate", "tag"]
    movies = columns(drafted(built, "movies_engagement", tmp_path))
    assert movies["tags"]["required"] is False
    assert movies["title"]["required"] is True


def test_it_says_on_how_many_rows_each_promise_rests(built: Opened, tmp_path: Path) -> None:
    made = new_contract(in_folder(built, tmp_path), "user_actions", ENVIRONMENT)
    first, *others = made.path.read_text(encoding="utf-8").partition("\napiVersion")[0].split("\n")
    assert first == f"# Drafted from {made.rows:,} rows. What rests on them may hold by chance:"
    assert f"# - action_type: primaryKey, required, enum on {made.rows:,} values" in others
    (own,) = [one for one in others if one.endswith(f" on {made.rows:,} rows")]
    assert own.startswith("# - rules: ")


def test_months_that_are_first_days_become_a_rule(built: Opened, tmp_path: Path) -> None:
    document = drafted(built, "user_actions", tmp_path)
    rules = {rule["id"]: rule for rule in document["schema"][0]["quality"]}
    assert (
        "EXTRACT(DAY FROM reporting_month) = 1" in rules["reporting_month_is_a_first_day"]["query"]
    )


def test_lint_refuses_each_todo_and_says_what_to_write(built: Opened, tmp_path: Path) -> None:
    made = new_contract(in_folder(built, tmp_path), "user_actions", ENVIRONMENT)
    problems = [str(problem) for problem in lint([made.path]).problems]
    todos = [one for one in problems if "is still to be written. Write here:" in one]
    assert todos and len(problems) == made.left
    assert any(
        "The `usage` is still to be written. Write here: how to use it." in one for one in todos
    )


def test_a_draft_is_a_valid_contract_once_its_todos_are_written(
    built: Opened, tmp_path: Path
) -> None:
    made = new_contract(in_folder(built, tmp_path), "user_actions", ENVIRONMENT)
    text = made.path.read_text(encoding="utf-8")
    for todo, written in WRITTEN.items():
        text = text.replace(todo, written)
    made.path.write_text(text, encoding="utf-8")
    assert [str(problem) for problem in lint([made.path]).problems] == []


def test_a_sentence_with_a_colon_may_be_written_over_what_is_left(
    built: Opened, tmp_path: Path
) -> None:
    made = new_contract(in_folder(built, tmp_path), "user_actions", ENVIRONMENT)
    text = made.path.read_text(encoding="utf-8")
    # Its model tells the purpose.
    assert "\n  usage: >-\n    TODO how to use it\n" in text
    made.path.write_text(re.sub(r"(?<=    )TODO .*", "Two things: rates # and tags.", text))
    description = yaml.safe_load(made.path.read_text(encoding="utf-8"))["description"]
    told = built.models["interactions.user_actions"].description
    assert description.pop("purpose") == told
    assert list(description.values()) == ["Two things: rates # and tags."] * 2


def test_a_contract_that_is_there_is_not_overwritten(built: Opened, tmp_path: Path) -> None:
    new_contract(in_folder(built, tmp_path), "user_actions", ENVIRONMENT)
    with pytest.raises(WrongUse, match=r"user_actions has a contract already\. Edit it"):
        new_contract(in_folder(built, tmp_path), "user_actions", ENVIRONMENT)


def test_a_misspelt_model_gets_a_suggestion(built: Opened, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"no model interactions\.user_action\. Did you mean `inte"):
        new_contract(in_folder(built, tmp_path), "interactions.user_action", ENVIRONMENT)


def test_an_unknown_environment_is_told(built: Opened, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"there is no environment 'nowhere'"):
        new_contract(in_folder(built, tmp_path), "user_actions", "nowhere")


def test_an_operational_table_can_be_drafted_too(built: Opened, tmp_path: Path) -> None:
    document = drafted(built, "operational.ratings", tmp_path)
    assert document["schema"][0]["physicalType"] == "table"
    assert columns(document)["rating"]["logicalTypeOptions"]["multipleOf"] == 0.5


def test_an_internal_model_needs_no_contract(built: Opened, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"is internal.*call it interactions\.rating_events"):
        new_contract(in_folder(built, tmp_path), "rating_events", ENVIRONMENT)


def test_a_column_that_another_contract_calls_personal_is_personal(
    built: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "contracts" / "operational"
    folder.mkdir(parents=True)
    shutil.copy(PROJECT.contracts / "operational" / "tags.odcs.yaml", folder)
    found = columns(drafted(built, "user_genre_ratings", tmp_path))
    assert found["user_id"]["classification"] == "personal"
    assert found["genre"]["classification"].startswith("TODO")


FANS = """MODEL (name engagement.movie_fans, kind VIEW, cron '@monthly');
SELECT
  ratings.movie_id::INT64 AS movie_id,
  movies.title::STRING AS title,
  MAX(ratings.user_id)::INT64 AS viewer,
  COUNT(DISTINCT ratings.user_id)::INT64 AS user_count,
  AVG(IF(ratings.rating >= 4, 1, 0))::FLOAT64 AS high_share
FROM interactions.user_movie_ratings AS ratings
INNER JOIN interactions.movies_engagement AS movies ON movies.movie_id = ratings.movie_id
GROUP BY ratings.movie_id, movies.title"""


@pytest.fixture
def unbuilt(built: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """A project with a model that has neither a contract nor any rows."""
    with beside(built, tmp_path, monkeypatch, FANS) as project:
        yield project


@contextmanager
def beside(built: Opened, root: Path, patch: pytest.MonkeyPatch, text: str) -> Iterator[Opened]:
    """The built project with its contracts in a folder, and one model more."""
    shutil.copytree(PROJECT.contracts, root / "contracts")
    project, context = in_folder(built, root), built.context
    model = load_sql_based_model(
        parse(text, default_dialect="bigquery"),
        dialect="bigquery",
        default_catalog=context.default_catalog,
    )
    patch.setattr(context, "path", root)
    model.update_schema(context_schema(context, model))
    context.upsert_model(model)
    yield project
    del context._models[model.fqn]


def context_schema(context: Context, model: Model) -> MappingSchema:
    schema = MappingSchema(normalize=False)
    for name in model.depends_on:
        schema.add_table(name, context.models[name].columns_to_types, dialect="bigquery")
    return schema


def test_a_model_that_is_not_built_is_drafted_from_what_its_query_makes(unbuilt: Opened) -> None:
    made = new_contract(unbuilt, "movie_fans", ENVIRONMENT)
    assert not made.built and made.rows > 100
    assert not any("BigQuery answers otherwise" in note for note in made.notes)
    document = yaml.safe_load(made.path.read_text(encoding="utf-8"))
    found = columns(document)
    assert found["movie_id"]["primaryKey"] is True
    assert found["viewer"]["classification"] == "personal"
    assert found["user_count"]["classification"].startswith("TODO")
    assert document["schema"][0]["physicalType"] == "view"
    (tie,) = [r for r in document["schema"][0]["quality"] if r["id"].endswith("user_movie_ratings")]
    assert tie["implementation"] == {
        "reconcilesWith": "interactions.user_movie_ratings",
        "by": ["movie_id"],
        "measures": {"SUM(user_count)": "COUNT(*)"},
    }
    levels = {one["property"]: one for one in document["slaProperties"]}
    assert levels["completeness"]["customProperties"][0]["value"].startswith("agrees_with_")
    assert (levels["frequency"]["value"], levels["frequency"]["unit"]) == (1, "month")


def test_what_ties_it_to_an_input_rests_on_the_rows_of_that(unbuilt: Opened) -> None:
    made = new_contract(unbuilt, "movie_fans", ENVIRONMENT)
    text = made.path.read_text(encoding="utf-8")
    told = [line for line in text.split("\n") if line.startswith("# - rules: ")]
    rests_on: dict[str, set[str]] = {}
    for line in told:
        ids, _, rows = line.removeprefix("# - rules: ").rpartition(" on ")
        rests_on[rows] = {*ids.split(", ")}
    environment = unbuilt.environment(ENVIRONMENT)
    assert environment is not None
    expected: dict[str, set[str]] = {}
    for rule in yaml.safe_load(text)["schema"][0]["quality"]:
        if name := rule.get("implementation", {}).get("reconcilesWith"):
            view = unbuilt.view(unbuilt.there(environment)[name], environment)
            ((rows,),) = unbuilt.rows(exp.select("COUNT(*)").from_(view))
            expected.setdefault(f"{rows:,} rows of {name}", set()).add(rule["id"])
        else:
            expected.setdefault(f"{made.rows:,} rows", set()).add(rule["id"])
    assert rests_on == expected and len(expected) > 2
    assert not any(f"{made.rows:,} rows of" in rows for rows in rests_on)


def test_a_share_is_tied_to_the_rows_that_it_is_of(unbuilt: Opened) -> None:
    made = new_contract(unbuilt, "movie_fans", ENVIRONMENT)
    document = yaml.safe_load(made.path.read_text(encoding="utf-8"))
    share = columns(document)["high_share"]
    assert share["logicalTypeOptions"] == {"minimum": 0, "maximum": 1}
    rules = {rule["id"]: rule for rule in document["schema"][0]["quality"]}
    assert rules["high_share_as_in_user_movie_ratings_per_movie_id"]["implementation"] == {
        "reconcilesWith": "interactions.user_movie_ratings",
        "by": {"movie_id": "movie_id"},
        "measures": {"MAX(high_share)": "AVG(IF(rating >= 4, 1, 0))"},
    }


def test_its_unit_test_has_awkward_rows_and_no_person(unbuilt: Opened) -> None:
    made = new_contract(unbuilt, "movie_fans", ENVIRONMENT)
    assert made.test == unbuilt.project.root / "tests/engagement/test_movie_fans.yaml"
    (test,) = yaml.safe_load(made.test.read_text(encoding="utf-8")).values()
    assert test["model"] == "engagement.movie_fans"
    ratings = test["inputs"]["interactions.user_movie_ratings"]["rows"]
    movies = test["inputs"]["interactions.movies_engagement"]["rows"]
    assert {row["rating"] for row in ratings} >= {0.5, 5.0}
    users = {row["user_id"] for row in ratings}
    assert users == set(range(1, len(users) + 1))
    # As its query would make of these rows by hand.
    expected = {
        (
            row["movie_id"],
            row["title"],
            max(one["user_id"] for one in ratings if one["movie_id"] == row["movie_id"]),
            len({one["user_id"] for one in ratings if one["movie_id"] == row["movie_id"]}),
            mean([one["rating"] >= 4 for one in ratings if one["movie_id"] == row["movie_id"]]),
        )
        for row in movies
        if row["movie_id"] in {one["movie_id"] for one in ratings}
    }
    assert len(expected) == made.expected > 1
    rows = test["outputs"]["query"]["rows"]
    assert {tuple(row.values()) for row in rows} == expected


def test_a_unit_test_that_is_there_stays(unbuilt: Opened) -> None:
    file = unbuilt.project.root / "tests/engagement/test_movie_fans.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# by hand\n")
    assert new_contract(unbuilt, "movie_fans", ENVIRONMENT).test is None
    assert file.read_text() == "# by hand\n"


TIMES = """MODEL (name engagement.active_times, kind FULL, cron '@monthly');
SELECT
  EXTRACT(DAYOFWEEK FROM ratings.rated_at)::INT64 AS weekday,
  COUNT(*)::INT64 AS rating_count,
  COUNT(DISTINCT ratings.user_id)::INT64 AS user_count,
  ANY_VALUE(newest_rating.rated_on)::DATE AS as_of
FROM interactions.user_movie_ratings AS ratings
CROSS JOIN engagement_internal.newest_rating AS newest_rating
GROUP BY 1
HAVING COUNT(DISTINCT ratings.user_id) >= 5"""


def test_its_unit_test_runs_with_the_rules_that_were_drafted_and_finds_a_group(
    built: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with beside(built, tmp_path, monkeypatch, TIMES) as project:
        made = new_contract(project, "active_times", ENVIRONMENT)
        assert made.test is not None
        (test,) = yaml.safe_load(made.test.read_text(encoding="utf-8")).values()
        document = yaml.safe_load(made.path.read_text(encoding="utf-8"))
        waits_for = {
            rule["implementation"]["reconcilesWith"]
            for rule in document["schema"][0]["quality"]
            if "implementation" in rule
        }
        assert "interactions.movies_engagement_daily" in waits_for <= set(test["inputs"])
        assert test["inputs"]["interactions.movies_engagement_daily"] == {"rows": []}
        assert len(test["inputs"]["interactions.user_movie_ratings"]["rows"]) < 30
        rows = test["outputs"]["query"]["rows"]
        assert len(rows) == made.expected >= 1
        assert all(row["user_count"] >= 5 for row in rows)
        # As SQLMesh reads the model once the contract is there.
        model = built.context.get_model("engagement.active_times", raise_if_missing=True)
        names = {
            normalize_model_name(one, built.context.default_catalog, "bigquery")
            for one in waits_for
        }
        later = model.copy(update={"depends_on_": model.depends_on | names})
        built.context.upsert_model(later)
        assert built.context.test(tests=[str(made.test)]).wasSuccessful()


def test_of_many_rows_those_are_kept_that_are_needed() -> None:
    needed = {3, 77, 501, 999}

    def is_enough(spans: list[tuple[int, int]]) -> bool:
        return all(any(low <= one <= high for low, high in spans) for one in needed)

    assert least(1000, is_enough) == [(one, one) for one in sorted(needed)]


def test_where_hardly_any_group_is_shown_its_rows_are_found(
    built: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TIMES.replace("AS weekday,", "AS weekday, MAX(ratings.movie_id)::INT64 AS movie_id,")
    text = text.replace(
        "GROUP BY 1", "GROUP BY ratings.movie_id, EXTRACT(DAYOFWEEK FROM ratings.rated_at)"
    )
    with beside(built, tmp_path, monkeypatch, text) as project:
        made = new_contract(project, "active_times", ENVIRONMENT)
    assert made.expected >= 1


def test_what_bigquery_answers_otherwise_is_told_first(
    built: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minimum, key and examples are of DuckDB's days, which begin with 0."""
    text = """MODEL (name engagement.rating_days, kind VIEW);
    SELECT EXTRACT(DAYOFWEEK FROM rated_at)::INT64 AS week_day, COUNT(*)::INT64 AS rating_count
    FROM interactions.user_movie_ratings GROUP BY 1"""
    with beside(built, tmp_path, monkeypatch, text) as project:
        made = new_contract(project, "rating_days", ENVIRONMENT)
    told = made.notes[0]
    assert told.startswith("Drafted from what DuckDB answers, and BigQuery answers otherwise: Of")
    assert "BigQuery counts Sunday as 1, DuckDB as 0: `DATE_DIFF(day, DATE_TRUNC(" in told
    assert told.endswith("Once that is written, draft it anew.")


def test_rows_that_are_enough_for_nobody_are_told(
    built: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TIMES.replace(">= 5", ">= 1000000")
    with beside(built, tmp_path, monkeypatch, text) as project:
        made = new_contract(project, "active_times", ENVIRONMENT)
        assert made.test is not None and made.expected == 0
    assert made.about_test.endswith(
        "asks for a test that expects a row: write rows of which it makes one."
    )
