"""`erase`: what users did is taken out of the operational tables, for good.

It is an ingest with months of its own, so that every environment can tell that it still shows these
users. It cannot be undone, and it leaves no way back: the logs by which deliveries are undone, and
the rejected lines, forget these users too. Nothing names them afterwards.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from mesh.errors import WrongUse
from mesh.movielens.ingest.failures import understood
from mesh.movielens.ingest.history import ERASE, LOAD
from mesh.movielens.ingest.progress import COMMITTING, Observer, Step, unobserved
from mesh.movielens.ingest.rules import LARGEST_INTEGER, SMALLEST_ID
from mesh.movielens.ingest.run import IngestResult
from mesh.movielens.ingest.schema import DELIVERED, RATINGS, REJECTED_LINES, SCHEMA, TAGS, UNDO_LOGS
from mesh.movielens.ingest.stage import Counts
from mesh.movielens.ingest.targets.base import Published, Record, Target
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget
from mesh.movielens.ingest.targets.statements import months_by_table
from mesh.words import joined, listed, many

OF_USERS = (RATINGS, TAGS)
ERASED = "erased"
_SOURCE_TOO = "Let the source erase them as well: a delivery that has them brings them back."
_NEXT = (
    "Next, for each environment that shows them: `mesh refresh <environment>`. Then `sqlmesh "
    "janitor --ignore-ttl` takes away the tables that no environment shows any more; no rollback "
    "leads back to them."
)


def erase(
    users: Collection[int],
    *,
    database: Path,
    target: Target | None = None,
    observer: Observer = unobserved,
) -> IngestResult:
    """Erase users, by their ids, from ratings, tags, rejected lines and the logs of deliveries.

    database, target, observer: as for `ingest`. Where nothing of them is left, nothing is recorded.
    Raises WrongUse for an id that none can have, where nothing was ever ingested, and where
    something else changed the tables since: no environment would know of that any more.
    """
    for user in users:
        if not SMALLEST_ID <= user <= LARGEST_INTEGER:
            raise WrongUse(f"no user can have the id {user}.", fix="Ids are counted from 1.")
    started, started_at = time.monotonic(), datetime.now(UTC)
    target = target or DuckDBTarget(database)
    counts = {table.name: Counts(0, 0, 0) for table in DELIVERED}
    with understood(database, database), target.session():
        newest = target.history().newest
        if newest is None:
            raise WrongUse("nothing was ever ingested, so there is nothing to erase.", fix=LOAD)
        target.past.refuse_touched()
        observer(Step("erasing", 0.0))
        erasing = _Erasing(target, ", ".join(map(str, sorted(set(users)))))
        found = erasing.found()
        theirs = {user for _, user in found}
        nameless = erasing.nameless() if found else 0
        source = f"erasure of {many(len(theirs), 'user')}"
        published = Published(target.past.newest_id, {})
        if found:
            published = Published(target.past.newest_id + 1, erasing.months())
            # The time of the ingest before tells it from one of the same number in other tables.
            before = int(newest.finished_at.timestamp() * 1_000_000)
            whose = hashlib.sha256(erasing.theirs.encode()).hexdigest()[:16]
            job = f"mesh-erase-{published.ingest_id}-{before}-{whose}"
            record = Record(source, "", ERASE, counts, started_at)
            target.prepare(job, erasing.steps() + target.recorded(published, record), source)
            observer(Step(COMMITTING, 0.0))
            target.commit()
    rows: Counter[str] = Counter()
    for (what, _), count in found.items():
        rows[what] += count
    told = [many(count, what) for what, count in rows.items()]
    missing = [str(user) for user in sorted(set(users) - theirs)]
    notes = [f"Erased: {joined(told)}."] if found else []
    if nameless:
        notes.append(
            f"{many(nameless, 'rejected line')} of ratings or tags begin with no number: look in "
            f"{SCHEMA}.{REJECTED_LINES.name} whether they are about them."
        )
    if missing:
        notes.append(f"Nothing is there of {listed(missing, 10)}.")
    return IngestResult(
        **vars(published),
        source=source,
        mode=ERASE,
        nothing_changed=not found,
        checksum="",
        counts=counts,
        seconds=time.monotonic() - started,
        notes=(*notes, *((_SOURCE_TOO, _NEXT) if found else ())),
    )


class _Erasing:
    """The statements that erase users. users: their ids, as SQL; no other text stands in them."""

    def __init__(self, target: Target, users: str) -> None:
        self.target = target
        self.theirs = f"userId IN ({users})"
        self.of_line = target.engine.number.format("raw_text")
        # Of a movie the first number is no user's.
        of_users = target.engine.matches.format("LOWER(file)", "(^|[/.])(ratings?|tags?)([./]|$)")
        self.lines = f"{of_users} AND reason <> '{ERASED}'"
        self.their_lines = f"{self.of_line} IN ({users}) AND {self.lines}"

    def found(self) -> dict[tuple[str, int], int]:
        """How many rows there are, by what they are and whose."""
        places = [
            *((table.name.removesuffix("s"), table, "userId", self.theirs) for table in OF_USERS),
            *(("undo row", UNDO_LOGS[table], "userId", self.theirs) for table in OF_USERS),
            ("rejected line", REJECTED_LINES, self.of_line, self.their_lines),
        ]
        asked = [
            f"SELECT '{what}' AS what, {user} AS user_id FROM {self.target.name(table)} "
            f"WHERE {theirs}"
            for what, table, user, theirs in places
        ]
        counted = self.target.ask(
            f"SELECT what, user_id, COUNT(*) FROM ({' UNION ALL '.join(asked)}) AS rows_of_users "
            "GROUP BY what, user_id ORDER BY what, user_id"
        )
        return {(what, int(user)): count for what, user, count in counted}

    def nameless(self) -> int:
        """How many rejected lines of users tell no user: it may be any."""
        lines = self.target.name(REJECTED_LINES)
        asked = f"SELECT COUNT(*) FROM {lines} WHERE {self.of_line} IS NULL AND {self.lines}"
        return next(iter(self.target.ask(asked)))[0]

    def months(self) -> dict[str, tuple]:
        """By table, the months in which they did something."""
        month = self.target.engine.month.format(self.target.engine.day.format("timestamp"))
        return months_by_table(
            self.target.ask(
                " UNION DISTINCT ".join(
                    f"SELECT '{table.name}' AS source_table, {month} AS reporting_month "
                    f"FROM {self.target.name(table)} WHERE {self.theirs}"
                    for table in OF_USERS
                )
            )
        )

    def steps(self) -> list[str]:
        """Takes the rows out. An entry of a log stays, empty: by having one, a log tells that the
        table had rows before its delivery."""
        steps = []
        for table in OF_USERS:
            emptied = ", ".join(f"{name} = NULL" for name in table.column_names)
            steps += [
                f"DELETE FROM {self.target.name(table)} WHERE {self.theirs}",
                f"UPDATE {self.target.name(UNDO_LOGS[table])} SET was_there = FALSE, {emptied} "
                f"WHERE {self.theirs}",
            ]
        lines = self.target.name(REJECTED_LINES)
        return [
            *steps,
            f"UPDATE {lines} SET raw_text = '', reason = '{ERASED}' WHERE {self.their_lines}",
        ]
