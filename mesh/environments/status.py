"""`mesh status`: what stands in an environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.environments.project import Project, readable_errors

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.snapshot import Snapshot

# The columns that say when a row's events happened, in the order in which they are looked for.
TIME_COLUMNS = ("reporting_month", "rated_on", "rated_at")


@dataclass(frozen=True)
class ProductStatus:
    """One data product in an environment.

    rows: how many there are. newest_month: the first day of the newest month, None without rows or
    without a time. last_run: when SQLMesh last ran it, UTC.
    """

    product: str
    view: str
    rows: int
    newest_month: date | None
    last_run: datetime | None


@dataclass(frozen=True)
class EnvironmentStatus:
    environment: str
    planned_at: datetime | None
    products: tuple[ProductStatus, ...]


def status(project: Project, name: str) -> EnvironmentStatus:
    """Rows, newest month and last run of every data product in an environment."""
    with readable_errors():
        environment = project.environment(name)
        return EnvironmentStatus(
            environment=environment.name,
            planned_at=_utc(environment.finalized_ts),
            products=tuple(
                _product(project, environment, product, snapshot)
                for product, snapshot in project.products(environment).items()
            ),
        )


def _product(
    project: Project, environment: Environment, product: str, snapshot: Snapshot
) -> ProductStatus:
    view = project.view(snapshot, environment)
    columns = snapshot.model.columns_to_types or {}
    time = next((column for column in TIME_COLUMNS if column in columns), None)
    newest = exp.func("MAX", exp.column(time)) if time else exp.Null()
    query = exp.select(exp.Count(this=exp.Star()), newest).from_(view)
    rows, latest = project.rows(query)[0]
    return ProductStatus(
        product=product,
        view=re.sub(r'["`]', "", view.sql(dialect=project.context.engine_adapter.dialect)),
        rows=rows,
        newest_month=_month(latest),
        last_run=_utc(snapshot.last_altered_ts),
    )


def _month(latest: date | datetime | None) -> date | None:
    if latest is None:
        return None
    if isinstance(latest, datetime):
        latest = latest.astimezone(UTC).date() if latest.tzinfo else latest.date()
    return latest.replace(day=1)


def _utc(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
