"""The rows of each chart, read from the views of one environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.dashboards.chart_queries import chart_query, option_query
from mesh.dashboards.controls import OneOf
from mesh.dashboards.kinds import Board
from mesh.dashboards.kinds.base import Row
from mesh.errors import WrongUse
from mesh.words import joined

if TYPE_CHECKING:
    from mesh.environments import Opened


@dataclass(frozen=True)
class ChartData:
    """Rows by column and metric name; missing: why there can be none, for a viewer; unseen: rows
    without numbers for what is missing among them."""

    rows: tuple[Row, ...]
    missing: str = ""
    unseen: tuple[Row, ...] = ()


@dataclass(frozen=True)
class SourceState:
    """A source in an environment: the view it is read from, and how many rows that has."""

    product: str
    view: str
    rows: int | None


@dataclass(frozen=True)
class DashboardData:
    """All that a page shows of an environment. as_of: the newest day of any source, whatever of it
    the charts show; generated: whether nothing of it is real; options: the rows of each control
    that lists values; delivered: the first day of the newest month that it was made from, since
    products that withhold all they have are as empty as those of no data."""

    environment: str
    charts: dict[str, ChartData]
    sources: tuple[SourceState, ...]
    as_of: date | None
    generated: bool = False
    options: dict[str, list[Row]] = field(default_factory=dict)
    delivered: date | None = None

    @property
    def is_there(self) -> bool:
        """Whether there are data at all, of which what is empty shows nothing."""
        return bool(self.as_of or self.delivered)


def read_data(opened: Opened, environment: str, board: Board) -> DashboardData:
    """Run the query of each chart. WrongUse when there is no such environment."""
    from mesh.environments.apply import shown_stamps
    from mesh.environments.deliveries import read_deliveries

    with opened.readable_errors():
        env = opened.environment(environment)
        products = opened.products(env)
        dialect = opened.context.engine_adapter.dialect
        views = {
            source.product: opened.view(products[source.product], env)
            for source in board.sources.values()
            if source.product in products
        }

        def asked(product: str, query: exp.Expr) -> list[tuple]:
            try:
                return opened.rows(query)
            except Exception as error:
                if lacking := _lacking(opened, views[product], query):
                    raise WrongUse(
                        f"{environment} has another version of {product}, without "
                        f"{joined(lacking)}.",
                        fix=f"Let it show what this dashboard is made for: `sqlmesh plan "
                        f"{environment}`, or promote an environment that does.",
                    ) from error
                raise

        def rows(product: str, query: exp.Expr, names: list[str]) -> list[Row]:
            found = asked(product, query)
            return [{n: _plain(v) for n, v in zip(names, row, strict=True)} for row in found]

        charts = {}
        for chart in board.charts:
            source = board.sources[chart.source]
            if source.product not in views:
                charts[chart.id] = ChartData((), f"{environment} has no {source.product} yet.")
                continue
            query = chart_query(board, chart, views[source.product].copy())
            names = [*chart.columns_read(board), *chart.metric_names]
            charts[chart.id] = ChartData(tuple(rows(source.product, query, names)))
        options: dict[str, list[Row]] = {}
        for control in board.controls:
            product = board.sources[control.sources[0]].product
            if isinstance(control, OneOf) and product in views:
                query = option_query(control, views[product].copy())
                options[control.id] = rows(product, query, control.columns)
        dated: dict[str, list[str]] = {}
        for source in board.sources.values():
            dated.setdefault(source.product, []).append(source.as_of)
        sources: list[SourceState] = []
        days: list[Any] = []
        for product, columns in dated.items():
            state = SourceState(product, "", None)
            if (view := views.get(product)) is not None:
                newest = [exp.func("MAX", exp.column(exp.to_identifier(name))) for name in columns]
                query = exp.select("COUNT(*)", *newest).from_(view.copy())
                ((count, *found),) = asked(product, query)
                days += map(_plain, found)
                name = view.sql(dialect=dialect).replace('"', "").replace("`", "")
                state = SourceState(product, name, count)
            sources.append(state)
        log = read_deliveries(opened.context.engine_adapter, opened.delivered)
        held = {name: one for name, one in shown_stamps(opened.context, env).items() if one}
    as_of = max(filter(None, days), default=None)
    delivered = log.newest_month(log.delivered.names, held)
    generated = log.is_generated
    return DashboardData(environment, charts, tuple(sources), as_of, generated, options, delivered)


def _lacking(opened: Opened, view: exp.Table, query: exp.Expr) -> list[str]:
    """The columns that a query reads and the view does not have."""
    there = {name.lower() for name in opened.context.engine_adapter.columns(view)}
    there |= {alias.alias.lower() for alias in query.find_all(exp.Alias, exp.CTE, exp.Subquery)}
    return sorted({one.name for one in query.find_all(exp.Column)} - {""} - there)


def _plain(value: Any) -> Any:
    """A value as the standard library has it: engines hand out numpy and decimal ones too."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    if hasattr(value, "date") and not isinstance(value, date):
        return value.date()
    if type(value).__name__ == "Decimal":
        return float(value) if value.is_finite() else None
    return value
