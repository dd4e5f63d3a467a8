"""A dashboard's YAML as strict models: what may stand in `looker/<dashboard>.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Scalar = str | int | float | bool
Aggregate = Literal["value", "sum", "min", "max"]
Format = Literal["count", "percent", "stars", "change_percent", "change_stars"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Template(Strict):
    """The report in Looker Studio that links copy; checked_on: the day somebody last tried it."""

    report_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    checked_on: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None


class Source(Strict):
    """A data product under an alias, in a range of versions such as `>=1.0.0 <2.0.0`.

    as_of, window_start: the columns with the last and the first day that a row is about.
    """

    product: str
    version: str
    as_of: str
    window_start: str | None = None


class Metric(Strict):
    """A number with a name. `value` takes a row's number as it is, so that a chart must name one
    row by its dimension and filters; the others aggregate rows."""

    source: Name
    field: str
    aggregate: Aggregate
    label: Text
    format: Format


class Filter(Strict):
    """A column that equals one value, or one of several: exactly one of the two is given."""

    field: str
    equals: Scalar | None = None
    one_of: list[Scalar] | None = None

    @property
    def values(self) -> list[Scalar]:
        return list(self.one_of) if self.one_of is not None else [self.equals or ""]


class Dimension(Strict):
    """What a chart is split by; labels: what to show instead of the values of an enum."""

    field: str
    label: Text
    labels: dict[str, Text] = {}


class Sort(Strict):
    field: str
    order: Literal["ascending", "descending"]


class Top(Strict):
    """The first so many values. others: the column that marks the row of all the others, which the
    product counted again; rank: the column with the places, others last."""

    count: Annotated[int, Field(ge=1)]
    others: str
    rank: str


class Position(Strict):
    """Where a chart stands on the grid: columns 1 to 12, rows from 1."""

    column: Annotated[int, Field(ge=1, le=12)]
    row: Annotated[int, Field(ge=1, le=500)]
    width: Annotated[int, Field(ge=1, le=12)]
    height: Annotated[int, Field(ge=1, le=100)]


class ChartBase(Strict):
    """look_at: one sentence on what to look at. note: what one must know to read the numbers."""

    id: Name
    title: Text
    look_at: Text
    note: Text | None = None
    source: Name
    filters: list[Filter] = []
    position: Position


class Pie(ChartBase):
    kind: Literal["pie", "donut"]
    dimension: Dimension
    metric: Name
    share: Name | None = None
    sort: Sort
    top: Top | None = None


class Bar(ChartBase):
    kind: Literal["bar"]
    dimension: Dimension
    metrics: Annotated[list[Name], Field(min_length=1, max_length=3)]
    share: Name | None = None
    sort: Sort


class Scorecard(ChartBase):
    kind: Literal["scorecard"]
    metric: Name
    share: Name | None = None


class Choice(Strict):
    """A filter that the viewer sets; default: its value at first."""

    field: str
    label: Text
    default: str
    labels: dict[str, Text] = {}


class TableColumn(Strict):
    """One column: a dimension (with a detail under it) or a metric (with its change)."""

    dimension: str | None = None
    detail: str | None = None
    label: Text | None = None
    metric: Name | None = None
    change: Name | None = None


class Comparison(Strict):
    """The period before: its first and last day, and the column that says what can be compared.

    new, hidden: the values of `field` for nothing before, and for too little to be shown.
    """

    field: str
    start: str
    end: str
    new: str
    hidden: str


class Table(ChartBase):
    kind: Literal["table"]
    key: str
    choice: Choice
    columns: Annotated[list[TableColumn], Field(min_length=1)]
    comparison: Comparison
    search: Annotated[list[str], Field(min_length=1)]
    page_size: Annotated[int, Field(ge=1, le=100)]
    sort: Sort


Chart = Annotated[Pie | Bar | Scorecard | Table, Field(discriminator="kind")]


class Dashboard(Strict):
    """One dashboard: sources, metrics that are defined once, and charts."""

    id: Name
    title: Text
    audience: Text
    purpose: Text
    template: Template = Template()
    sources: dict[Name, Source]
    metrics: dict[Name, Metric]
    charts: Annotated[list[Chart], Field(min_length=1)]


CHART_KINDS = ("pie", "donut", "bar", "scorecard", "table")


def metrics_of(chart: Pie | Bar | Scorecard | Table) -> list[str]:
    """The names of all metrics that a chart shows, in order."""
    if isinstance(chart, Bar):
        names: list[str | None] = [*chart.metrics, chart.share]
    elif isinstance(chart, Table):
        names = [name for column in chart.columns for name in (column.metric, column.change)]
    else:
        names = [chart.metric, chart.share]
    return [name for name in names if name]
