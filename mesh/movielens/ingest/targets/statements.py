"""The statements that turn staged rows into the operational tables, once for both engines.

No text from outside stands in them: names are those of `mesh.movielens.ingest.schema` and of the
target, values are numbers and times; the source is what the engine says for it. An undo is made of
such statements as well: the log of a delivery says which rows it took out of a table and which it
put in, and undoing it is the reverse. Its months are those of the delivery, since what differs
between before and after is the same, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from mesh.deliveries import WITHOUT_MONTH
from mesh.movielens.ingest.schema import (
    CHANGED_MONTHS,
    DELIVERED,
    INGESTS,
    MOVIES,
    RATINGS,
    REJECTED_LINES,
    UNDO_LOGS,
    Table,
)

Name = Callable[[Table], str]
Months = dict[str, tuple[date, ...]]


@dataclass(frozen=True)
class Engine:
    """What one engine says in words of its own; `{}` is what it is said of.

    day: of a timestamp, in UTC. month: of a day, the first one of its month. number: the first
    whole one in a text, or NULL. matches: whether a text does, and a regular expression. mix: of
    columns, one number for all rows of a group, in any order. place: of a staged row `incoming`,
    its number in the local stage. working: the kind of table that is gone afterwards. exchange:
    puts a whole staged table in the place of the old one; {table}, {staged}, {short} and {columns}
    are its names. source: the ingest's.
    """

    dialect: str
    day: str
    month: str
    number: str
    matches: str
    mix: str
    place: str
    working: str
    exchange: tuple[str, ...]
    source: Callable[[str], str]

    def value(self, column: str, value: Any) -> str:
        """A value of a column of `ingests`, as SQL."""
        if value is None:
            return "NULL"
        if column == "source":
            return self.source(value)
        if isinstance(value, int):
            return str(value)
        if isinstance(value, tuple):
            text = f"[{', '.join(map(_literal, value))}]"
        else:
            text = f"'{value.isoformat() if isinstance(value, datetime) else value}'"
        return f"CAST({text} AS {dict(INGESTS.shape(self.dialect))[column]})"


@dataclass(frozen=True)
class Statements:
    """The statements of one ingest.

    name, staged, compared: the full names of a table, of its staged rows, and of what is found by
    comparing the two. filled: the tables that have rows before. snapshot: or an append.
    """

    engine: Engine
    name: Name
    staged: Name
    compared: Name
    filled: frozenset[Table]
    snapshot: bool

    def compare(self, table: Table, months: Collection[date] = ()) -> str:
        """Makes the table `compared`: the rows in which a table and what is staged differ (of these
        months, where some are named), with what stands there (old_*), whether anything does, and
        whether the staged row counts. An append does not look at what is not staged."""
        rows = "{}"
        if months:
            month = self.engine.month.format(self._day())
            where = f"{month} IN ({', '.join(map(_literal, months))})"
            rows = f"(SELECT * FROM {{}} WHERE {where})"
        keys = ", ".join(f"COALESCE(incoming.{key}, present.{key}) AS {key}" for key in table.key)
        values = ", ".join(
            f"incoming.{value} AS {value}, present.{value} AS old_{value}" for value in table.values
        )
        missing = f"present.{table.key[0]} IS NULL"
        join, counts, place = "FULL", f"incoming.{table.key[0]} IS NOT NULL", ""
        if not self.snapshot:
            join, counts = "LEFT", f"{missing} OR {_newer(table)}"
            place = f"{self.engine.place} AS place, "
        return (
            f"CREATE OR REPLACE {self.engine.working} {self.compared(table)} AS "
            f"SELECT {keys}, {values}, {place}NOT {missing} AS was_there, {counts} AS counts "
            f"FROM {rows.format(self.staged(table))} AS incoming "
            f"{join} JOIN {rows.format(self.name(table))} AS present "
            f"ON {_same_key(table)} WHERE {missing} OR {_differs(table)}"
        )

    def settled(self, table: Table) -> str:
        """Asks which staged rows have others in the table: whether they count, their place, their
        values, and those of the other."""
        return (
            f"SELECT counts, place, {_columns(table)}, {_old(table)} FROM {self.compared(table)} "
            "WHERE was_there ORDER BY place"
        )

    def changed_values(self, tables: Collection[Table]) -> str:
        """Rows (source_table, column, rows) of compared tables: in how many rows that stood there
        a column gets another value, and under no column how many go."""
        conditions = [
            (table, value, f"counts AND {value} IS DISTINCT FROM old_{value}")
            for table in tables
            for value in table.values
        ]
        if self.snapshot:
            conditions += [(table, "", "NOT counts") for table in tables]
        return " UNION ALL ".join(
            f"SELECT '{table.name}' AS source_table, '{value}' AS changed, COUNT(*) AS n "
            f"FROM {self.compared(table)} WHERE was_there AND {condition}"
            for table, value, condition in conditions
        )

    def changed_months(self) -> str:
        """Rows (source_table, reporting_month) of all that this ingest will change."""
        return " UNION ALL ".join(
            f"SELECT '{table.name}' AS source_table, reporting_month FROM ({query})"
            for table in DELIVERED
            for query in (self._movie_months() if table is MOVIES else self._months(table),)
        )

    def _day(self, column: str = "timestamp") -> str:
        return self.engine.day.format(column)

    def _months_of(self, days: str) -> str:
        """The months of the days that a query finds: there are many rows to a day."""
        month = self.engine.month.format("day")
        return f"SELECT DISTINCT {month} AS reporting_month FROM ({days}) AS days"

    def _movie_months(self) -> str:
        """The months in which changed movies have ratings, before or after, and 1970-01 if any
        movie changed."""
        without = f"SELECT {_literal(WITHOUT_MONTH)}"
        if not {MOVIES, RATINGS} & self.filled:
            # Every movie is new, and every rating is of one of them.
            return f"{self._months(RATINGS)} UNION DISTINCT {without} FROM {self.staged(MOVIES)}"
        after = self.staged(RATINGS) if self.snapshot else f"{self.compared(RATINGS)} WHERE counts"
        days = (
            f"SELECT DISTINCT {self._day()} AS day FROM rated "
            "WHERE movieId IN (SELECT movieId FROM changed)"
        )
        return (
            f"WITH changed AS (SELECT movieId FROM {self.compared(MOVIES)}), rated AS (SELECT "
            f"movieId, timestamp FROM {self.name(RATINGS)} UNION ALL SELECT movieId, timestamp "
            f"FROM {after}) {self._months_of(days)} UNION DISTINCT {without} FROM changed"
        )

    def _months(self, table: Table) -> str:
        """The months of ratings or tags that change: a snapshot is compared by one fingerprint per
        day, an append by key."""
        if not self.snapshot:
            compared = self.compared(table)
            return self._months_of(
                f"SELECT {self._day()} AS day FROM {compared} WHERE counts UNION DISTINCT "
                f"SELECT {self._day('old_timestamp')} FROM {compared} WHERE counts AND was_there"
            )
        if table not in self.filled:
            return self._months_of(
                f"SELECT DISTINCT {self._day()} AS day FROM {self.staged(table)}"
            )
        present, incoming = (
            f"(SELECT {self._day()} AS day, COUNT(*) AS n, "
            f"{self.engine.mix.format(_columns(table))} AS mix FROM {rows} GROUP BY day)"
            for rows in (self.name(table), self.staged(table))
        )
        return self._months_of(
            f"SELECT COALESCE(present.day, incoming.day) AS day FROM {present} AS present "
            f"FULL JOIN {incoming} AS incoming ON present.day = incoming.day "
            "WHERE present.n IS DISTINCT FROM incoming.n "
            "OR present.mix IS DISTINCT FROM incoming.mix"
        )

    def publish(self, ingest_id: int, months: Months, kept: Collection[int]) -> list[str]:
        """Puts the staged rows in place, and logs what that changes. kept: the deliveries whose
        logs stay. For a delivery into an empty table nothing is logged: undoing it empties it."""
        steps = []
        for table in DELIVERED:
            if table in self.filled and months[table.name]:
                steps += self._log(table, ingest_id)
            steps += self._exchange(table) if self.snapshot else self._upsert(table)
        numbers = ", ".join(map(str, kept))
        return steps + [
            f"DELETE FROM {self.name(log)} WHERE ingest_id NOT IN ({numbers})"
            for log in UNDO_LOGS.values()
        ]

    def reject(self, ingest_id: int) -> str:
        """Keeps the staged rejected lines."""
        columns = ", ".join(REJECTED_LINES.column_names[1:])
        return (
            f"INSERT INTO {self.name(REJECTED_LINES)} (ingest_id, {columns}) SELECT {ingest_id}, "
            f"{columns} FROM {self.staged(REJECTED_LINES)} ORDER BY file, line_number"
        )

    def _log(self, table: Table, ingest_id: int) -> list[str]:
        columns = _columns(table)
        into = (
            f"INSERT INTO {self.name(UNDO_LOGS[table])} (ingest_id, was_there, {columns}) "
            f"SELECT {ingest_id}"
        )
        compared = self.compared(table)
        was = "was_there" if self.snapshot else "counts AND was_there"
        return [
            f"{into}, FALSE, {columns} FROM {compared} WHERE counts",
            f"{into}, TRUE, {_old(table)} FROM {compared} WHERE {was}",
        ]

    def _exchange(self, table: Table) -> list[str]:
        names = {"table": self.name(table), "staged": self.staged(table), "short": table.name}
        return [step.format(**names, columns=_columns(table)) for step in self.engine.exchange]

    def _upsert(self, table: Table) -> list[str]:
        """What a MERGE says, as the two statements that it consists of."""
        columns = _columns(table)
        return [
            f"DELETE FROM {self.name(table)} WHERE {_key(table)} IN "
            f"(SELECT {_key(table)} FROM {self.compared(table)} WHERE counts AND was_there)",
            f"INSERT INTO {self.name(table)} ({columns}) "
            f"SELECT {columns} FROM {self.compared(table)} WHERE counts",
        ]


def record(engine: Engine, name: Name, entry: dict[str, Any], months: Months) -> list[str]:
    """Writes down an ingest and the months it changed; the tables are already as it left them.

    entry: its columns, except for the end and how many rows the tables have.
    """
    rows = ", ".join(
        f"({entry['ingest_id']}, '{table}', {_literal(month)})"
        for table, changed in months.items()
        for month in changed
    )
    values = {
        c: engine.value(c, v) for c, v in (entry | {"finished_at": datetime.now(UTC)}).items()
    }
    values |= {f"{t.name}_rows": f"(SELECT COUNT(*) FROM {name(t)})" for t in DELIVERED}
    changed = ", ".join(CHANGED_MONTHS.column_names)
    return [
        *([f"INSERT INTO {name(CHANGED_MONTHS)} ({changed}) VALUES {rows}"] if rows else []),
        f"INSERT INTO {name(INGESTS)} ({', '.join(INGESTS.column_names)}) "
        f"SELECT {', '.join(values[column] for column in INGESTS.column_names)}",
    ]


def logged_sql(name: Name, delivery: int) -> str:
    """Asks which tables have rows in the log of a delivery: rows (table)."""
    return " UNION ALL ".join(
        f"SELECT '{table.name}' AS source_table FROM {name(UNDO_LOGS[table])} "
        f"WHERE ingest_id = {delivery} GROUP BY ingest_id"
        for table in DELIVERED
    )


def months_sql(name: Name, delivery: int) -> str:
    """Asks which months a delivery changed: rows (table, month)."""
    return (
        f"SELECT source_table, reporting_month FROM {name(CHANGED_MONTHS)} "
        f"WHERE ingest_id = {delivery}"
    )


def months_by_table(rows: Iterable[tuple[str, date]]) -> Months:
    """The months of each delivered table, ascending, of rows (table, month)."""
    found = list(rows)
    return {
        table.name: tuple(sorted(month for name, month in found if name == table.name))
        for table in DELIVERED
    }


def undo(name: Name, delivery: int, emptied: Collection[str]) -> list[str]:
    """Brings the tables back to before the delivery, and drops its log.

    emptied: the tables that were empty before it: those with changed months and nothing logged.
    """
    statements = []
    for table in DELIVERED:
        log = name(UNDO_LOGS[table])
        if table.name in emptied:
            statements.append(f"TRUNCATE TABLE {name(table)}")
            continue
        columns = _columns(table)
        statements += [
            f"DELETE FROM {name(table)} WHERE {_key(table)} IN (SELECT {_key(table)} FROM {log} "
            f"WHERE ingest_id = {delivery} AND NOT was_there)",
            f"INSERT INTO {name(table)} ({columns}) SELECT {columns} FROM {log} "
            f"WHERE ingest_id = {delivery} AND was_there",
            f"DELETE FROM {log} WHERE ingest_id = {delivery}",
        ]
    return statements


def _literal(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _columns(table: Table) -> str:
    return ", ".join(table.column_names)


def _old(table: Table) -> str:
    return ", ".join((*table.key, *(f"old_{value}" for value in table.values)))


def _key(table: Table) -> str:
    return f"({', '.join(table.key)})"


def _same_key(table: Table) -> str:
    return " AND ".join(f"incoming.{name} = present.{name}" for name in table.key)


def _differs(table: Table) -> str:
    return " OR ".join(f"incoming.{name} IS DISTINCT FROM present.{name}" for name in table.values)


def _newer(table: Table) -> str:
    """Whether an incoming row counts and not the present one of its key."""
    condition = "TRUE" if not table.newest_by else "FALSE"
    for name, compares in reversed(table.newest_by):
        condition = (
            f"incoming.{name} {compares} present.{name} "
            f"OR (incoming.{name} = present.{name} AND ({condition}))"
        )
    return f"({condition})"
