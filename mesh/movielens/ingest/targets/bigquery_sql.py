"""The statements that turn staged rows into the operational tables of BigQuery.

No text from outside stands in them: values are parameters, names are those of
`mesh.movielens.ingest.schema` and of the project. Which months change is asked first; then one
script publishes all tables in one transaction, or none of them. An undo is such a script as well.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mesh.movielens.ingest.schema import (
    CHANGED_MONTHS,
    DELIVERED,
    INGESTS,
    MOVIES,
    REJECTED_LINES,
    UNDO_LOGS,
    Table,
)
from mesh.movielens.ingest.targets.undo_sql import Name, prune_sql, restore_sql

STAGING = "operational_staging"
OVERTAKEN = "mesh: another ingest published"


def create_staging_sql(days: int) -> str:
    """The dataset of staging tables, where they are gone after so many days at the latest."""
    return f"CREATE SCHEMA IF NOT EXISTS {STAGING} OPTIONS (default_table_expiration_days = {days})"


@dataclass(frozen=True)
class Statements:
    """GoogleSQL for one ingest. name, staged: full names, quoted, of a table and its staging."""

    name: Name
    staged: Name
    mode: str  # snapshot | append

    def changed_months(self) -> str:
        """Rows (source_table, reporting_month) of all that this ingest will change."""
        parts = {
            table.name: self._movie_months() if table is MOVIES else self._months(table)
            for table in DELIVERED
        }
        return " UNION ALL ".join(
            f"SELECT '{name}' AS source_table, reporting_month FROM ({query})"
            for name, query in parts.items()
        )

    def _movie_months(self) -> str:
        """The months in which changed movies have ratings, before or after, and 1970-01 if any
        movie changed."""
        kind = "FULL" if self.mode == "snapshot" else "LEFT"
        return f"""
WITH changed AS (
  SELECT COALESCE(incoming.movieId, present.movieId) AS movieId
  FROM {self.staged(MOVIES)} AS incoming {kind} JOIN {self.name(MOVIES)} AS present
    ON incoming.movieId = present.movieId
  WHERE present.movieId IS NULL OR incoming.movieId IS NULL OR {_differs(MOVIES)}
), rated AS (
  SELECT movieId, timestamp FROM {self.name(DELIVERED[1])}
  UNION ALL SELECT movieId, timestamp FROM {self.staged(DELIVERED[1])}
)
SELECT DISTINCT DATE({_month("timestamp")}) AS reporting_month
FROM rated WHERE movieId IN (SELECT movieId FROM changed)
UNION DISTINCT
SELECT DATE '1970-01-01' FROM changed"""

    def _months(self, table: Table) -> str:
        """The months of ratings or tags that change: a snapshot is compared by one fingerprint per
        month, an append by key."""
        if self.mode == "snapshot":
            return self._months_that_differ(table)
        return f"""
WITH upserted AS (
  SELECT incoming.timestamp AS after, present.timestamp AS before
  FROM {self.staged(table)} AS incoming
  LEFT JOIN {self.name(table)} AS present ON {_same_key(table)}
  WHERE present.{table.key[0]} IS NULL OR {_differs(table)}
)
SELECT DISTINCT DATE({_month("after")}) AS reporting_month FROM upserted
UNION DISTINCT
SELECT DATE({_month("before")}) FROM upserted WHERE before IS NOT NULL"""

    def _months_that_differ(self, table: Table) -> str:
        prints = (
            f"SELECT {_month('timestamp')} AS month, COUNT(*) AS n, "
            f"BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT({_columns(table)})))) AS mix "
            "FROM {} GROUP BY month"
        )
        return f"""
SELECT DATE(COALESCE(present.month, incoming.month)) AS reporting_month
FROM ({prints.format(self.name(table))}) AS present
FULL JOIN ({prints.format(self.staged(table))}) AS incoming ON present.month = incoming.month
WHERE present.n IS DISTINCT FROM incoming.n OR present.mix IS DISTINCT FROM incoming.mix"""

    # BigQuery's transactions take SELECT, DML and nothing that defines a table: so the tables are
    # emptied and filled, not exchanged.
    def publish(self, *, rejected: bool, kept: Collection[int]) -> str:
        """The script. Its parameters are the columns of `ingests`, @last_id (the ingest that was
        the newest when the months were asked for) and @months_of_<table>.

        rejected: whether there are staged rejected lines. kept: the deliveries whose logs stay.
        """
        steps = []
        for table in DELIVERED:
            snapshot = self.mode == "snapshot"
            steps.append(self._log_replaced(table) if snapshot else self._log_upserted(table))
            steps += self._replace(table) if snapshot else self._upsert(table)
        steps += prune_sql(self.name, kept)
        if rejected:
            columns = ", ".join(REJECTED_LINES.column_names[1:])
            steps.append(
                f"INSERT INTO {self.name(REJECTED_LINES)} (ingest_id, {columns}) "
                f"SELECT @ingest_id, {columns} FROM {self.staged(REJECTED_LINES)}"
            )
        return _script(self.name, steps)

    # For a delivery into an empty table nothing is logged: undoing it empties the table.
    def _log_replaced(self, table: Table) -> str:
        """Logs the rows that a table and its staged successor have not in common, of the months
        that differ."""
        columns = _columns(table)
        of_months = (
            f"DATE({_month('timestamp')}) IN UNNEST(@months_of_{table.name})"
            if table.month_of
            else "TRUE"
        )
        return f"""{self._log_into(table)}
SELECT @ingest_id, surplus > 0, {columns}
FROM (
  SELECT {columns}, SUM(weight) AS surplus
  FROM (
    SELECT {columns}, 1 AS weight FROM {self.name(table)} WHERE {of_months}
    UNION ALL
    SELECT {columns}, -1 FROM {self.staged(table)}
    WHERE {of_months} AND EXISTS (SELECT 1 FROM {self.name(table)})
  )
  GROUP BY {columns}
  HAVING SUM(weight) <> 0
)"""

    def _log_upserted(self, table: Table) -> str:
        """Logs the staged rows that say something new, and those in whose place they come."""
        chosen = ", ".join(
            f"IF(was_there, present.`{name}`, incoming.`{name}`)" for name in table.column_names
        )
        is_new = f"present.{table.key[0]} IS NULL"
        return f"""{self._log_into(table)}
SELECT @ingest_id, was_there, {chosen}
FROM {self.staged(table)} AS incoming
LEFT JOIN {self.name(table)} AS present ON {_same_key(table)}
CROSS JOIN UNNEST([FALSE, TRUE]) AS was_there
WHERE ({is_new} OR {_differs(table)}) AND NOT (was_there AND {is_new})
  AND EXISTS (SELECT 1 FROM {self.name(table)})"""

    def _log_into(self, table: Table) -> str:
        columns = _columns(table)
        return f"INSERT INTO {self.name(UNDO_LOGS[table])} (ingest_id, was_there, {columns})"

    def _replace(self, table: Table) -> list[str]:
        return [f"TRUNCATE TABLE {self.name(table)}", self._insert(table)]

    def _upsert(self, table: Table) -> list[str]:
        """What a MERGE says, as the two statements that it consists of."""
        return [
            f"DELETE FROM {self.name(table)} AS present WHERE EXISTS "
            f"(SELECT 1 FROM {self.staged(table)} AS incoming WHERE {_same_key(table)})",
            self._insert(table),
        ]

    def _insert(self, table: Table) -> str:
        columns = _columns(table)
        return (
            f"INSERT INTO {self.name(table)} ({columns}) SELECT {columns} FROM {self.staged(table)}"
        )


def undo(name: Name, delivery: int, emptied: Collection[str]) -> str:
    """The script that takes a delivery out; parameters as for a publication.

    emptied: the tables that were empty before it.
    """
    return _script(name, restore_sql(name, delivery, emptied))


def _script(name: Name, steps: list[str]) -> str:
    """The steps and the record of the ingest as one transaction, unless another came before."""
    first = (
        f"SELECT IF((SELECT COALESCE(MAX(ingest_id), 0) FROM {name(INGESTS)}) = @last_id, "
        f"TRUE, ERROR('{OVERTAKEN}'))"
    )
    months = [
        f"INSERT INTO {name(CHANGED_MONTHS)} (ingest_id, source_table, reporting_month) "
        f"SELECT @ingest_id, '{table.name}', month FROM UNNEST(@months_of_{table.name}) AS month"
        for table in DELIVERED
    ]
    told = {
        "finished_at": "CURRENT_TIMESTAMP()",
        **{f"{t.name}_rows": f"(SELECT COUNT(*) FROM {name(t)})" for t in DELIVERED},
    }
    columns = INGESTS.column_names
    record = (
        f"INSERT INTO {name(INGESTS)} ({', '.join(columns)}) "
        f"SELECT {', '.join(told.get(column, f'@{column}') for column in columns)}"
    )
    parts = ["BEGIN TRANSACTION", first, *steps, *months, record, "COMMIT TRANSACTION"]
    return ";\n".join(parts) + ";"


def _columns(table: Table) -> str:
    return ", ".join(f"`{name}`" for name in table.column_names)


def _same_key(table: Table) -> str:
    return " AND ".join(f"incoming.{name} = present.{name}" for name in table.key)


def _differs(table: Table) -> str:
    return " OR ".join(f"incoming.{name} IS DISTINCT FROM present.{name}" for name in table.values)


def _month(column: str) -> str:
    return f"TIMESTAMP_TRUNC({column}, MONTH)"
