"""Deliveries one after another: however rows are split among them, the tables are their sum."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.movielens.ingest import ingest
from tests.deliveries import HEADERS, NOW, newest, tables, write

months = st.sampled_from([820454400 + 2678400 * month for month in range(0, 60, 7)])
ratings = st.dictionaries(
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.sampled_from([0.5, 3.0, 5.0]), months),
    min_size=1,
)
tags = st.dictionaries(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from("xyz")), months
)
movies = st.dictionaries(st.integers(1, 3), st.sampled_from(["A", "B"]))
deliveries = st.lists(st.tuples(ratings, tags, movies), min_size=1, max_size=4)


def written(folder: Path, ratings: dict, tags: dict, movies: dict) -> Path:
    return write(
        folder,
        movies="\n".join([HEADERS["movies"], *(f"{m},{t},Drama" for m, t in movies.items())]),
        ratings="\n".join(
            [HEADERS["ratings"], *(f"{u},{m},{r},{s}" for (u, m), (r, s) in ratings.items())]
        ),
        tags="\n".join([HEADERS["tags"], *(f"{u},{m},{t},{s}" for (u, m, t), s in tags.items())]),
    )


def month(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date().replace(day=1)


def months_that_differ(before: list[tuple], after: list[tuple]) -> tuple[date, ...]:
    return tuple(sorted({month(row[-1]) for row in set(before) ^ set(after)}))


def movie_months(before: dict, after: dict) -> tuple[date, ...]:
    changed = {row[0] for row in set(before["movies"]) ^ set(after["movies"])}
    rated = before["ratings"] + after["ratings"]
    found = {month(row[-1]) for row in rated if row[1] in changed}
    return tuple(sorted(found | ({date(1970, 1, 1)} if changed else set())))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(deliveries=deliveries)
def test_deliveries_one_after_another_are_their_sum_and_name_the_months_they_changed(deliveries):
    first = {1: "A", 2: "A", 3: "A"}
    whole: tuple[dict, dict, dict] = ({}, {}, {})
    with tempfile.TemporaryDirectory() as folder:
        database, before = Path(folder, "mesh.duckdb"), None
        for position, (some_ratings, some_tags, some_movies) in enumerate(deliveries):
            if position == 0:
                some_movies = {**first, **some_movies}
            parts = (some_ratings, some_tags, some_movies)
            for all_rows, new in zip(whole, parts, strict=True):
                for key, value in new.items():
                    all_rows[key] = newest(all_rows.get(key), value)
            source = written(Path(folder, str(position)), *parts)
            result = ingest(source, database=database, now=NOW, append=position > 0)
            after = tables(database)
            if before is not None:
                for table in ("ratings", "tags"):
                    assert result.months[table] == months_that_differ(before[table], after[table])
                assert result.months["movies"] == movie_months(before, after)
            before = after
        # The same as one snapshot of the sum, in a new database and over the old one.
        source = written(Path(folder, "whole"), *whole)
        ingest(source, database=Path(folder, "new.duckdb"), now=NOW)
        found = tables(Path(folder, "new.duckdb"))
        assert {**found, "rejected": before["rejected"]} == before
        assert ingest(source, database=database, now=NOW).changed_months == ()
        # And back to the first delivery: a snapshot removes what it does not hold.
        result = ingest(Path(folder, "0"), database=database, now=NOW)
        after = tables(database)
        assert result.months["ratings"] == months_that_differ(before["ratings"], after["ratings"])
        assert result.months["tags"] == months_that_differ(before["tags"], after["tags"])
        assert result.months["movies"] == movie_months(before, after)


some_seconds = st.sampled_from([900000000, 900000001, 1200000000])
one_rating = st.tuples(
    st.integers(1, 2), st.integers(1, 2), st.sampled_from([0.5, 3.0, 5.0]), some_seconds
)
one_tag = st.tuples(st.integers(1, 2), st.integers(1, 2), st.sampled_from("xy"), some_seconds)


def with_lines(folder: Path, ratings: list[tuple], tags: list[tuple]) -> Path:
    lines = {"movies": [(1, "A", "Drama"), (2, "B", "Drama")], "ratings": ratings, "tags": tags}
    texts = {
        name: "\n".join([HEADERS[name], *(",".join(map(str, row)) for row in some)])
        for name, some in lines.items()
    }
    return write(folder, **texts)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ratings=st.lists(st.tuples(one_rating, st.integers(0, 1)), min_size=3, max_size=12),
    tags=st.lists(st.tuples(one_tag, st.integers(0, 1)), min_size=2, max_size=9),
)
def test_however_rows_are_split_into_deliveries_and_ordered_the_same_tables_come_out(ratings, tags):
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.duckdb")
        source = with_lines(Path(folder, "whole"), *([r for r, _ in s] for s in (ratings, tags)))
        ingest(source, database=whole, now=NOW, max_rejected=1)
        database = Path(folder, "mesh.duckdb")
        in_tables = {"ratings": 0, "tags": 0}
        for number in range(2):
            parts = [[row for row, part in some if part == number] for some in (ratings, tags)]
            source = with_lines(Path(folder, str(number)), *parts)
            result = ingest(source, database=database, now=NOW, append=True, max_rejected=1)
            found = tables(database)
            if result.nothing_changed:
                continue
            kept = len(found["rejected"])
            assert kept == sum(result.total(what) for what in ("rejected", "ignored", "replaced"))
            for name, part in zip(in_tables, parts, strict=True):
                counts = result.counts[name]
                assert counts.read == len(part)
                assert counts.read == counts.loaded + counts.rejected + counts.ignored
                # No row comes or goes uncounted; one that stood there just so is loaded again.
                assert in_tables[name] <= len(found[name])
                assert len(found[name]) <= in_tables[name] + counts.loaded - counts.replaced
                in_tables[name] = len(found[name])
        for name in ("movies", "ratings", "tags"):
            assert tables(database)[name] == tables(whole)[name]
