"""Ratings packed into histograms give the same medians as sorting the ratings, or an error."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import accumulate, combinations_with_replacement

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rendered import on_duckdb

MOST_RATINGS = 2_097_151
HALF_STARS = range(1, 11)

HISTOGRAMS = """
SELECT
  group_id,
  COUNT(*)::INT64 AS rating_count,
  SUM(@histogram_part(rating, 'low'))::INT64 AS histogram_low,
  SUM(@histogram_part(rating, 'mid'))::INT64 AS histogram_mid,
  SUM(@histogram_part(rating, 'high'))::INT64 AS histogram_high
FROM ratings
GROUP BY group_id
"""
SUMS = """
SELECT
  group_id,
  SUM(rating_count)::INT64 AS rating_count,
  SUM(histogram_low)::INT64 AS histogram_low,
  SUM(histogram_mid)::INT64 AS histogram_mid,
  SUM(histogram_high)::INT64 AS histogram_high
FROM parts
GROUP BY group_id
"""
MEDIANS = "SELECT group_id, @median_of_histogram(histograms)::FLOAT64 AS m FROM histograms"
MEDIAN_OF_ALL = """
SELECT group_id, @median_of_histograms(parts)::FLOAT64 AS m FROM parts GROUP BY group_id
"""
MEDIAN_OF_MANY = MEDIAN_OF_ALL.replace("@median_of_histograms", "@median_of_many_histograms")
COUNTS = "SELECT group_id, {} FROM histograms".format(
    ", ".join(f"@ratings_of(histograms, {h / 2})::INT64 AS c{h}" for h in HALF_STARS)
)
HIGH = "SELECT group_id, @high_ratings_of(histograms)::INT64 AS high FROM histograms"

Histogram = tuple[int, int, int, int]
"""rating_count, histogram_low, histogram_mid, histogram_high."""


class Warehouse:
    """A DuckDB in memory that runs the rendered queries over given rows."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("CREATE TABLE ratings (group_id BIGINT, rating DOUBLE)")
        columns = ", ".join(f"histogram_{part} BIGINT" for part in ("low", "mid", "high"))
        for table in ("parts", "histograms"):
            self.connection.execute(
                f"CREATE TABLE {table} (group_id BIGINT, rating_count BIGINT, {columns})"
            )
        self.histograms_sql, self.sums_sql = on_duckdb(HISTOGRAMS), on_duckdb(SUMS)
        self.medians_sql, self.counts_sql = on_duckdb(MEDIANS), on_duckdb(COUNTS)
        self.high_sql = on_duckdb(HIGH)
        self.median_of_all_sql = on_duckdb(MEDIAN_OF_ALL)
        self.median_of_many_sql = on_duckdb(MEDIAN_OF_MANY)

    def load_ratings(self, groups: list[list[int]]) -> None:
        """Replace all ratings. groups: the ratings of each group in half-stars, 1 to 10."""
        self.connection.execute("DELETE FROM ratings")
        group_ids = [number for number, group in enumerate(groups) for _ in group]
        ratings = [half_stars / 2 for group in groups for half_stars in group]
        self.connection.execute(
            "INSERT INTO ratings SELECT unnest(?::BIGINT[]), unnest(?::DOUBLE[])",
            [group_ids, ratings],
        )

    def histograms(self) -> dict[int, Histogram]:
        """The histogram of each group of the loaded ratings, by the macro."""
        rows = self.connection.execute(self.histograms_sql).fetchall()
        return {row[0]: row[1:] for row in rows}

    def sums(self, parts: list[Histogram]) -> Histogram:
        """The sum of histograms; raises duckdb.Error when it does not fit."""
        self._load("parts", parts, same_group=True)
        ((_, *total),) = self.connection.execute(self.sums_sql).fetchall()
        return tuple(total)

    def median_of_all(self, parts: list[Histogram]) -> float:
        """The median in stars of all histograms together, by the macro; raises as `sums` does."""
        return self._median_of(parts, self.median_of_all_sql)

    def median_of_many(self, parts: list[Histogram]) -> float:
        """The same by the macro for groups of any size, which never raises."""
        return self._median_of(parts, self.median_of_many_sql)

    def _median_of(self, parts: list[Histogram], sql: str) -> float:
        self._load("parts", parts, same_group=True)
        ((_, median),) = self.connection.execute(sql).fetchall()
        return median

    def medians(self, histograms: list[Histogram]) -> list[float]:
        """The median of each histogram in stars, by the macro."""
        self._load("histograms", histograms)
        return [median for _, median in self._in_order(self.medians_sql)]

    def counts(self, histograms: list[Histogram]) -> list[tuple[int, ...]]:
        """The ten counts of each histogram, 0.5 to 5.0 stars, by the macro."""
        self._load("histograms", histograms)
        return [counts for _, *counts in self._in_order(self.counts_sql)]

    def high(self, histograms: list[Histogram]) -> list[int]:
        """How many of each histogram are of more than 4 stars, by the macro."""
        self._load("histograms", histograms)
        return [high for _, high in self._in_order(self.high_sql)]

    def _load(self, table: str, rows: list[Histogram], same_group: bool = False) -> None:
        group_ids = [0 if same_group else number for number in range(len(rows))]
        self.connection.execute(f"DELETE FROM {table}")
        self.connection.execute(
            f"INSERT INTO {table} SELECT {', '.join(['unnest(?::BIGINT[])'] * 5)}",
            [group_ids, *(list(column) for column in zip(*rows, strict=True))],
        )

    def _in_order(self, sql: str) -> list[tuple]:
        return sorted(self.connection.execute(sql).fetchall())


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    warehouse = Warehouse()
    yield warehouse
    warehouse.connection.close()


def packed(counts: list[int]) -> Histogram:
    """The histogram of ten counts, as its documentation says; parts may exceed 64 bits."""
    at_most = list(accumulate(counts))
    low, mid, high = (
        sum(at_most[first + field] << (21 * field) for field in range(3)) for first in (0, 3, 6)
    )
    return at_most[-1], low, mid, high


def median_of_counts(counts: list[int]) -> float:
    """The median in stars of ten counts: the mean of the ratings at the two middle positions."""
    at_most = list(accumulate(counts))
    middle = ((at_most[-1] - 1) // 2, at_most[-1] // 2)
    return sum(1 + sum(c <= position for c in at_most) for position in middle) / 4


def counts_of(group: list[int]) -> list[int]:
    return [group.count(half_stars) for half_stars in HALF_STARS]


groups_of_ratings = st.lists(
    st.lists(st.sampled_from(HALF_STARS), min_size=1, max_size=40), min_size=1, max_size=12
)


@st.composite
def ten_counts(draw: st.DrawFn, least: int, most: int) -> list[int]:
    """How many ratings there are of each half-star, often so that one rating decides the median."""
    n = draw(st.integers(least, most) | st.sampled_from([least, most - 1, most]))
    middles = [min(max(n // 2 + step, 0), n) for step in (-1, 0, 1, 2)]
    cuts = st.integers(0, n) | st.sampled_from([0, *middles, n])
    at_most = sorted(draw(st.lists(cuts, min_size=9, max_size=9)))
    return [upper - lower for lower, upper in zip([0, *at_most], [*at_most, n], strict=True)]


@given(groups_of_ratings)
@settings(max_examples=60, deadline=None)
def test_the_median_of_a_histogram_is_that_of_the_sorted_ratings(
    warehouse: Warehouse, groups: list[list[int]]
) -> None:
    warehouse.load_ratings(groups)
    by_sorting = warehouse.connection.execute(
        "SELECT quantile_cont(rating, 0.5) FROM ratings GROUP BY group_id ORDER BY group_id"
    ).fetchall()
    histograms = warehouse.histograms()
    medians = warehouse.medians([histograms[number] for number in range(len(groups))])
    assert medians == [median for (median,) in by_sorting]
    assert medians == [statistics.median(group) / 2 for group in groups]


def test_the_median_is_exact_for_every_group_of_up_to_four_ratings(warehouse: Warehouse) -> None:
    groups = [
        list(group)
        for size in (1, 2, 3, 4)
        for group in combinations_with_replacement(HALF_STARS, size)
    ]
    medians = warehouse.medians([packed(counts_of(group)) for group in groups])
    assert len(groups) == 1000
    assert medians == [statistics.median(group) / 2 for group in groups]


@given(groups_of_ratings)
@settings(max_examples=40, deadline=None)
def test_a_histogram_is_nine_cumulative_counts_in_fields_of_21_bits(
    warehouse: Warehouse, groups: list[list[int]]
) -> None:
    warehouse.load_ratings(groups)
    expected = {number: packed(counts_of(group)) for number, group in enumerate(groups)}
    assert warehouse.histograms() == expected


@given(groups_of_ratings)
@settings(max_examples=40, deadline=None)
def test_histograms_add_up_to_that_of_all_their_ratings(
    warehouse: Warehouse, groups: list[list[int]]
) -> None:
    everything = [half_stars for group in groups for half_stars in group]
    warehouse.load_ratings(groups)
    parts = list(warehouse.histograms().values())
    total = warehouse.sums(parts)
    warehouse.load_ratings([everything])
    assert total == warehouse.histograms()[0]
    assert warehouse.medians([total]) == [statistics.median(everything) / 2]
    assert warehouse.median_of_all(parts) == statistics.median(everything) / 2


@given(st.lists(ten_counts(1, MOST_RATINGS), min_size=1, max_size=8))
@example([[0] * half_stars + [MOST_RATINGS] + [0] * (9 - half_stars) for half_stars in range(10)])
@settings(max_examples=60, deadline=None)
def test_median_and_counts_are_exact_up_to_the_most_ratings_a_group_can_have(
    warehouse: Warehouse, groups: list[list[int]]
) -> None:
    histograms = [packed(counts) for counts in groups]
    assert warehouse.medians(histograms) == [median_of_counts(counts) for counts in groups]
    assert warehouse.counts(histograms) == groups
    assert warehouse.high(histograms) == [nine + ten for *_, nine, ten in groups]


def test_two_million_real_ratings_have_the_median_of_sorting_them(warehouse: Warehouse) -> None:
    # i * i mod 97 is uneven over the ten values, and the same each time.
    warehouse.connection.execute(
        "CREATE OR REPLACE TABLE ratings AS"
        " SELECT 0 AS group_id, (1 + (i * i) % 97 % 10) / 2.0::DOUBLE AS rating"
        " FROM range(?) AS all_ratings(i)",
        [MOST_RATINGS],
    )
    (histogram,) = warehouse.histograms().values()
    ((by_sorting,),) = warehouse.connection.execute(
        "SELECT quantile_cont(rating, 0.5) FROM ratings"
    ).fetchall()
    assert histogram[0] == MOST_RATINGS
    assert warehouse.medians([histogram]) == [by_sorting]


@pytest.mark.parametrize("half_stars", range(1, 10))
def test_one_rating_too_many_in_a_group_is_an_error(warehouse: Warehouse, half_stars: int) -> None:
    ratings = [0] * 10
    ratings[half_stars - 1] = MOST_RATINGS
    one_more = [0] * 10
    one_more[half_stars - 1] = 1
    with pytest.raises(duckdb.ConversionException, match="out of range"):
        warehouse.sums([packed(ratings), packed(one_more)])


@given(ten_counts(1, MOST_RATINGS), ten_counts(1, MOST_RATINGS))
@example([0] * 9 + [MOST_RATINGS], [0] * 9 + [1])
@example([MOST_RATINGS] + [0] * 9, [0] * 9 + [MOST_RATINGS])
@settings(max_examples=60, deadline=None)
def test_a_group_beyond_the_limit_is_an_error_and_never_a_wrong_number(
    warehouse: Warehouse, one: list[int], other: list[int]
) -> None:
    both = [a + b for a, b in zip(one, other, strict=True)]
    assert warehouse.median_of_many([packed(one), packed(other)]) == median_of_counts(both)
    fits = sum(both[:9]) <= MOST_RATINGS  # the fullest field counts the ratings up to 4.5 stars
    try:
        total = warehouse.sums([packed(one), packed(other)])
    except duckdb.ConversionException:
        assert not fits
        with pytest.raises(duckdb.ConversionException, match="out of range"):
            warehouse.median_of_all([packed(one), packed(other)])
    else:
        assert fits
        assert warehouse.medians([total]) == [median_of_counts(both)]
        assert warehouse.median_of_all([packed(one), packed(other)]) == median_of_counts(both)
        assert warehouse.counts([total]) == [both]
