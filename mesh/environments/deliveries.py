"""What was delivered to the operational tables, as models and environments count it.

Every ingest has a number and writes down which months of which table it changed. A model that
reads an operational table carries, as SQLMesh's `stamp`, the newest delivery that changed that
table. So a delivery makes new versions of just the models that it reaches, and a table of a version
holds the deliveries up to its stamp, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.environments.names import months_after
from mesh.ingest.schema import CHANGED_MONTHS, DELIVERED, INGESTS, SCHEMA
from mesh.ingest.targets.base import ANY_MOVIE_CHANGED

if TYPE_CHECKING:
    from sqlmesh.core.engine_adapter import EngineAdapter

TABLES = tuple(table.name for table in DELIVERED)
# What stands before the number in a stamp.
PREFIX = "delivery"
Months = frozenset[date]
# Which months changed is not known: any may have.
UNKNOWN = None


@dataclass(frozen=True)
class Delivery:
    """One ingest, or what was found in the tables without one.

    months: the first days of the changed months by table; UNKNOWN for all of a table. A table that
    it did not change is not among them. reach: the newest month that may be among the unknown ones.
    found: rows of the tables where they are not those that the
    ingest left, so that somebody else changed them.
    """

    number: int
    finished_at: datetime
    mode: str
    source: str
    months: dict[str, Months | None]
    reach: date | None = None
    found: str = ""

    @property
    def stamp(self) -> str:
        """What identifies it: numbers begin anew where operational tables are made anew."""
        moment = f"{self.finished_at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        return f"{PREFIX} {self.number} of {moment}{self.found and f', {self.found}'}"

    @property
    def changed_months(self) -> Months:
        """All known months, each once."""
        known = [months for months in self.months.values() if months]
        return frozenset().union(*known) - {ANY_MOVIE_CHANGED}


@dataclass(frozen=True)
class DeliveryLog:
    """All deliveries, in their order."""

    deliveries: tuple[Delivery, ...] = ()

    @cached_property
    def _place(self) -> dict[str, int]:
        return {delivery.stamp: place for place, delivery in enumerate(self.deliveries)}

    def newest(self, table: str) -> Delivery | None:
        """The newest delivery that changed a table."""
        changed = (d for d in reversed(self.deliveries) if table in d.months)
        return next(changed, None)

    def since(self, table: str, stamp: str | None) -> tuple[Delivery, ...] | None:
        """The deliveries after a stamp that changed a table; None for a stamp of no delivery."""
        if stamp not in self._place:
            return None
        later = self.deliveries[self._place[stamp] + 1 :]
        return tuple(delivery for delivery in later if table in delivery.months)

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
                if (
                    table in delivery.months
                    and delivery.months[table] is UNKNOWN
                    and delivery.reach
                ):
                    months.add(delivery.reach)
        months.discard(ANY_MOVIE_CHANGED)
        return max(months, default=None)

    def lacking(self, stamps: dict[str, str | None]) -> tuple[Delivery, ...]:
        """The deliveries that are not in tables with these stamps, in their order."""
        missed = set()
        for table, stamp in stamps.items():
            later = self.since(table, stamp)
            if later is None:
                later = tuple(d for d in self.deliveries if table in d.months)
            missed |= {delivery.stamp for delivery in later}
        return tuple(d for d in self.deliveries if d.stamp in missed)

    def shown(self, stamps: dict[str, str | None]) -> Delivery | None:
        """The newest delivery such that it and all before it are in tables with these stamps."""
        lacking = self.lacking(stamps)
        before = self.deliveries[: self._place[lacking[0].stamp]] if lacking else self.deliveries
        return before[-1] if before else None

    def is_mixed(self, stamps: dict[str, str | None]) -> bool:
        """Whether tables with these stamps show a delivery, but not all before it."""
        lacking = self.lacking(stamps)
        if not lacking:
            return False
        first = self._place[lacking[0].stamp]
        return any(self._place.get(stamp or "", -1) > first for stamp in stamps.values())


def as_of(log: DeliveryLog, now: datetime | None = None) -> datetime:
    """As of when models run: now, or the end of the newest delivered month if that is later.

    SQLMesh builds whole months. A month that is under way is built as far as it was delivered. Nor
    does a clock that is behind keep a delivered month out.
    """
    now = now or datetime.now(UTC)
    newest = log.newest_month(TABLES, {t: d.stamp for t in TABLES if (d := log.newest(t))})
    if newest is None:
        return now
    end = months_after(newest)
    return max(now, datetime(end.year, end.month, 1, tzinfo=UTC))


def read_deliveries(adapter: EngineAdapter) -> DeliveryLog:
    """The deliveries to the operational tables that an engine holds; none where there are none."""
    tables = {name: exp.to_table(f"{SCHEMA}.{name}") for name in (INGESTS.name, *TABLES)}
    if not adapter.table_exists(tables[INGESTS.name]):
        return DeliveryLog()
    columns = ["ingest_id", "finished_at", "mode", "source", "changed_months"]
    counts = [f"{table}_rows" for table in TABLES]
    counted = set(counts) <= set(adapter.columns(tables[INGESTS.name]))
    query = exp.select(*columns, *(counts if counted else ())).from_(tables[INGESTS.name])
    rows = adapter.fetchall(query.order_by("ingest_id"))
    written = _written_months(adapter)
    deliveries = [_delivery(row, written.pop(row[0], {})) for row in rows]
    deliveries += [_unrecorded(number, months) for number, months in written.items()]
    deliveries.sort(key=lambda delivery: delivery.number)
    if rows and counted:
        recorded = dict(zip(TABLES, rows[-1][len(columns) :], strict=True))
        deliveries += _found(adapter, deliveries[-1], recorded)
    return DeliveryLog(tuple(deliveries))


def _written_months(adapter: EngineAdapter) -> dict[int, dict[str, set[date]]]:
    table = exp.to_table(f"{SCHEMA}.{CHANGED_MONTHS.name}")
    written: dict[int, dict[str, set[date]]] = {}
    if adapter.table_exists(table):
        query = exp.select("ingest_id", "source_table", "reporting_month").from_(table)
        for number, name, month in adapter.fetchall(query):
            written.setdefault(number, {}).setdefault(name, set()).add(month)
    return written


def _delivery(row: tuple[Any, ...], written: dict[str, set[date]]) -> Delivery:
    """The delivery of a row of `ingests`; if its months are not those that it counted, somebody
    lost some of them, and any may have changed."""
    number, finished_at, mode, source, counted, *_ = row
    together = set().union(*written.values()) - {ANY_MOVIE_CHANGED}
    months: dict[str, Months | None] = {name: frozenset(found) for name, found in written.items()}
    all_counted = set(counted if counted is not None else ())
    if together != all_counted:
        months = dict.fromkeys(TABLES, UNKNOWN)
    if finished_at.tzinfo is None:
        finished_at = finished_at.replace(tzinfo=UTC)
    reach = max(all_counted | together, default=None)
    return Delivery(number, finished_at, mode, source, months, reach)


def _unrecorded(number: int, written: dict[str, set[date]]) -> Delivery:
    """A delivery of which only the changed months are known: its record was lost or never made."""
    months = {name: frozenset(found) for name, found in written.items()}
    return Delivery(number, datetime.fromtimestamp(0, UTC), "unrecorded", "", dict(months))


def _found(
    adapter: EngineAdapter, last: Delivery, recorded: dict[str, int | None]
) -> list[Delivery]:
    """What stands in the tables after somebody else than an ingest changed them."""
    counted = {name: exp.select("COUNT(*)").from_(f"{SCHEMA}.{name}") for name in TABLES}
    query = exp.select(*(exp.Subquery(this=q).as_(name) for name, q in counted.items()))
    now = dict(zip(TABLES, adapter.fetchone(query) or (), strict=True))
    counted_once = [name for name in TABLES if recorded[name] is not None]
    other = {name: UNKNOWN for name in counted_once if now[name] != recorded[name]}
    if not other:
        return []
    found = ", ".join(f"{now[name]} rows found in {name}" for name in other)
    reach = _newest_month_there(adapter)
    return [Delivery(last.number, last.finished_at, "found", "", dict(other), reach, found)]


def _newest_month_there(adapter: EngineAdapter) -> date | None:
    """The newest month that the operational tables have rows of."""
    newest = []
    for table in DELIVERED:
        if table.month_of:
            time = exp.func("MAX", exp.column(table.month_of, quoted=True))
            newest += adapter.fetchone(exp.select(time).from_(f"{SCHEMA}.{table.name}")) or ()
    moments = [
        moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in newest if moment
    ]
    latest = max(moments, default=None)
    return latest.astimezone(UTC).date().replace(day=1) if latest else None
