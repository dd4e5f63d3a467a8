"""A ranked table that the page sorts, searches and turns the pages of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mesh.contracts import Contract
from mesh.dashboards.drawing.evidence import Estimate, apart
from mesh.dashboards.drawing.formats import day, digits_of, said, span
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.kinds.base import Board, Chart, Found, Look, Row, rule
from mesh.dashboards.kinds.seen import estimate, lowered, named
from mesh.dashboards.marks import IsColumn, IsValue
from mesh.dashboards.parts import Column, DateColumn, Labels, MetricName, Sort, Strict, Text
from mesh.files.problems import shown

# Not "new": what had nothing for a while can be old.
NONE_BEFORE = "none before"


class Choice(Strict):
    """A filter that the viewer sets."""

    field: Annotated[str, IsColumn(listed=True, of_row=True)]
    label: Text
    default: Annotated[str, IsValue()] = Field(description="Its value at first.")
    labels: Labels = Field(default_factory=dict)


class TableColumn(Strict):
    """One column: a dimension (with a detail under it) or a metric (with its change, and with the
    number before, which says how much the change weighs)."""

    dimension: Column | None = None
    detail: Column | None = None
    label: Text | None = None
    metric: MetricName | None = None
    change: MetricName | None = None
    before: MetricName | None = None


class Comparison(Strict):
    """The period before: its first and last day, and what can be compared with it."""

    field: Column = Field(description="The column that says what can be compared.")
    start: DateColumn
    end: DateColumn
    new: Annotated[str, IsValue()] = Field(description="The value of `field` for nothing before.")
    hidden: Annotated[str, IsValue()] = Field(
        description="The value of `field` for too little to be shown."
    )


class Rank(Sort):
    """How rows are sorted at first: by a column with the place of each, which is shown."""

    field: Annotated[str, IsColumn(("integer",))]


class Words(Strict):
    """What the rows of a table are, for its readers."""

    one: Text = "row"
    several: Text = "rows"
    search: Text = Field(
        default="the table", description="What is searched, as in `Search names and towns`."
    )
    nothing: Text = Field(
        default="There is no row",
        description="Why a choice can be empty, as in `Nothing was sold in this period.`",
    )


@dataclass(frozen=True)
class _Chosen:
    """What is seen of one choice: its days, what its changes are against, what stands in the place
    of a change in other words, the sentence of what is seen, and the cells of its rows."""

    value: str
    label: str
    window: str
    against: str
    told: dict[str, str]
    seen: str
    rows: list[list[list[Any]]]


class Table(Chart):
    """A ranked table."""

    partial: ClassVar[str] = "table.html.j2"
    script: ClassVar[str] = "table.js"
    in_looker: ClassVar[str] = "Table"

    kind: Literal["table"]
    key: Annotated[str, IsColumn(of_row=True)] = Field(
        description="The column that tells rows apart."
    )
    choice: Choice | None = Field(
        default=None, description="What the reader picks within the table itself."
    )
    columns: Annotated[list[TableColumn], Field(min_length=1)]
    comparison: Comparison | None = Field(
        default=None, description="What the changes are against, where a column has any."
    )
    search: list[Annotated[str, IsColumn(("string",), use="asked")]] = Field(
        default_factory=list, min_length=1, description="The columns in which a reader searches."
    )
    page_size: Annotated[int, Field(ge=1, le=100)]
    sort: Rank
    words: Words = Words()

    @property
    def order(self) -> Sort:
        return self.sort

    @property
    def nothing(self) -> str:
        stated = "nothing" in self.words.model_fields_set
        return f"{self.words.nothing}." if stated else ""

    def settings(self, board: Board) -> list[tuple[str, str]]:
        named = [name for c in self.columns for name in (c.dimension, c.detail) if name]
        state, choice = self.comparison, self.choice
        controls = []
        if choice:
            controls.append(
                f"fixed-size list on `{choice.field}`, single select, default `{choice.default}`"
            )
        if self.search:
            controls.append(f"advanced filter on `{self.search[0]}`, type Contains")
        missing = "show “–”"
        if state:
            missing += f"; `{state.field}` says `{state.new}` or `{state.hidden}`"
        dimensions = [self.sort.field, *named, *([state.field] if state else [])]
        return [
            ("Dimensions", ", ".join(f"`{n}`" for n in dimensions)),
            ("Metrics", board.in_looker(self.metric_names)),
            ("Missing data", missing),
            ("Sort", f"`{self.sort.field}` (Max), {self.sort.order}"),
            ("Rows per page", str(self.page_size)),
            *((("Controls", "; ".join(controls)),) if controls else ()),
        ]

    def draw(self, board: Board, contract: Contract, rows: list[Row], card: ChartView) -> ChartView:
        choices = self._choices(board, contract, rows)
        default = self.choice.default if self.choice else ""
        wanted = next(c for c in choices if c.value == default)
        seen, notice = wanted, ""
        if not wanted.rows:
            seen = next(c for c in choices if c.rows)
            notice = (
                f"This is the {seen.label.lower()}. {self.words.nothing} in the "
                f"{wanted.label.lower()} up to {day(rows[0][board.sources[self.source].as_of])}."
            )
        columns = self._heads(board, contract)
        search = [
            (cell, part)
            for cell, column in enumerate(columns)
            for part, key in ((1, "field"), (2, "detail"))
            if column.get(key) in self.search
        ]
        judged = self._comparable(rows) and any(column.change for column in self.columns)
        said = ["A change in colour is beyond chance; a grey one may be chance."] if judged else []
        return replace(
            card,
            reading=[*card.reading, *said],
            window=seen.window if self.choice else card.window,
            first=[row[1][1] for row in seen.rows[:3]],
            content={
                "columns": columns,
                "choices": [vars(choice) for choice in choices],
                "choice_label": self.choice.label if self.choice else "",
                "start": seen.value,
                "notice": notice,
                "page_size": self.page_size,
                "search": search,
                "words": self.words.model_dump(),
            },
        )

    def _choices(self, board: Board, contract: Contract, rows: list[Row]) -> list[_Chosen]:
        """What there is to see: one list for each value of the choice, or a single one."""
        if self.choice is None:
            against, told = self._against(board, rows)
            return [_Chosen("", "", "", against, told, "", self._cells(board, rows))]
        source = board.sources[self.source]
        as_of = rows[0][source.as_of]
        allowed = contract.column(self.choice.field)
        values = allowed.enum if allowed else ()
        by_choice: dict[str, list[Row]] = {str(one.value): [] for one in values}
        for row in rows:
            by_choice.setdefault(str(row[self.choice.field]), []).append(row)
        choices = []
        for value, found in by_choice.items():
            label = self.choice.labels.get(value, value)
            if found:
                window = span(source.first_day(found), as_of, board.all_time)
            else:
                # Only rows know on which day a choice begins; all of them end on the same.
                window = f"{label} up to {day(as_of)}"
            choices.append(
                _Chosen(
                    value,
                    label,
                    window,
                    *self._against(board, found),
                    self._changed(board, found, label),
                    self._cells(board, found),
                )
            )
        return choices

    def _against(self, board: Board, rows: list[Row]) -> tuple[str, dict[str, str]]:
        """What the changes of a choice are against, and what a kind of cell without one means."""
        state = self.comparison
        if not state or not rows:
            return "", {}
        before = span(rows[0][state.start], rows[0][state.end], board.all_time)
        if not self._comparable(rows):
            return (
                f"Nothing can be compared with {before}: the data do not reach back so far, or "
                "hold too little of that time."
            ), {}
        told = {"new": f"Nothing in {before}", "hidden": f"Too little in {before} to be shown"}
        source = board.sources[self.source]
        start, end = source.first_day(rows), rows[0][source.as_of]
        ends = (start, end, rows[0][state.start], rows[0][state.end])
        alike = None not in ends and ends[1] - ends[0] == ends[3] - ends[2]
        against = f"Changes are against {before}{', a span of as many days' if alike else ''}."
        if any(row[state.field] == state.new for row in rows):
            against += f" “{NONE_BEFORE.capitalize()}” means nothing in those days."
        return against, told

    def _comparable(self, rows: list[Row]) -> bool:
        """Whether anything is known of the time before: that a row had nothing in it is too."""
        state = self.comparison
        return any(state and row[state.field] != state.hidden for row in rows)

    def seen(self, board: Board, rows: list[Row]) -> str:
        """What surely changed of the choice that is shown at first."""
        if self.choice is None:
            return ""
        field, default = self.choice.field, self.choice.default
        label = self.choice.labels.get(default, default)
        return self._changed(board, [row for row in rows if str(row[field]) == default], label)

    def _changed(self, board: Board, rows: list[Row], label: str) -> str:
        """How many counts surely changed, and one of them."""
        column = next((one for one in self.columns if one.change and one.before), None)
        if column is None or board.metrics[str(column.metric)].format != "count":
            return ""
        metric, before = str(column.metric), str(column.before)
        pairs = [(row, self._now_and_then(board, column, row)) for row in rows]
        compared = [(row, both) for row, both in pairs if both]
        sure = [row for row, both in compared if apart(*both, len(rows))]
        if not sure:
            return ""
        row = max(sure, key=lambda one: abs(one[str(column.change)] or 0))
        title = next(one.dimension for one in self.columns if one.dimension)
        several = self.words.several
        if len(compared) < len(rows):
            several += f" that can be compared, out of {len(rows):,},"
        return (
            f"{label}: {len(sure)} of {len(compared):,} {several} surely changed"
            f"{', such as' if len(sure) > 1 else ':'} {named(said(row[title]))}, "
            f"{board.text(metric, row)} {lowered(board.metrics[metric].label)} after "
            f"{board.text(before, row)} ({board.text(str(column.change), row)})."
        )

    def _heads(self, board: Board, contract: Contract) -> list[dict[str, Any]]:
        heads: list[dict[str, Any]] = [{"label": "#", "type": "rank", "field": self.sort.field}]
        for column in self.columns:
            if name := column.dimension:
                known = contract.column(name)
                text = column.detail or (known and known.logical_type == "string")
                kind = "text" if text else "plain"
                told = {"label": column.label or name, "type": kind, "field": name}
                heads.append(told | {"detail": column.detail})
            if name := column.metric:
                label = column.label or board.metrics[name].label
                heads.append({"label": label, "type": "number", "field": name})
            if name := column.change:
                label = board.metrics[name].label
                heads.append({"label": label, "type": "change", "field": name})
        return heads

    def _cells(self, board: Board, rows: list[Row]) -> list[list[list[Any]]]:
        digits = {
            name: digits_of((row[name] for row in rows), board.metrics[name].format)
            for name in self.metric_names
        }
        # Of no row a change is told where none of them can be compared.
        compared = len(rows) if self._comparable(rows) else 0
        return [self._line(board, row, digits, compared) for row in rows]

    def _line(
        self, board: Board, row: Row, digits: dict[str, int | None], compared: int
    ) -> list[list[Any]]:
        """A row's cells: of a dimension [value, text, detail], of a metric [value, text], of a
        change [value, text, kind, before], where kind is up, down, same, new or hidden.

        compared: among how many changes; one that may be chance is `same`.
        """
        rank = row[self.sort.field]
        cells: list[list[Any]] = [[rank, f"{rank:,}"]]
        for column in self.columns:
            if column.dimension:
                value = row[column.dimension]
                # Days sort as the text that they are in the page's data.
                cell = [value.isoformat() if isinstance(value, date) else value, said(value)]
                if column.detail:
                    detail = row[column.detail]
                    cell.append("" if detail is None else said(detail).replace("|", ", "))
                cells.append(cell)
            if column.metric:
                value, metric = row[column.metric], board.metrics[column.metric]
                cells.append([value, metric.text(value, digits[column.metric]) or "–"])
            if column.change:
                cells.append(self._change(board, column, row, compared))
        return cells

    def _change(self, board: Board, column: TableColumn, row: Row, compared: int) -> list[Any]:
        assert column.change and self.comparison
        state, value = row[self.comparison.field], row[column.change]
        if state == self.comparison.new:
            return [None, NONE_BEFORE, "new", ""]
        if state == self.comparison.hidden or value is None:
            return [None, "few before" if compared else "–", "hidden", ""]
        both = self._now_and_then(board, column, row)
        sure = both and apart(*both, compared)
        kind = "same" if not sure else "up" if value > 0 else "down"
        before = f"from {board.text(column.before, row)}" if column.before else ""
        return [value, board.text(column.change, row), kind, before]

    def _now_and_then(
        self, board: Board, column: TableColumn, row: Row
    ) -> tuple[Estimate, Estimate] | None:
        """A number and the one before, if something tells how sure they are: of medians nothing."""
        if not column.before:
            return None
        now, then = (estimate(board, row, str(name)) for name in (column.metric, column.before))
        return (now, then) if now and then else None


@rule("TABLE_COLUMN", "A column of a table is a dimension or a metric.")
def _columns(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Table):
        visible = {name for one in chart.columns for name in (one.dimension, one.detail)}
        for number, name in enumerate(chart.search):
            if name not in visible:
                message = f"`{shown(name)}` is searched, but no column shows it."
                fix = "Show it as a dimension or a detail, or take it out."
                yield Found((*here, "search", number), message, fix)
        for number, column in enumerate(chart.columns):
            if (column.dimension is None) == (column.metric is None):
                message = "The column is neither a dimension nor a metric, or both."
                yield Found((*here, "columns", number), message, "Name one of the two.")
            if column.change and not chart.comparison:
                message = f"`{column.change}` is a change, but nothing says against what."
                yield Found((*here, "columns", number), message, "Write `comparison`.")
