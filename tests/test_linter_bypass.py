"""What used to pass `sqlmesh lint` though it takes a promise away: each way is refused by name."""

from __future__ import annotations

import shutil

import pytest
from project_copy import ROOT, ProjectCopy, copy_project

CONTRACTS = "contracts/engagement"
MODELS = "models/engagement"
ACTIONS = "contracts/interactions/user_actions.odcs.yaml"
MATRIX = "models/interactions/user_movie_ratings.sql"
PERIODS = "contracts/interactions/user_period_ratings.odcs.yaml"
VIEWER = """      - id: viewer
        name: viewer
        logicalType: integer
        physicalType: INT64
        description: Who watches.
        classification: internal
        required: true
        logicalTypeOptions: {minimum: 1}
        examples: [1]
"""
ENDED = """slaProperties:
  - {id: end, property: endOfLife, value: '2020-01-31', description: The last day.}
"""
EXPECTS_NOTHING = """test_without_rows:
  model: engagement.tag_sentiment
  outputs: {query: {format: csv, rows: "tag,share\\n"}}
"""
BY_HAND = """audits (contract(
    product := 'engagement.genre_audience', source := NULL, interval := NULL, months := NULL,
    grain := [period], rows := (('nothing', (TRUE))), tables := NULL
  ))"""


def bypass(copy: ProjectCopy) -> None:
    """Every way at once, each in a product that takes no other."""
    copy.edit(
        f"{CONTRACTS}/trending_movies.odcs.yaml",
        "    quality:\n",
        "    quality:\n      - id: nothing\n        type: sql\n        description: Nothing.\n"
        "        dimension: conformity\n        severity: error\n        mustBe: 0\n"
        "        query: SELECT COUNT(*) FROM ${table} WHERE FALSE\n",
    )
    copy.edit(ACTIONS, "movie.genres IS NOT NULL", "movie.kinds IS NOT NULL")
    copy.edit(PERIODS, "slaProperties:\n", ENDED)
    copy.write(f"{CONTRACTS}/user_actions_copy.odcs.yaml", copy.read(ACTIONS))
    (copy.root / CONTRACTS / "ghost.odcs.yaml").mkdir()
    copy.edit(MATRIX, "kind VIEW", "kind FULL")
    copy.edit(
        f"{CONTRACTS}/user_genre_preferences.odcs.yaml", "    quality:\n", f"{VIEWER}    quality:\n"
    )
    copy.edit(
        f"{MODELS}/user_genre_preferences.sql",
        "END::STRING AS user_monthly_preference\n",
        "END::STRING AS user_monthly_preference,\n"
        "  COALESCE(ratings.user_id, 0)::INT64 AS viewer\n",
    )
    copy.edit(
        "models/interactions/internal/movie_tags.sql", "kind FULL", "kind FULL,\n  cron '@yearly'"
    )
    copy.edit(f"{MODELS}/audience_segments.sql", "kind FULL", "kind FULL,\n  end '2020-01-01'")
    copy.edit(f"{MODELS}/genre_audience.sql", "@contract(genre_audience)", BY_HAND)
    copy.edit(f"{MODELS}/genre_audience_v2.sql", "kind FULL", "kind FULL,\n  grain genre")
    copy.edit(f"{MODELS}/audience_groups.sql", "kind FULL", "kind FULL,\n  ignored_rules 'ALL'")
    copy.edit(
        f"{MODELS}/audience_actions.sql",
        "kind FULL",
        "kind FULL,\n  ignored_rules ['columnsmatchcontract', 'ambiguousorinvalidcolumn']",
    )
    copy.edit("config.yaml", "    - explicitcolumns\n", "    - publicmodelneedstest\n")
    copy.edit("config.yaml", "  warn_rules:\n", "  warn_rules:\n    - grainmatchescontract\n")
    copy.edit("config.yaml", "    - grainmatchescontract\n    - kind", "    - kind")
    for domain in ("interactions", "engagement"):
        shutil.copytree(ROOT / "tests" / domain, copy.root / "tests" / domain)
    (copy.root / "tests/engagement/test_user_actions_and_groups.yaml").unlink()
    copy.write("tests/engagement/test_tag_sentiment.yaml", EXPECTS_NOTHING)
    copy.edit(f"{MODELS}/churn_curve.sql", "kind FULL", "kind FULL,\n  start '2199-01-01'")
    open_to_all = "@contract(movie_years),\n  grants ('select' = ['allAuthenticatedUsers'])"
    copy.edit(f"{MODELS}/movie_years.sql", "@contract(movie_years)", open_to_all)


@pytest.fixture(scope="module")
def bypassed(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("bypassed") / "project")
    bypass(copy)
    return copy


@pytest.fixture(scope="module")
def told(bypassed: ProjectCopy) -> dict[str, list[str]]:
    """What each rule says."""
    with bypassed.worker() as worker:
        found: dict[str, list[str]] = {}
        for one in worker.ask("lint"):
            found.setdefault(one["rule"], []).append(one["message"])
    return found


def test_what_contracts_lint_refuses_is_refused_by_sqlmesh_too(
    bypassed: ProjectCopy, told: dict[str, list[str]]
) -> None:
    idle = bypassed.line(f"{CONTRACTS}/trending_movies.odcs.yaml", "WHERE FALSE")
    query = bypassed.line(ACTIONS, "query:", after="id: raters_have_genres")
    ended = bypassed.line(PERIODS, "endOfLife")
    said = "\n".join(told["contractsaresound"])
    for place, text in (
        (f"{CONTRACTS}/ghost.odcs.yaml:1", "is a folder with a file's name. Call it otherwise"),
        (
            f"{CONTRACTS}/user_actions_copy.odcs.yaml:3",
            "The contract is of interactions.user_actions, but",
        ),
        (f"{CONTRACTS}/trending_movies.odcs.yaml:{idle}", "No row can break the rule"),
        (f"{ACTIONS}:{query}", "The rule speaks of the column `kinds`, which is not there."),
        (f"{PERIODS}:{ended}", "The product ended on 2020-01-31, but its status is active."),
    ):
        assert any(place in line and text in line for line in said.splitlines()), (place, said)


def test_a_table_in_the_place_of_a_view_is_refused(
    bypassed: ProjectCopy, told: dict[str, list[str]]
) -> None:
    contract = "contracts/interactions/user_movie_ratings.odcs.yaml"
    line = bypassed.line(contract, "physicalType: view")
    assert told["kindmatchescontract"] == [
        "interactions.user_movie_ratings: is of kind FULL, but a view in the contract "
        f"({contract}:{line}): write `kind VIEW`, or another `physicalType`."
    ]


def test_a_person_is_followed_under_another_name(
    bypassed: ProjectCopy, told: dict[str, list[str]]
) -> None:
    genres = "contracts/interactions/user_genre_ratings.odcs.yaml"
    known = bypassed.line(genres, "classification: personal")
    contract = f"{CONTRACTS}/user_genre_preferences.odcs.yaml"
    line = bypassed.line(contract, "classification:", after="- id: viewer")
    assert told["personalcolumnsareclassified"] == [
        "engagement.user_genre_preferences: column viewer is made of interactions."
        f"user_genre_ratings.user_id, which leads to a person ({genres}:{known}), but is "
        f"classified internal in the contract ({contract}:{line}): write `classification: "
        "personal`, or the tag `not_personal` where its values tell nobody apart."
    ]


def test_who_is_built_less_often_than_promised_is_refused(
    bypassed: ProjectCopy, told: dict[str, list[str]]
) -> None:
    said = {one.partition(":")[0]: one for one in told["runsasoftenaspromised"]}
    assert set(said) == {
        *("interactions_internal.movie_tags", "engagement.audience_segments"),
        "engagement.churn_curve",
    }
    tags = said["interactions_internal.movie_tags"]
    assert "runs `@yearly`, so every 366 days, but " in tags
    assert "which needs it, promises a frequency of 1 month (contracts/" in tags
    assert (
        "is built until 2020-01-01 alone, but its contract" in said["engagement.audience_segments"]
    )


def test_an_audit_by_hand_does_not_stand_for_the_contract(told: dict[str, list[str]]) -> None:
    (said,) = [one for one in told["publicmodelneedscontract"] if "its audit" in one]
    assert said.startswith(
        "engagement.genre_audience: its audit `contract` does not ask all that the contract "
        f"{CONTRACTS}/genre_audience.odcs.yaml:1 states: write @contract(genre_audience) into"
    )


def test_readers_whom_the_contract_does_not_name_are_refused(told: dict[str, list[str]]) -> None:
    (said,) = [one for one in told["publicmodelneedscontract"] if "who may read" in one]
    assert said.startswith("engagement.movie_years: its MODEL block says who may read it: take ")
    assert "contracts/engagement/movie_years.odcs.yaml:" in said


def test_a_grain_before_the_contract_is_refused(told: dict[str, list[str]]) -> None:
    (said,) = told["grainmatchescontract"]
    assert (
        "engagement.genre_audience_v2: the grain is period, preference, genre, is_others in" in said
    )
    assert "but genre in the model: remove the grain from the MODEL block" in said


def test_rules_that_are_left_out_are_named(told: dict[str, list[str]]) -> None:
    assert told["rulesareinforce"] == [
        "engagement.audience_actions: leaves out the rule columnsmatchcontract by `ignored_rules` "
        f"({MODELS}/audience_actions.sql): take it out of the MODEL block, and mend what the rule "
        "says.",
        f"engagement.audience_groups: leaves out the rule all by `ignored_rules` ({MODELS}/"
        "audience_groups.sql): take it out of the MODEL block, and mend what the rule says.",
        "config.yaml: the rule grainmatchescontract is not in force: write it under "
        "`linter: rules:`.",
    ]


def test_a_public_model_without_a_unit_test_is_refused(told: dict[str, list[str]]) -> None:
    assert [one for one in told["publicmodelneedstest"] if "without a unit test" in one] == [
        "engagement.user_actions_and_groups: a public model without a unit test: write "
        "tests/engagement/test_user_actions_and_groups.yaml with its awkward rows; "
        "`mesh contracts new engagement.user_actions_and_groups` drafts it.",
    ]


def test_a_public_model_whose_tests_expect_no_row_is_refused(told: dict[str, list[str]]) -> None:
    (said,) = [one for one in told["publicmodelneedstest"] if "tag_sentiment" in one]
    assert "no unit test of this public model expects a row (tests/engagement/test_tag_" in said
    assert said.endswith(
        "Write into tests/engagement/test_tag_sentiment.yaml what it makes of some rows."
    )


def test_a_model_that_begins_in_the_future_is_refused(told: dict[str, list[str]]) -> None:
    assert (
        "engagement.churn_curve: is built from 2199-01-01 on, and not before: take `start` out of "
        "the MODEL block, or write the first day of the data."
    ) in told["runsasoftenaspromised"]


def test_nothing_else_is_found(told: dict[str, list[str]]) -> None:
    assert set(told) == {
        *("contractsaresound", "grainmatchescontract", "kindmatchescontract"),
        *("personalcolumnsareclassified", "publicmodelneedscontract", "publicmodelneedstest"),
        *("rulesareinforce", "runsasoftenaspromised"),
    }
