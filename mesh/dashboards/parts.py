"""What dashboards and charts are made of, as strict models: sources, metrics, filters, places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mesh.dashboards.drawing.evidence import LEVEL
from mesh.dashboards.drawing.formats import Every, Format, month_span, number, said, span
from mesh.dashboards.marks import IsColumn, IsMetric, IsValue
from mesh.files.problems import shown
from mesh.files.sentences import form, refused

COLUMNS = 12
T = TypeVar("T")
SMALL = form(
    r"^[a-z][a-z0-9_]{0,59}$",
    "up to 60 small letters, digits and `_`, a letter first, such as `per_month`",
)
Name = Annotated[str, Field(pattern=SMALL)]
WORDS = form(r"\S", "words, not blanks alone")
Text = Annotated[str, Field(min_length=1, max_length=400, pattern=WORDS)]
CODE = form(r"^#[0-9A-Fa-f]{6}$", "a colour as `#3B6FB6`")
Colour = Annotated[str, Field(pattern=CODE)]
Scalar = str | int | float | bool
Aggregate = Literal["value", "sum", "min", "max"]

Column = Annotated[str, IsColumn()]
AskedColumn = Annotated[str, IsColumn(use="asked")]
DateColumn = Annotated[str, IsColumn(("date",))]
NumberColumn = Annotated[str, IsColumn(("integer", "number"))]
MetricName = Annotated[Name, IsMetric()]
Value = Annotated[Scalar, IsValue()]
Labels = dict[Annotated[str, IsValue()], Text]


def _distinct(entries: list[T]) -> list[T]:
    for place, entry in enumerate(entries):
        if any(entry == other and type(entry) is type(other) for other in entries[:place]):
            message = f"`{shown(entry)}` stands twice in a list."
            raise refused("VALUE", message, "Take one of them out.")
    return entries


Distinct = AfterValidator(_distinct)
"""A list in which nothing stands twice."""

# A row is one value already, so that any aggregation of Looker's gives it back.
_IN_LOOKER = {"value": "Max", "sum": "Sum", "min": "Min", "max": "Max"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Template(Strict):
    """The report in Looker Studio that links copy."""

    report_id: (
        Annotated[str, Field(pattern=form(r"^[A-Za-z0-9_-]+$", "the id that its address has"))]
        | None
    ) = None
    checked_on: (
        Annotated[str, Field(pattern=form(r"^\d{4}-\d\d-\d\d$", "a day as `2026-02-28`"))] | None
    ) = Field(default=None, description="The day on which somebody last tried it.")


class Source(Strict):
    """A data product under an alias."""

    product: str = Field(description="`<domain>.<name>`, a product with a contract.")
    version: str = Field(
        description="The contract's versions that the charts were made for: `>=1.0.0 <2.0.0`."
    )
    as_of: DateColumn = Field(
        description="The column with the day up to which the data go, no first of a month: of all "
        "rows the newest counts."
    )
    window_start: DateColumn | None = Field(
        default=None, description="The column with the first day that a row is about."
    )

    month: DateColumn | None = Field(
        default=None,
        description="In the place of `window_start` the column with the first day of the month "
        "that a row is about: a chart then says which months it shows.",
    )

    def window(
        self, rows: Sequence[Mapping[str, Any]], all_time: str, since: date | None = None
    ) -> str:
        """Which days, or months, rows are about. since: from which day on they were picked."""
        as_of = rows[0][self.as_of]
        months: list[Any] = [row.get(self.month) for row in rows] if self.month else []
        if months and None not in months:
            # Months that were picked and cannot be shown are in the picture as a gap.
            return month_span(min([*months, since] if since else months), max(months))
        return span(since or self.first_day(rows), as_of, all_time)

    def first_day(self, rows: Iterable[Mapping[str, Any]]) -> date | None:
        """The first day that rows are about; None for all that there are."""
        days = [row[self.window_start] for row in rows] if self.window_start else []
        return min(days) if days and None not in days else None


class Metric(Strict):
    """A number with a name."""

    source: Name
    field: NumberColumn
    aggregate: Aggregate = Field(
        description="`value` takes a row's number as it is, so that a chart must name one row by "
        "its dimension and filters; the others aggregate rows."
    )
    label: Text
    format: Format

    rounded_to: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Of a count that its product rounds down: to multiples of this, as the "
        "contract says by `multipleOf`; 65 is told as 65–69. 1 where the count is exact.",
    )

    def text(self, value: float | None, digits: int | None = None) -> str:
        """A value as it is shown: of a count that was rounded down all that it can be."""
        text, last = number(value, self.format, digits), (self.rounded_to or 1) - 1
        return f"{text}–{number(value + last, self.format)}" if value is not None and last else text

    @property
    def in_looker(self) -> str:
        """How the metric is set in Looker Studio, as Markdown."""
        return f"`{self.field}` ({_IN_LOOKER[self.aggregate]}), shown as “{self.label}”"


class Filter(Strict):
    """A column that equals one value, or one of several: exactly one of the two is given."""

    field: AskedColumn
    equals: Value | None = None
    one_of: Annotated[list[Value], Field(min_length=1), Distinct] | None = None

    @property
    def values(self) -> list[Scalar]:
        if self.one_of is not None:
            return list(self.one_of)
        return [] if self.equals is None else [self.equals]


class Dimension(Strict):
    """What a chart is split by."""

    field: Annotated[str, IsColumn(of_row=True)]
    label: Text
    labels: Labels = Field(
        default_factory=dict, description="What to show instead of the values of an enum."
    )

    def name(self, value: object) -> str:
        """A value as it is shown."""
        return self.labels.get(str(value), said(value))

    @property
    def in_looker(self) -> list[tuple[str, str]]:
        """How its values get their names in Looker Studio, where they have others."""
        if not self.labels:
            return []
        cases = " ".join(
            f"WHEN {self.field} = {_text(value)} THEN {_text(label)}"
            for value, label in self.labels.items()
        )
        case = f"CASE {cases} ELSE {self.field} END"
        return [("Dimension as shown", f"calculated field `{case}`")]


def _text(text: str) -> str:
    """A text in a calculated field, which takes quotes of either kind."""
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'


class Interval(Strict):
    """The two ends of the interval in which a metric lies."""

    low: MetricName
    high: MetricName
    level: Annotated[int, Field(ge=50, le=99)] = Field(
        default=LEVEL, description="How sure it is, in percent, as the product works it out."
    )

    @property
    def words(self) -> str:
        return f"{self.level}% interval"

    def ends(self, row: Mapping[str, Any]) -> tuple[Any, Any]:
        """Where it begins and ends in a row; None for what is not known."""
        return row[self.low], row[self.high]


class Support(Strict):
    """How many a number rests on, and from how many on it is shown at all."""

    metric: MetricName
    least: Annotated[int, Field(ge=1)] = Field(
        description="Numbers that rest on fewer are left out, and the page says so."
    )

    def met(self, row: Mapping[str, Any]) -> bool:
        """Whether a row rests on enough."""
        return bool((row[self.metric] or 0) >= self.least)

    def few(self, rows: Iterable[Mapping[str, Any]], *names: str | None) -> int:
        """How many rows have one of these numbers and rest on too few: what the product withholds
        has none, and is nothing that the chart leaves out."""
        few = (row for row in rows if not self.met(row))
        return sum(any(row[name] is not None for name in names if name) for row in few)

    def left_out(self, what: str, label: str, count: int, of: str) -> list[str]:
        """What is not drawn, though its numbers are no secret; nothing where all is drawn."""
        few = "no" if self.least == 1 else f"fewer than {self.least:,}"
        told = f"{what} rests on {few} {label} is left out ({count:,} of {of}); the CSV has it."
        return [told] if count else []


class Time(Strict):
    """The months, quarters or years that a chart runs over."""

    field: Annotated[str, IsColumn(("date",), of_row=True)] = Field(
        description="The column with the first day of each month, quarter or year."
    )
    label: Text = "Month"
    every: Every = Field(
        default="month", description="What a row is about: lines of years are drawn year by year."
    )


class Since(Strict):
    """How many months after something."""

    field: Annotated[str, IsColumn(("integer",), of_row=True)]
    label: Text = "Months since"


class Crowd(Strict):
    """The year in which most of what a chart puts at one start began, and how many did."""

    year: Annotated[str, IsColumn(("integer",))]
    share: MetricName


class Sort(Strict):
    field: Annotated[str, IsColumn(use="sorted", of_row=True)]
    order: Literal["ascending", "descending"]


class Position(Strict):
    """Where a chart stands on the grid: columns 1 to 12, rows from 1."""

    column: Annotated[int, Field(ge=1, le=COLUMNS)]
    row: Annotated[int, Field(ge=1, le=500)]
    width: Annotated[int, Field(ge=1, le=COLUMNS)]
    height: Annotated[int, Field(ge=1, le=100)]
