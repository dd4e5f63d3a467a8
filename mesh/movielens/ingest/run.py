"""`ingest`: a delivery becomes the operational tables, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from mesh.deliveries import GENERATED
from mesh.errors import Location, MeshError, WrongUse
from mesh.files.scratch import scratch
from mesh.movielens.ingest.checks import fill_stage
from mesh.movielens.ingest.cloud import fetched, is_cloud
from mesh.movielens.ingest.failures import understood
from mesh.movielens.ingest.genres import Genres, genres_of
from mesh.movielens.ingest.history import History
from mesh.movielens.ingest.lake import lake_at
from mesh.movielens.ingest.limit import DEFAULT_LIMIT, check_limit, most_frequent, share
from mesh.movielens.ingest.progress import COMMITTING, Observer, Step, unobserved
from mesh.movielens.ingest.schema import DELIVERED, TAGS
from mesh.movielens.ingest.source import Delivery, open_source
from mesh.movielens.ingest.stage import Counts
from mesh.movielens.ingest.targets.base import Published, Record, Target
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget
from mesh.movielens.ingest.targets.statements import months_by_table
from mesh.project import BIGQUERY_GATEWAY, LOCAL_GATEWAY

# The share of a table's rows that may be gone after a full snapshot, or get other values by any
# delivery, without a word; and so few other values.
SHARE, FEW = 0.1, 20


@dataclass(frozen=True, kw_only=True)
class IngestResult(Published):
    """What an ingest did.

    nothing_changed: the delivery was the last one again; then ingest_id is that of the last one,
    counts is empty and nothing was recorded. counts: per table. undoes: the delivery that was
    undone, when the ingest is an undo. reasons: the most frequent ones for which lines were
    rejected. notes: sentences on what was loaded.
    """

    source: str
    mode: str
    nothing_changed: bool
    checksum: str
    counts: dict[str, Counts]
    seconds: float
    undoes: int | None = None
    reasons: str = ""
    notes: tuple[str, ...] = ()

    def total(self, what: str) -> int:
        """Sum of one of the counts over the tables."""
        return sum(getattr(counts, what) for counts in self.counts.values())

    @property
    def lines_read(self) -> int:
        return self.total("read")

    @property
    def lines_loaded(self) -> int:
        return self.total("loaded")

    @property
    def lines_rejected(self) -> int:
        return self.total("rejected")


def ingest(
    source: Path | str,
    *,
    database: Path,
    append: bool = False,
    max_rejected: str | float | Decimal = DEFAULT_LIMIT,
    contracts: Path | None = None,
    parquet: Path | None = None,
    now: datetime | None = None,
    target: Target | None = None,
    observer: Observer = unobserved,
) -> IngestResult:
    """Load a delivery into the operational tables.

    source: a folder or a .zip, here or as gs://bucket/prefix. append: upsert by key instead of
    replacing everything.
    max_rejected: the share of a table's lines that may be rejected. contracts: the folder with
    the contract that names the known genres. parquet: a folder to write the tables to as well.
    database: the DuckDB file.
    now: the latest timestamp that is accepted. target: another engine than the DuckDB file.
    observer: is told how far it is.

    Raises WrongUse when source or database cannot be used, CheckFailed when too many lines are
    rejected; the tables are then as they were.
    """
    started_at = datetime.now(UTC)
    mode = "append" if append else "snapshot"
    limit = share(max_rejected)
    genres = genres_of(contracts) if contracts else Genres()
    target = target or DuckDBTarget(database)
    with (
        understood(Path(source), database),
        _opened(source, observer) as delivery,
        lake_at(parquet) as lake,
        target.session(),
        scratch("mesh-ingest") as work,
        ThreadPoolExecutor(1) as pool,
    ):
        started, sizes = time.monotonic(), _stamps(delivery)
        history = target.history()
        digest = pool.submit(delivery.checksum)
        # Only when there is something to compare with is it worth waiting for the checksum.
        if history.newest and history.repeats(digest.result(), mode):
            published = Published(history.newest_id, months_by_table(()))
            counts, reasons, notes = dict[str, Counts](), "", list[str]()
        else:
            until = int((now or started_at).timestamp())
            stage = target.stage(mode)
            fill_stage(stage, delivery, genres=genres, work=work, now=until, observer=observer)
            if sizes != _stamps(delivery):
                raise WrongUse(
                    "the files changed while they were read.",
                    where=Location(Path(delivery.source)),
                    fix="Wait until they are complete, then run again.",
                )
            notes, reasons, counts = stage.notes, most_frequent(stage), stage.counts
            if mode == "snapshot":
                _refuse_to_empty(counts, delivery)
            name = f"{Path(delivery.source).stem}-{digest.result()[:12]}"
            check_limit(stage, limit, database.parent / "rejected", name)
            notes += _shrunk(counts, history) if mode == "snapshot" else _changed_past(history)
            observer(Step("publishing", 0.0))
            told = delivery.source + (GENERATED if delivery.generated else "")
            record = Record(told, digest.result(), mode, counts, started_at)
            published = target.publish(stage, record)
            notes += _rewritten(published, counts, history)
        if lake:
            observer(Step("writing Parquet", 0.0))
            target.export(lake)
        if counts:
            observer(Step(COMMITTING, 0.0))
            target.commit()
        if lake:
            lake.move_into_place()
    return IngestResult(
        **vars(published),
        source=delivery.source,
        mode=mode,
        nothing_changed=not counts,
        checksum=digest.result(),
        counts=counts,
        seconds=time.monotonic() - started,
        reasons=reasons,
        notes=tuple(notes),
    )


@contextmanager
def _opened(source: Path | str, observer: Observer) -> Iterator[Delivery]:
    """The delivery of a source; one in Cloud Storage goes by its URL, wherever it is now."""
    if not is_cloud(source):
        with open_source(Path(source)) as delivery:
            yield delivery
        return
    with fetched(str(source), observer) as folder:
        try:
            with open_source(folder) as delivery:
                yield replace(delivery, source=str(source))
        except MeshError as error:
            # A path shows neither where the files lie in the cloud nor the two slashes of a URL.
            for local in (str(folder), str(Path(source))) if error.where else ():
                if str(error.where).startswith(local):
                    name = str(error.where).removeprefix(local)
                    message = f"{str(source).rstrip('/')}{name}: {error.message}"
                    raise type(error)(message, fix=error.fix) from error
            raise


def _refuse_to_empty(counts: Mapping[str, Counts], delivery: Delivery) -> None:
    """Raise WrongUse when a full snapshot would leave a table without a row."""
    for files in delivery.files:
        if files.table is not TAGS and not counts[files.table.name].read:
            raise WrongUse(
                f"there is no line of {files.table.name}, and a full snapshot without any "
                "would empty the table.",
                where=Location(Path(delivery.source) / files.names[0]),
                fix="Export it again, or use --append for a delivery without them.",
            )


def _shrunk(counts: Mapping[str, Counts], history: History) -> list[str]:
    """What is said of tables that a full snapshot leaves with far fewer rows than they had."""
    return [
        f"{table.name}: {rows:,} rows, where there were {before:,}. A full snapshot takes away "
        "what it does not hold; if this one is not whole, take it back with `mesh ingest --undo`."
        for table in DELIVERED
        if (before := history.rows_now.get(table.name) or 0)
        and (rows := counts[table.name].loaded) < (1 - SHARE) * before
    ]


def _rewritten(published: Published, counts: Mapping[str, Counts], history: History) -> list[str]:
    """What is said of tables of which a delivery changes much that stood there: titles that are
    shifted by a line are titles all the same."""
    notes = []
    for table in DELIVERED:
        before = history.rows_now.get(table.name) or 0
        many = {
            column: f"{column} in {rows:,}" if column else f"away {rows:,}"
            for column in (*table.values, "")
            if (rows := published.values.get((table.name, column), 0)) > max(SHARE * before, FEW)
        }
        if told := " and ".join(text for column, text in many.items() if column):
            done = f"changes {told}"
        elif many and counts[table.name].loaded >= (1 - SHARE) * before:
            done = f"takes {many['']}, and brings others"
        else:
            continue
        notes.append(
            f"{table.name}: of {before:,} rows that stood there this delivery {done}. If nobody "
            "meant it, take it back with `mesh ingest --undo`."
        )
    return notes


def _changed_past(history: History) -> list[str]:
    """What is said of tables that hold other rows than the delivery before left."""
    return [
        f"{name}: {now:,} rows stood there, and {rows:,} after ingest {history.newest_id}: "
        "something else changed it since. What is added now stands on that; if nobody meant it, "
        "deliver all of it again without `--append`."
        for name, now, rows in history.touched
    ]


def _stamps(delivery: Delivery) -> list[tuple[int, int]]:
    """Size and modification time of every file."""
    stats = [path.stat() for files in delivery.files for path in files.paths]
    return [(stat.st_size, stat.st_mtime_ns) for stat in stats]


def target_for(gateway: str | None, observer: Observer = unobserved) -> Target | None:
    """The engine that a gateway's name stands for; None for the local DuckDB file.

    observer: is told how far the engine's own jobs are.
    """
    if gateway in (None, LOCAL_GATEWAY):
        return None
    if gateway == BIGQUERY_GATEWAY:
        from mesh.movielens.ingest.targets.bigquery import BigQueryTarget

        return BigQueryTarget(observer)
    raise WrongUse(
        f"the operational tables are in no gateway {gateway!r}.",
        fix=f"Use --gateway {LOCAL_GATEWAY} or --gateway {BIGQUERY_GATEWAY}.",
    )
