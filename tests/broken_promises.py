"""Products that show something else than their rows, and the promises which that breaks."""

from __future__ import annotations

from mesh.verify import VerifyReport

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
