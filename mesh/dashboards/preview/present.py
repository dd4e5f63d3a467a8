"""From a dashboard and its data to what a page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product as combinations

from mesh.contracts import Contract
from mesh.dashboards.controls import AnyControl, OneOf, Option
from mesh.dashboards.csv_file import csv_text
from mesh.dashboards.data import ChartData, DashboardData, SourceState
from mesh.dashboards.drawing.formats import day
from mesh.dashboards.drawing.lines import called
from mesh.dashboards.drawing.view import ChartView, Unmoved
from mesh.dashboards.kinds import Board, Chart
from mesh.dashboards.kinds.base import Row, Unfit
from mesh.dashboards.kinds.seen import lowered, named
from mesh.errors import CheckFailed
from mesh.files.problems import shown

NO_DATA = "Not enough data: there is none yet."
NOT_ENOUGH = "Not enough data."
NOT_SHOWN = "Not enough data, or none that may be shown."
# So many values of a choice stand on the index.
SOME = 3


@dataclass(frozen=True)
class ControlView:
    """What can be picked on a page. every: how many there are, of which the options are the first;
    start: the place of what is picked at first."""

    spec: AnyControl
    options: list[Option]
    every: int
    start: int = 0

    @property
    def question(self) -> list[str]:
        """What the page answers, before and after the name of what is picked."""
        asked = self.spec.question if isinstance(self.spec, OneOf) else None
        return asked.split("{}") if asked else []

    @property
    def searched(self) -> bool:
        return isinstance(self.spec, OneOf) and self.spec.search

    @property
    def many(self) -> str:
        """How many can be picked, where one cannot see it."""
        if not isinstance(self.spec, OneOf) or not self.options:
            return ""
        if self._offered < self.every:
            return f"The first {self._offered:,} of {self.every:,}"
        return f"{self._offered:,} to pick from" if self.searched else ""

    @property
    def not_found(self) -> str:
        """What is said where no value is like what was typed: among which it was sought."""
        first = f"first {self._offered:,} of " if self._offered < self.every else ""
        return f"Nothing found among the {first}{self.every:,} under “{self.spec.label}”."

    @property
    def _offered(self) -> int:
        """How many values there are to pick from on the page, beside all of them."""
        return len(self.options) - (not self.spec.picks_one)

    @property
    def is_stated(self) -> bool:
        """Whether the specification says what is picked at first: that is nobody's choice."""
        return isinstance(self.spec, OneOf) and self.spec.default is not None

    @property
    def is_picked(self) -> bool:
        """Whether one value is picked at first."""
        return not self.is_stated and self.options[self.start].value is not None

    @property
    def some(self) -> str:
        """The first that can be picked by name, and how many more there are."""
        names = [one.label for one in self.options if one.value is not None]
        more = self.every - len(names[:SOME])
        return ", ".join(map(named, names[:SOME])) + (f" and {more:,} more" if more > 0 else "")


@dataclass(frozen=True)
class Picked:
    """A chart for each combination of what its controls offer, the last control counted fastest."""

    controls: list[str]
    cards: list[ChartView]


@dataclass(frozen=True)
class PageView:
    """A dashboard of one environment, ready to be printed: charts in reading order.

    picked: by chart, all that can be shown in its place where it follows a control.
    """

    board: Board
    environment: str
    as_of: date | None
    charts: list[ChartView]
    sources: list[tuple[SourceState, Contract]]
    generated: bool = False
    controls: list[ControlView] = field(default_factory=list)
    picked: dict[str, Picked] = field(default_factory=dict)
    delivered: date | None = None

    @property
    def unpicked(self) -> list[ChartView]:
        """The charts that show the same whatever is picked: the index can tell of them."""
        return [one for one in self.charts if one.spec.id not in self.picked]


class NotDrawn(CheckFailed):
    """A chart that cannot be drawn; who knows the files says where it stands. name: `board/id`."""

    def __init__(self, board: Board, chart: Chart, error: Exception):
        self.name = f"{board.id}/{chart.id}"
        why = f"{type(error).__name__}: {shown(error, 200)}"
        fix = "Mend what the kind makes of these rows; `mesh --debug` shows where."
        if isinstance(error, Unfit):
            why, fix = str(error), error.fix
        message = f"the chart `{chart.id}` of kind `{chart.kind}` cannot be drawn: {why}"
        super().__init__(message, fix=fix)


@contextmanager
def drawing(board: Board, chart: Chart) -> Iterator[None]:
    """Within, what goes wrong is told of the chart."""
    try:
        yield
    except Exception as error:
        raise NotDrawn(board, chart, error) from error


def present(board: Board, data: DashboardData, contracts: Mapping[str, Contract]) -> PageView:
    """The page of a dashboard; contracts: of its sources at least."""
    from altair.utils.schemapi import debug_mode

    # Vega-Lite checks all of it: to check each part as it is made takes Altair longer than to draw.
    with debug_mode(False):
        return _present(board, data, contracts)


def _present(board: Board, data: DashboardData, contracts: Mapping[str, Contract]) -> PageView:
    controls = [_control(board, control, data) for control in board.controls]
    cards, picked = [], {}
    for chart in sorted(board.charts, key=lambda c: (c.position.row, c.position.column)):
        found = data.charts[chart.id]
        contract = contracts[board.sources[chart.source].product]
        follows = [one for one in controls if one.spec.reaches(chart) and one.options]
        unmoved = _unmoved(controls, chart, follows)
        with drawing(board, chart):
            chart.fits(board, found.rows)
            drawn = [
                replace(
                    _card(board, chart, part, contract, data.is_there, since),
                    unmoved=unmoved,
                )
                for part, since in _parts(chart, found, follows)
            ]
        start = 0
        for control in follows:
            start = start * len(control.options) + control.start
        cards.append(drawn[start])
        if len(drawn) > 1:
            picked[chart.id] = Picked([one.spec.id for one in follows], drawn)
    sources = [(state, contracts[state.product]) for state in data.sources]
    return PageView(
        board,
        data.environment,
        data.as_of,
        cards,
        sources,
        data.generated,
        controls,
        picked,
        data.delivered,
    )


def up_to(pages: Sequence[PageView]) -> str:
    """Up to when the data of pages go, as it is shown; nothing where there are none.

    Where no page can show a number no day is known, but the month of what was delivered is.
    """
    newest = max((page.as_of for page in pages if page.as_of), default=None)
    delivered = max((page.delivered for page in pages if page.delivered), default=None)
    return day(newest) or (called(delivered) if delivered else "")


def _control(board: Board, control: AnyControl, data: DashboardData) -> ControlView:
    rows = data.options.get(control.id, [])
    options = control.options(rows, data.as_of, board.all_time)
    if not isinstance(control, OneOf):
        return ControlView(control, options, len(options))
    every = len({row[control.field] for row in rows} - {None})
    wanted = [place for place, one in enumerate(options) if one.value == control.default]
    return ControlView(control, options if every else [], every, wanted[0] if wanted else 0)


def _unmoved(
    controls: Sequence[ControlView], chart: Chart, follows: Sequence[ControlView]
) -> list[Unmoved]:
    """Which values a chart does not follow, since nothing else would tell once one is picked;
    whether it is about months one sees."""
    labels = tuple(one.spec.label for one in follows)
    return [
        Unmoved(one.spec.id, one.spec.label, one.is_picked, labels)
        for one in controls
        if isinstance(one.spec, OneOf) and one.options and not one.spec.reaches(chart)
    ]


def _parts(
    chart: Chart, found: ChartData, follows: Sequence[ControlView]
) -> list[tuple[ChartData, date | None]]:
    """The rows of a chart for each combination of what is picked, and since when they are; None
    where no months are cut off."""
    if not follows:
        return [(found, None)]
    # Told apart once by what is picked most finely: a page of many values looks at each row once.
    columns = [one.spec.field for one in follows]
    offered = [{option.value for option in one.options} - {None} for one in follows]
    held: dict[tuple[object, ...], list[Row]] = {}
    for row in found.rows:
        held.setdefault(tuple(row[name] for name in columns), []).append(row)
    parts = []
    for options in combinations(*(one.options for one in follows)):
        keys = tuple(one.value for one in options)
        if all(one.value is not None for one in options):
            rows = held.get(keys, [])
        else:
            rows = [
                row
                for row in found.rows
                if all(o.wants(row[name]) for o, name in zip(options, columns, strict=True))
            ]
        since = [
            option.since
            for option, name in zip(options, columns, strict=True)
            if option.since and any(row[name] and row[name] < option.since for row in found.rows)
        ]
        values = [one.value for one in options]
        picked = dict(zip(columns, zip(values, offered, strict=True), strict=True))
        unseen = tuple(chart.unseen(rows, found.rows, picked))
        part = replace(found, rows=tuple(rows), unseen=unseen)
        parts.append((part, max(since, default=None)))
    return parts


def _card(
    board: Board,
    chart: Chart,
    data: ChartData,
    contract: Contract,
    is_there: bool,
    since: date | None = None,
) -> ChartView:
    """is_there: whether there are data: then, if there are no rows here, they are held back.

    since: the first day of the months that were picked, which are the window of a chart over time.
    """
    source = board.sources[chart.source]
    shown = [dict(row) for row in (*data.rows, *data.unseen) if chart.counts(row)]
    if not any(map(chart.shows, shown)):
        # Whether there is none, or what there is is withheld, rows that are not there do not tell.
        none = (NOT_SHOWN if board.held_back else NOT_ENOUGH) if is_there else NO_DATA
        why = f"{none} {board.held_back or ''}".rstrip()
        if is_there and chart.nothing:
            why = f"{NOT_ENOUGH} {chart.nothing}"
        return ChartView(chart, empty=data.missing or why)
    window = source.window(shown, board.all_time, since)
    card = chart.draw(board, contract, shown, ChartView(chart, window=window))
    # What is too little for a picture is no secret.
    card = replace(card, csv=csv_text(board, chart, data.rows))
    if card.empty:
        about = lowered(window) if window.startswith(board.all_time) else window
        # Other charts of the page may be about other days, in which there is more.
        return replace(card, empty=f"{NOT_ENOUGH[:-1]} in {about}. {card.empty}".rstrip())
    return replace(card, seen=chart.seen(board, shown))
