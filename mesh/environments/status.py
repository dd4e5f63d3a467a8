"""`mesh status`: what stands in an environment, and what does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.utils.date import to_datetime

from mesh.contracts import Contract, usable_contracts
from mesh.environments.deliveries import read_deliveries
from mesh.environments.names import is_public, short_name
from mesh.environments.opened import Opened
from mesh.environments.repair import lost
from mesh.environments.versions import names_of_partly_built, stamps_of

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.snapshot import Snapshot

    from mesh.environments.deliveries import Delivery

# Contracts of this status say that their product is there.
PROMISED = ("active", "deprecated")


@dataclass(frozen=True)
class ProductStatus:
    """One data product in an environment.

    rows: how many there are; None if it cannot be read. newest_month: the first day of the month of
    the newest row, by the column on whose age the contract has a word; None without either.
    changed_at: when its rows were last written, or those of the tables under it, UTC. fresh:
    whether it is as young as its contract promises, today; None if that promises nothing. age_days:
    of its newest moment.
    """

    product: str
    view: str
    rows: int | None
    newest_month: date | None
    changed_at: datetime | None
    fresh: bool | None
    age_days: int | None


@dataclass(frozen=True)
class EnvironmentStatus:
    """An environment, its data products, and the deliveries that it shows.

    shows: the newest delivery such that it and all before it are shown; None if there is none.
    lacking: the deliveries that it does not show yet, in their order. mixed: whether it shows some
    of them in some products. lost: models whose table or view is gone. absent: products of
    the project that it does not have, as after a plan of some models. unbuilt: models that lack
    months, as after a plan with a start.
    """

    environment: str
    planned_at: datetime | None
    shows: Delivery | None
    lacking: tuple[Delivery, ...]
    mixed: bool
    lost: tuple[str, ...]
    absent: tuple[str, ...]
    unbuilt: tuple[str, ...]
    products: tuple[ProductStatus, ...]

    @property
    def late(self) -> tuple[ProductStatus, ...]:
        """The products that are older than their contracts promise."""
        return tuple(product for product in self.products if product.fresh is False)


def status(opened: Opened, name: str, *, now: datetime | None = None) -> EnvironmentStatus:
    """What stands in an environment: deliveries, rows, newest months, and what is missing.

    now: the day of use that freshness is measured against.
    """
    with opened.readable_errors():
        environment = opened.environment(name)
        snapshots = opened.snapshots(environment)
        adapter = opened.context.engine_adapter
        log = read_deliveries(adapter, opened.delivered)
        stamps = stamps_of(snapshots.values(), opened.delivered)
        gone = lost(opened.context.state_reader, adapter, environment).names
        contracts = usable_contracts(opened.project.contracts)
        public = {
            short_name(s.name)
            for s in snapshots.values()
            if is_public(s.name) and not s.is_embedded
        }
        public |= {
            product
            for product, contract in contracts.items()
            if contract.status in PROMISED and product not in opened.project.sources
        }
        now = now or opened.project.day_of_use or datetime.now(UTC)
        return EnvironmentStatus(
            environment=environment.name,
            planned_at=_utc(environment.finalized_ts),
            shows=log.shown(stamps),
            lacking=log.lacking(stamps),
            mixed=log.is_mixed(stamps),
            lost=gone,
            absent=tuple(sorted(public - opened.there(environment).keys())),
            unbuilt=names_of_partly_built(snapshots.values(), environment),
            products=tuple(
                _product(
                    opened,
                    environment,
                    snapshot,
                    contracts.get(product),
                    _built_under(snapshots, snapshot),
                    now=now,
                    may_fail=bool(gone),
                )
                for product, snapshot in opened.products(environment).items()
            ),
        )


def _built_under(snapshots: Mapping[str, Snapshot], snapshot: Snapshot) -> list[Snapshot]:
    """The tables that hold the rows of a version: its own, or under a view those that it reads."""
    if not (snapshot.is_view or snapshot.is_embedded):
        return [snapshot]
    parents = [snapshots[p.name] for p in snapshot.parents if p.name in snapshots]
    built = [p for p in parents if not p.is_external]
    return [table for parent in built for table in _built_under(snapshots, parent)]


def _product(
    opened: Opened,
    environment: Environment,
    snapshot: Snapshot,
    contract: Contract | None,
    tables: list[Snapshot],
    *,
    now: datetime,
    may_fail: bool,
) -> ProductStatus:
    """now: the day of use. may_fail: whether a table of the environment is gone, so that a view may
    not be readable."""
    view = opened.view(snapshot, environment)
    level = contract.service_level("freshness") if contract else None
    rows: int | None = None
    latest = None
    try:
        # The contract of the files may speak of a column that is not there yet.
        columns = opened.context.engine_adapter.columns(view) if level else {}
        time = level.element if level and level.element in columns else None
        newest = exp.func("MAX", exp.column(time)) if time else exp.Null()
        rows, latest = opened.rows(exp.select(exp.Count(this=exp.Star()), newest).from_(view))[0]
    except Exception:
        if not may_fail:
            raise
    age = contract.age(to_datetime(latest), now) if contract and latest else None
    promised = level.days if level else None
    written = [s.last_altered_ts or s.created_ts for s in tables]
    return ProductStatus(
        product=short_name(snapshot.name),
        view=re.sub(r'["`]', "", view.sql(dialect=opened.context.engine_adapter.dialect)),
        rows=rows,
        newest_month=to_datetime(latest).date().replace(day=1) if latest else None,
        changed_at=_utc(max(written, default=None)),
        fresh=age <= promised if age is not None and promised is not None else None,
        age_days=round(age) if age is not None else None,
    )


def _utc(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else to_datetime(milliseconds)
