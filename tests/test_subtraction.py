"""What readers of all marts find by subtracting their numbers from each other: never few users."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
from few import few_users
from rendered import Tables, build, products
from test_over_time import GENRES, MONTHS, month_of

COHORTS, CURVES = "engagement.cohort_activity", "engagement.churn_curve"
FEW = range(1, 5)
# A user is in one cell of a month: that of the month in which they came.
Cell = tuple[pd.Timestamp, pd.Timestamp]


class Attacker:
    """Knows sums of cells, and works out what else follows from them."""

    def __init__(self, cells: list[Cell]) -> None:
        self.places = {cell: place for place, cell in enumerate(cells)}
        self.known: list[np.ndarray] = []

    def sum_of(self, cells: list[Cell], less: list[Cell]) -> np.ndarray:
        row = np.zeros(len(self.places))
        row[[self.places[cell] for cell in cells]] += 1
        row[[self.places[cell] for cell in less]] -= 1
        return row

    def learns(self, cells: list[Cell]) -> None:
        self.known.append(self.sum_of(cells, []))

    def finds(self, wanted: list[tuple[list[Cell], list[Cell]]]) -> np.ndarray:
        """Which sums follow, each of some cells less others."""
        rows = np.array([self.sum_of(*cells) for cells in wanted])
        _, values, basis = np.linalg.svd(np.array(self.known), full_matrices=False)
        basis = basis[values > 1e-9]
        return np.abs(rows - rows @ basis.T @ basis).max(axis=1) < 1e-9


def coming_back(seed: int) -> Tables:
    """Three years in which users come, and some come back: often so few that nobody may know."""
    chance = np.random.default_rng(seed)
    acts, user = [], 0
    for month in range(32):
        for _ in range(chance.choice([0, 3, 9, 40])):
            user += 1
            often = chance.choice([0, 0, 0, 0, 1, 5])
            acts += [(user, month + more) for more in {0, *chance.integers(1, 12, often).tolist()}]
    one = pd.DataFrame(acts, columns=["userId", "month"]).query("month < 38")
    start = pd.Timestamp("2009-01-04")
    one["timestamp"] = [
        int((start + pd.DateOffset(months=month)).timestamp()) for month in one["month"]
    ]
    one["movieId"] = one.groupby("userId").cumcount() + 1
    kind = chance.choice(["rate", "tag", "both"], len(one), p=[0.5, 0.2, 0.3])
    ratings = one[kind != "tag"].assign(rating=3.5)
    return {
        "movies": few_users(seed)["movies"],
        "ratings": ratings.drop(columns="month"),
        "tags": one[kind != "rate"].drop(columns="month").assign(tag="fun"),
    }


@pytest.mark.parametrize("seed", [4, 5])
def test_few_who_come_back_are_not_found_by_subtracting_cohorts_from_months(seed: int) -> None:
    """Known are all who acted in a month, who were new, who came in a year, and each cohort."""
    source = coming_back(seed)
    marts = build(source, MONTHS, GENRES, COHORTS, CURVES)
    acts = pd.concat([source["ratings"].assign(kind="rating"), source["tags"].assign(kind="tag")])
    acts["month"] = month_of(acts["timestamp"])
    acts["cohort"] = acts.groupby("userId")["month"].transform("min")
    audience = marts[MONTHS].set_index("reporting_month").sort_index()
    months, cohorts = list(audience.index), marts[COHORTS]
    cells = list(combinations_with_replacement(months, 2))
    cohorts["cell"] = [
        (row.cohort_month, row.cohort_month + pd.DateOffset(months=int(row.months_since)))
        for row in cohorts.itertuples()
    ]
    assert len(cohorts) > 10 and len(marts[CURVES]) > 5
    for kind in ("user", "rating", "tag"):
        column = "active_user_count" if kind == "user" else f"{kind}_count"
        counts = acts[acts["kind"] == kind] if kind != "user" else acts
        counts = counts.groupby(["cohort", "month"])["userId"].nunique()
        counts = counts.reindex(cells, fill_value=0)
        attacker = Attacker(cells)
        told = set(audience.index[audience[column].notna()])
        if kind == "rating":
            # A genre's count and share tell all ratings of its month.
            told |= set(marts[GENRES].query("rating_share > 0")["reporting_month"])
        for month in told:
            attacker.learns([cell for cell in cells if cell[1] == month])
        shown = set(cohorts.loc[cohorts[column].notna(), "cell"])
        new = set()
        if kind == "user":
            shown |= {(cohort, cohort) for cohort in cohorts["cohort_month"]}
            new = set(audience.index[audience["new_user_count"].notna()])
            years = {int(cohort) for cohort in marts[CURVES]["cohort"] if cohort != "all"}
            for year in {month.year for month in months if month.year in years} - {months[-1].year}:
                attacker.learns([(month, month) for month in months if month.year == year])
            attacker.learns([(month, month) for month in months])
        for cell in shown | {(month, month) for month in new}:
            attacker.learns([cell])
        # Each cell, who came back in a month, the rest of it, and who of a cohort did not act.
        wanted: list[tuple[list[Cell], list[Cell]]] = [([cell], []) for cell in cells]
        for month in months:
            back = [cell for cell in cells if cell[1] == month and cell[0] < month]
            rest = [cell for cell in back if cell not in shown]
            wanted += [(some, []) for some in (back, rest, [*rest, (month, month)]) if some]
        if kind == "user":
            wanted += [([(came, came)], [(came, month)]) for came, month in cells if came < month]
        sizes = np.array([counts[some].sum() - counts[less].sum() for some, less in wanted])
        few = np.isin(sizes, FEW)
        found = few & attacker.finds(wanted)
        assert few.sum() > 50
        assert not found.any(), (kind, [wanted[place] for place in np.flatnonzero(found)][:5])


MADE = (
    *("engagement_internal.thresholds", "engagement_internal.audience_parts"),
    *("engagement.audience_groups", "engagement.audience_segments"),
)
NEWEST = pd.DataFrame({"rated_on": pd.to_datetime(["2018-09-24"])})
PARTS = {"raters_only": (1, 0), "both": (1, 1), "taggers_only": (0, 1), "sleepers": (0, 0)}
MEMBERS = {
    "all_users": {*PARTS},
    "raters": {"raters_only", "both"},
    "taggers": {"taggers_only", "both"},
    "sleepers": {"sleepers"},
    "raters_and_taggers": {"both"},
    "all_taggers": {"taggers_only", "both"},
}


@pytest.mark.parametrize("seed", range(40))
def test_few_of_a_group_are_not_found_by_subtracting_groups_and_segments(seed: int) -> None:
    """Known are all groups and segments, each with how many did anything lately."""
    chance = np.random.default_rng(seed)
    sizes = {part: int(chance.choice([0, 1, 3, 5, 8, 12, 30, 60])) for part in PARTS}
    active = {part: int(chance.integers(0, size, endpoint=True)) for part, size in sizes.items()}
    users = pd.DataFrame(
        [
            (*PARTS[part], place < active[part])
            for part, size in sizes.items()
            for place in range(size)
        ],
        columns=["is_rater", "is_tagger", "is_active"],
    ).astype(bool)
    users = users.assign(
        user_id=users.index,
        rating_count=50,
        tag_count=0,
        is_sleeper=~users["is_rater"] & ~users["is_tagger"],
    )
    with products(*MADE) as made:
        made.load("engagement_internal.user_groups", users)
        made.load("engagement_internal.newest_rating", NEWEST)
        segments = made.make()
        groups = made.connection.sql("FROM engagement.audience_groups").df()
    cells = [(part, lately) for part in PARTS for lately in (True, False)]
    counts = {
        (part, lately): active[part] if lately else sizes[part] - active[part]
        for part, lately in cells
    }
    attacker = Attacker(cells)
    for row in groups.itertuples():
        parts = MEMBERS[row.user_group]
        parts = parts if row.membership == "members" else {*PARTS} - parts
        attacker.learns([cell for cell in cells if cell[0] in parts])
        if not pd.isna(row.active_user_count):
            attacker.learns([(part, True) for part in PARTS if part in parts])
    for segment in segments["segment"]:
        parts = MEMBERS.get(segment, {segment})
        attacker.learns([cell for cell in cells if cell[0] in parts])
    unions = [
        [cell for place, cell in enumerate(cells) if chosen >> place & 1]
        for chosen in range(1, 2 ** len(cells))
    ]
    found = attacker.finds([(union, []) for union in unions])
    few = np.isin([sum(counts[cell] for cell in union) for union in unions], FEW)
    assert not (few & found).any()
    # Nor is it told that all taggers rate, or that none does.
    for nobody, somebody in (("taggers_only", "both"), ("both", "taggers_only")):
        if sizes[somebody] and not sizes[nobody]:
            place = unions.index([cell for cell in cells if cell[0] == nobody])
            assert not found[place]
