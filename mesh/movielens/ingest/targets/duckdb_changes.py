"""Puts staged rows in the place of the old ones and says which months that changed.

A snapshot is compared with the old table by one fingerprint per day, so that no two large tables
are ever joined: a day whose rows differ in any way has another fingerprint, before or after.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb

from mesh.deliveries import WITHOUT_MONTH
from mesh.movielens.ingest.literals import only_row
from mesh.movielens.ingest.schema import MOVIES, RATINGS, TAGS, Table
from mesh.movielens.ingest.targets.duckdb_log import DAY, Log

Months = dict[str, tuple[date, ...]]


class Changes:
    """The two ways to publish, on one DuckDB connection inside the caller's transaction.

    name, incoming: the full names, as SQL, of an operational table and of its staging table.
    ingest_id: the ingest under which the changes are logged.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: Callable[[Table], str],
        incoming: Callable[[Table], str],
        ingest_id: int,
    ) -> None:
        self.connection = connection
        self.name = name
        self.incoming = incoming
        self.log = Log(connection, name, incoming, ingest_id)

    def snapshot(self) -> Months:
        """Replace the three tables by the staged ones."""
        self._find_changed_movies(removed=True)
        rating_days = self._days_that_differ(RATINGS)
        if not self._count(self.name(MOVIES)) and not self._count(self.name(RATINGS)):
            # The first delivery: every movie is new, and every rating is of one of them.
            movie_days = rating_days
        else:
            before = self._days_of_changed_movies(self.name(RATINGS))
            movie_days = before | self._days_of_changed_movies(self.incoming(RATINGS))
        tag_days = self._days_that_differ(TAGS)
        months = {
            MOVIES.name: self._movie_months(movie_days),
            RATINGS.name: _months(rating_days),
            TAGS.name: _months(tag_days),
        }
        for table, days in ((MOVIES, None), (RATINGS, rating_days), (TAGS, tag_days)):
            if self._count(self.name(table)):
                self.log.replaced(table, days)
            self.connection.execute(f"DROP TABLE {self.name(table)}")
            self.connection.execute(f"ALTER TABLE {self.incoming(table)} RENAME TO {table.name}")
        return months

    def append(self) -> Months:
        """Upsert the staged rows by key; the later delivery wins, nothing is removed."""
        self._find_changed_movies(removed=False)
        before = self._days_of_changed_movies(self.name(RATINGS))
        days = {table.name: self._upsert(table) for table in (RATINGS, TAGS)}
        after = self._days_of_changed_movies(self.name(RATINGS))
        self._upsert(MOVIES)
        for table in (MOVIES, RATINGS, TAGS):
            self.connection.execute(f"DROP TABLE {self.incoming(table)}")
        return {
            MOVIES.name: self._movie_months(before | after),
            **{name: _months(changed) for name, changed in days.items()},
        }

    def _find_changed_movies(self, *, removed: bool) -> None:
        """Temporary table changed_movies: ids of movies that are new, other than before or gone."""
        kind = "FULL" if removed else "LEFT"
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE changed_movies AS "
            "SELECT coalesce(new.movieId, old.movieId) AS movieId "
            f"FROM {self.incoming(MOVIES)} new {kind} JOIN {self.name(MOVIES)} old "
            "ON new.movieId = old.movieId "
            "WHERE new.title IS DISTINCT FROM old.title OR new.genres IS DISTINCT FROM old.genres"
        )

    def _days_of_changed_movies(self, ratings: str) -> set[int]:
        if not self._count("changed_movies"):
            return set()
        return self._days(
            f"SELECT DISTINCT {DAY} FROM {ratings} SEMI JOIN changed_movies USING (movieId)"
        )

    def _movie_months(self, days: set[int]) -> tuple[date, ...]:
        if not self._count("changed_movies"):
            return ()
        return (WITHOUT_MONTH, *_months(days))

    def _days_that_differ(self, table: Table) -> set[int]:
        """Days on which the old and the staged table have not the same rows."""
        old, new = self.name(table), self.incoming(table)
        if not self._count(old):
            return self._days(f"SELECT DISTINCT {DAY} FROM {new}")
        columns = ", ".join(f'"{name}"' for name in table.column_names)
        prints = (
            f"SELECT {DAY} AS day, count(*) AS n, sum(hash({columns})) AS total, "
            f"bit_xor(hash({columns})) AS mix FROM {{}} GROUP BY day"
        )
        return self._days(
            f"SELECT day FROM ({prints.format(old)}) old FULL JOIN ({prints.format(new)}) new "
            "USING (day) WHERE (old.n, old.total, old.mix) IS DISTINCT FROM "
            "(new.n, new.total, new.mix)"
        )

    def _upsert(self, table: Table) -> set[int]:
        """Replace or add the staged rows that say something new; the days they touch, before and
        after (none for movies, which have no time)."""
        key = ", ".join(table.key)
        differs = " OR ".join(f"new.{n} IS DISTINCT FROM old.{n}" for n in table.values)
        same_key = " AND ".join(f"new.{n} = old.{n}" for n in table.key)
        before = ", ".join(f"old.{name} AS old_{name}" for name in table.values)
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE upserted AS "
            f"SELECT new.*, old.{table.key[0]} IS NOT NULL AS was_there, {before} "
            f"FROM {self.incoming(table)} new LEFT JOIN {self.name(table)} old ON {same_key} "
            f"WHERE old.{table.key[0]} IS NULL OR {differs}"
        )
        columns = ", ".join(table.column_names)
        if self._count(self.name(table)):
            self.log.upserted(table)
        self.connection.execute(
            f"DELETE FROM {self.name(table)} old USING upserted new WHERE {same_key}"
        )
        self.connection.execute(
            f"INSERT INTO {self.name(table)} ({columns}) SELECT {columns} FROM upserted "
            f"ORDER BY {key}"
        )
        if table is MOVIES:
            return set()
        return self._days(
            f"SELECT DISTINCT {DAY} FROM upserted UNION "
            "SELECT epoch_us(old_timestamp) // 86400000000 FROM upserted "
            "WHERE old_timestamp IS NOT NULL"
        )

    def _count(self, relation: str) -> int:
        return only_row(self.connection.execute(f"SELECT count(*) FROM {relation}"))[0]

    def _days(self, query: str) -> set[int]:
        return {row[0] for row in self.connection.execute(query).fetchall()}


def _months(days: set[int]) -> tuple[date, ...]:
    """The first days of the months in which the days (since 1970) lie, ascending."""
    first = date(1970, 1, 1).toordinal()
    return tuple(sorted({date.fromordinal(first + day).replace(day=1) for day in days}))
