"""The models of cohorts and churn, run on tables in memory: many small worlds need no plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from rendered import in_memory, query_of

MONTH = 487 / 16
PAUSE = pd.Timedelta(days=180)
NEWEST = pd.Timestamp("2018-09-24", tz="UTC")
CHAIN = (
    *("newest_rating", "audience_months"),
    *("user_months", "user_lifetimes", "churn_steps", "first_impressions"),
    *("cohort_activity", "churn_curve", "churn_predictors"),
)
INTERNAL = {"thresholds", *CHAIN[:6]}
SOURCES = {
    "interactions.user_movie_ratings": "user_id BIGINT, movie_id BIGINT, rating DOUBLE, "
    "rated_at TIMESTAMPTZ",
    "interactions.user_tags": "user_id BIGINT, movie_id BIGINT, tag TEXT, tagged_at TIMESTAMPTZ, "
    "rating DOUBLE",
    "interactions.movie_catalogue": "movie_id BIGINT, release_year BIGINT, genres TEXT",
}

# What the producer makes of these for those who count months and days.
COUNTED = """
CREATE VIEW interactions.movies_engagement_daily AS
SELECT (rated_at AT TIME ZONE 'UTC')::DATE AS rated_on FROM interactions.user_movie_ratings;
CREATE VIEW interactions.user_actions AS
SELECT user_id, action_type, DATE_TRUNC('month', acted_at)::DATE AS reporting_month,
  COUNT(*) AS action_monthly_count
FROM (
  SELECT user_id, 'rate' AS action_type, rated_at AT TIME ZONE 'UTC' AS acted_at
  FROM interactions.user_movie_ratings
  UNION ALL
  SELECT user_id, 'tag' AS action_type, tagged_at AT TIME ZONE 'UTC' AS acted_at
  FROM interactions.user_tags
)
GROUP BY ALL
"""


class World:
    """A database in memory that holds what the models of churn read, and what they make of it."""

    def __init__(self) -> None:
        self.connection = in_memory()
        self.connection.execute("SET TimeZone = 'America/Los_Angeles'")
        for table, columns in SOURCES.items():
            self.connection.execute(f"CREATE TABLE {table} ({columns})")
        self.connection.execute(COUNTED)
        self.run("thresholds")

    def put(self, table: str, rows: pd.DataFrame) -> None:
        """Let a table hold these rows and no others; a source keeps its types."""
        self.connection.register("rows_given", rows)
        if table in SOURCES:
            names = ", ".join(rows.columns)
            self.connection.execute(f"DELETE FROM {table}")
            self.connection.execute(f"INSERT INTO {table} ({names}) SELECT * FROM rows_given")
        else:
            self.connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM rows_given")
        self.connection.unregister("rows_given")

    def run(self, *names: str, instead: Mapping[str, str] | None = None) -> pd.DataFrame:
        """Build the models in this order; the rows of the last.

        instead: the queries of some that are not built by their own.
        """
        for name in names:
            full = full_name(name)
            query = (instead or {}).get(name) or query_of(full)
            self.connection.execute(f"CREATE OR REPLACE TABLE {full} AS {query}")
        return self.rows(names[-1])

    def rows(self, name: str) -> pd.DataFrame:
        return self.connection.sql(f"FROM {full_name(name)} ORDER BY ALL").df()


def full_name(name: str) -> str:
    """Of a model of churn, with its schema."""
    return f"engagement_internal.{name}" if name in INTERNAL else f"engagement.{name}"


def put_lives(world: World, year: list, active: list, watched: list) -> None:
    """Let users have come in these years, stayed and been watched for so many months."""
    world.put(
        "engagement_internal.user_lifetimes",
        pd.DataFrame(
            {
                "user_id": np.arange(len(year)),
                "cohort_month": [pd.Timestamp(int(one), 5, 1).date() for one in year],
                "active_months": np.array(active, dtype="int64"),
                "watched_months": np.array(watched, dtype="int64"),
                "newest_on": NEWEST.date(),
            }
        ),
    )


def against_their_years(inside: Sequence, year: Sequence, gone: Sequence) -> list[float]:
    """What share of some users left, would have if each left as often as all of their year, the
    one as a multiple of the other, and the ends of its interval; user by user, not by counts."""
    users = pd.DataFrame({"inside": inside, "year": year, "gone": gone}).astype(float)
    inside = users.inside == 1
    of_year, left = users.groupby("year"), users.gone[inside].sum()
    expected = of_year.gone.transform("mean")[inside].sum()
    lift = left / expected
    moves = (users.inside - lift * of_year.inside.transform("mean")) ** 2
    spread = users.groupby(["year", "inside"]).gone.transform("var")
    spread = spread.fillna(of_year.gone.transform("var")).fillna(0)
    reach = 1.959963984540054 * np.sqrt((moves * spread).sum()) / left
    reach, count = reach if reach > 1e-9 else np.nan, inside.sum()
    return [left / count, expected / count, lift, lift * np.exp(-reach), lift * np.exp(reach)]


def pairs_of_their_years(value: Sequence, year: Sequence, gone: Sequence) -> list[float]:
    """How often one who left has the higher value than one of the same year who stayed, and the
    ends of its interval; pair by pair, not by counts. Of one user the spread is that of the ranks
    of all who came in the year."""
    users = pd.DataFrame({"value": value, "year": year, "gone": gone}).astype(float)
    higher, pairs, variance = 0.0, 0, 0.0
    for _, own in users.groupby("year"):
        left, stayed = (own.value[own.gone == one].to_numpy() for one in (1, 0))
        if not left.size or not stayed.size:
            continue
        won = (left[:, None] > stayed) + (left[:, None] == stayed) / 2
        any_rank = (own.value.rank() / len(own)).var(ddof=0)
        spreads = (
            won.mean(axis).var(ddof=1) if won.shape[1 - axis] > 1 else any_rank for axis in (1, 0)
        )
        variance += sum(
            won.size**2 * spread / users for spread, users in zip(spreads, won.shape, strict=True)
        )
        higher, pairs = higher + won.sum(), pairs + won.size
    area = higher / pairs
    logit = np.log(area / (1 - area))
    reach = 1.959963984540054 * np.sqrt(variance) / pairs / (area * (1 - area))
    return [area, *(1 / (1 + np.exp(-logit - side * reach)) for side in (-1, 1))]


def actions_of(ratings: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """All actions, each with the user's first one, and with the last before their first long pause.

    Who has not paused yet has none.
    """
    both = pd.concat(
        [
            ratings.assign(at=ratings.rated_at, is_rating=True),
            tags.assign(at=tags.tagged_at, is_rating=False),
        ]
    )
    both = both.sort_values("at")
    times = both.groupby("user_id")["at"]
    pause = times.shift(-1).fillna(both["at"].max()) - both["at"]
    left = both["at"].where(pause > PAUSE).groupby(both.user_id).transform("min")
    return both.assign(first=times.transform("min"), left=left)
