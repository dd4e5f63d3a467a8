"""What was delivered to the sources, as models and environments count it.

Every ingest has a number and writes down which months of which table it changed. A model that
reads a source table carries, as SQLMesh's `stamp`, the newest delivery that changed that
table. So a delivery makes new versions of just the models that it reaches, and a table of a version
holds the deliveries up to its stamp, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.deliveries import CHANGED_MONTHS, GENERATED, INGESTS, WITHOUT_MONTH, months_after
from mesh.environments.sources import Delivered
from mesh.errors import WrongUse
from mesh.settings import Source
from mesh.words import many

if TYPE_CHECKING:
    from sqlmesh.core.engine_adapter import EngineAdapter

# What stands before the number in a stamp.
PREFIX = "delivery"
Months = frozenset[date]
# Which months changed is not known: any may have.
UNKNOWN = None


@dataclass(frozen=True)
class Delivery:
    """One ingest, or what was found in the tables without one.

    months: the first days of the changed months by table; UNKNOWN for all of a table. A table that
    it did not change is not among them. found: rows of the tables where they are not those that the
    ingest left, so that somebody else changed them. newest: where the months are not known, the
    newest that there is.
    """

    number: int
    finished_at: datetime
    mode: str
    source: str
    months: dict[str, Months | None]
    found: str = ""
    newest: date | None = None

    @property
    def stamp(self) -> str:
        """What identifies it: numbers begin anew where the source tables are made anew."""
        moment = f"{self.finished_at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        return f"{PREFIX} {self.number} of {moment}{self.found and f', {self.found}'}"

    @property
    def changed_months(self) -> Months:
        """All known months, each once."""
        known = [months for months in self.months.values() if months]
        return frozenset().union(*known) - {WITHOUT_MONTH}


@dataclass(frozen=True)
class DeliveryLog:
    """All deliveries to these sources, in their order."""

    delivered: Delivered = field(default_factory=Delivered)
    deliveries: tuple[Delivery, ...] = ()

    @cached_property
    def _place(self) -> dict[str, int]:
        return {delivery.stamp: place for place, delivery in enumerate(self.deliveries)}

    def newest(self, table: str) -> Delivery | None:
        """The newest delivery that changed a table."""
        changed = (d for d in reversed(self.deliveries) if table in d.months)
        return next(changed, None)

    def changed(self, table: str, since: str | None, until: str | None) -> Months | None:
        """The months of a table that changed from one stamp to another that is not older; UNKNOWN
        if that cannot be told."""
        first, last = self._place.get(since or "", -1), self._place.get(until or "", -1)
        if first < 0 or last < first:
            return UNKNOWN
        months: set[date] = set()
        for delivery in self.deliveries[first + 1 : last + 1]:
            if table not in delivery.months:
                continue
            known = delivery.months[table]
            if known is UNKNOWN:
                return UNKNOWN
            months |= known
        return frozenset(months)

    def newest_month(self, tables: Iterable[str], stamps: dict[str, str]) -> date | None:
        """The newest month that any delivery up to these stamps may have changed; None without
        one."""
        months: set[date] = set()
        for table in tables:
            last = self._place.get(stamps.get(table, ""), -1)
            for delivery in self.deliveries[: last + 1]:
                months |= delivery.months.get(table) or frozenset()
                if table in delivery.months and delivery.newest:
                    months.add(delivery.newest)
        months.discard(WITHOUT_MONTH)
        return max(months, default=None)

    def lacking(self, stamps: dict[str, str | None]) -> tuple[Delivery, ...]:
        """The deliveries that are not in tables with these stamps, in their order."""
        # A stamp of no delivery is of rows from before all of them.
        held = {table: self._place.get(stamp or "", -1) for table, stamp in stamps.items()}
        return tuple(
            delivery
            for place, delivery in enumerate(self.deliveries)
            if any(table in delivery.months and place > last for table, last in held.items())
        )

    def shown(self, stamps: dict[str, str | None]) -> Delivery | None:
        """The newest delivery such that it and all before it are in tables with these stamps."""
        lacking = self.lacking(stamps)
        before = self.deliveries[: self._place[lacking[0].stamp]] if lacking else self.deliveries
        return before[-1] if before else None

    def standing(self, until: Delivery | None = None) -> list[Delivery]:
        """What was delivered and not taken back, in its order; until: the last that counts."""
        standing: list[Delivery] = []
        last = self._place[until.stamp] + 1 if until else None
        for delivery in self.deliveries[:last]:
            if delivery.mode == "undo":
                del standing[-1:]
            elif delivery.mode != "erase" and not delivery.found:
                standing.append(delivery)
        return standing

    @property
    def is_generated(self) -> bool:
        """Whether any of what was delivered, and stands, is generated and not real."""
        standing = self.standing()
        snapshots = [place for place, one in enumerate(standing) if one.mode == "snapshot"]
        whole = standing[snapshots[-1] :] if snapshots else standing
        return any(one.source.endswith(GENERATED) for one in whole)

    def is_mixed(self, stamps: dict[str, str | None]) -> bool:
        """Whether tables with these stamps show a delivery, but not all before it."""
        lacking = self.lacking(stamps)
        held = [self._place.get(stamp or "", -1) for stamp in stamps.values()]
        return bool(lacking) and max(held) > self._place[lacking[0].stamp]


def numbered(deliveries: Sequence[Delivery]) -> str:
    """`delivery 3`, `deliveries 3, 5` or `deliveries 3 to 5`."""
    numbers = sorted({delivery.number for delivery in deliveries})
    listed = ", ".join(map(str, numbers))
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        listed = f"{numbers[0]} to {numbers[-1]}"
    return f"{'delivery' if len(numbers) == 1 else 'deliveries'} {listed}"


def told(deliveries: Sequence[Delivery]) -> str:
    """Deliveries by their numbers, with the months that they changed."""
    these = numbered(deliveries)
    if found := "; ".join(delivery.found for delivery in deliveries if delivery.found):
        return f"what somebody else changed after {these} ({found})"
    if any(None in delivery.months.values() for delivery in deliveries):
        return f"{these} (any months)"
    months = sorted({month for delivery in deliveries for month in delivery.changed_months})
    count = many(len(months), "month")
    span = f", {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if len(months) > 1 else ""
    span = span or (f", {months[0]:%Y-%m}" if months else "")
    return f"{these} ({count}{span})"


def as_of(log: DeliveryLog) -> datetime:
    """As of when models run: now, or the end of the newest delivered month if that is later.

    SQLMesh builds whole months. A month that is under way is built as far as it was delivered. Nor
    does a clock that is behind keep a delivered month out.
    """
    now = datetime.now(UTC)
    names = log.delivered.names
    newest = log.newest_month(names, {t: d.stamp for t in names if (d := log.newest(t))})
    if newest is None:
        return now
    end = months_after(newest)
    return max(now, datetime(end.year, end.month, 1, tzinfo=UTC))


def read_deliveries(adapter: EngineAdapter, delivered: Delivered) -> DeliveryLog:
    """The deliveries to the sources that an engine holds; none where there are none.

    One query, of one moment: what is recorded, what was written down, and what is there.
    """
    names, schema = delivered.names, delivered.schema
    ingests, changed = (exp.to_table(f"{schema}.{name}") for name in (INGESTS, CHANGED_MONTHS))
    if not schema or not adapter.table_exists(ingests):
        return DeliveryLog(delivered)
    columns = ["finished_at", "mode", "source", "changed_months"]
    counts = [f"{table}_rows" for table in names]
    counted = set(counts) <= set(adapter.columns(ingests))
    if counted:
        columns += counts
    numbers = (exp.column("ingest_id", side) for side in ("recorded", "written"))
    number = exp.func("COALESCE", *numbers)
    query = (
        exp.select(number, *(exp.column(name, "recorded") for name in columns), "written.months")
        .from_(ingests.as_("recorded"))
        .join(
            _written(changed).subquery("written"),
            on="recorded.ingest_id = written.ingest_id",
            join_type="full",
        )
    )
    if counted:
        there = (exp.select("COUNT(*)").from_(f"{schema}.{name}").subquery() for name in names)
        query = query.select(*there)
    try:
        found = adapter.fetchall(query.order_by("1"))
    except Exception as error:
        gone = [f"{schema}.{n}" for n in names if not adapter.table_exists(f"{schema}.{n}")]
        if not gone:
            raise
        raise WrongUse(
            f"{', '.join(gone)}: {'these tables' if len(gone) > 1 else 'this table'} of deliveries "
            "is gone, so nothing was done; environments show what they showed.",
            fix="Deliver all of it again, which makes it anew, or put a copy of the database in "
            "its place.",
        ) from error
    places = len(columns) + 2
    rows = [tuple(row)[:places] for row in found]
    deliveries = [_delivery(row, names) for row in rows]
    recorded = [row for row in rows if row[1] is not None]
    if recorded and counted:
        left = dict(zip(names, recorded[-1][5:-1], strict=True))
        now = dict(zip(names, tuple(found[0])[places:], strict=True))
        deliveries += _found(adapter, delivered, deliveries[-1], left, now)
    return DeliveryLog(delivered, tuple(deliveries))


def _written(changed: exp.Table) -> exp.Select:
    """By ingest the changed months, each as table and day in one text."""
    day = exp.cast(exp.column("reporting_month"), "text")
    text = exp.func("CONCAT", exp.column("source_table"), exp.Literal.string(" "), day)
    months = exp.ArrayAgg(this=text).as_("months")
    return exp.select("ingest_id", months).from_(changed).group_by("ingest_id")


def _delivery(row: tuple[Any, ...], names: Sequence[str]) -> Delivery:
    """The delivery of a row of `ingests`; if its months are not those that it counted, somebody
    lost some of them, and any may have changed.

    Without a row, just the months of a delivery are known: its record was lost or never made.
    """
    number, finished_at, mode, source, counted, *_, texts = row
    written: dict[str, set[date]] = {}
    for text in texts if texts is not None else ():
        name, _, day = text.rpartition(" ")
        written.setdefault(name, set()).add(date.fromisoformat(day))
    months: dict[str, Months | None] = {name: frozenset(found) for name, found in written.items()}
    if finished_at is None:
        return Delivery(number, datetime.fromtimestamp(0, UTC), "unrecorded", "", months)
    together = set().union(*written.values()) - {WITHOUT_MONTH}
    recorded = set(counted if counted is not None else ())
    if together != recorded:
        months = dict.fromkeys(names, UNKNOWN)
    if finished_at.tzinfo is None:
        finished_at = finished_at.replace(tzinfo=UTC)
    newest = max(recorded | together, default=None)
    return Delivery(number, finished_at, mode, source, months, newest=newest)


def _found(
    adapter: EngineAdapter,
    delivered: Delivered,
    last: Delivery,
    recorded: dict[str, int | None],
    now: dict[str, int],
) -> list[Delivery]:
    """What stands in the tables after somebody else than an ingest changed them."""
    counted_once = [name for name in delivered.names if recorded[name] is not None]
    other = {name: UNKNOWN for name in counted_once if now[name] != recorded[name]}
    if not other:
        return []
    found = ", ".join(f"{now[name]} rows found in {name}" for name in other)
    times = [_newest_month(adapter, table) for table in delivered.tables if table.name in other]
    newest = max(filter(None, times), default=None)
    return [Delivery(last.number, last.finished_at, "found", "", dict(other), found, newest)]


def _newest_month(adapter: EngineAdapter, table: Source) -> date | None:
    """The newest month of a table that is not in the future, where no rule lets a row be."""
    if table.time is None:
        return None
    at = exp.column(table.time, quoted=True)
    latest = exp.cast(exp.Literal.string(datetime.now(UTC).isoformat(sep=" ")), "timestamptz")
    query = exp.select(exp.func("MAX", at)).from_(table.product).where(at <= latest)
    (found,) = adapter.fetchone(query) or (None,)
    return found.astimezone(UTC).date().replace(day=1) if found else None
