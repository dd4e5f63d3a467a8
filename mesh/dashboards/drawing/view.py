"""What a page shows, as plain objects: everything is text that a template can print."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh.dashboards.drawing.names import drawable

if TYPE_CHECKING:
    from mesh.dashboards.kinds.base import Chart


@dataclass(frozen=True)
class Mark:
    """One slice or bar. label: the lines inside or beside it; facts: titles and texts to tell."""

    key: str
    name: str
    value: float
    colour: str
    ink: str
    label: list[str]
    facts: list[tuple[str, str]]
    series: str = ""


@dataclass(frozen=True)
class LegendEntry:
    """A line of a legend; key: of the marks that it stands for; facts: numbers to print."""

    key: str
    name: str
    colour: str
    facts: list[str]

    @property
    def drawn_key(self) -> str:
        return drawable(self.key)


@dataclass(frozen=True)
class Unmoved:
    """A control that a chart does not follow. picked: whether one value of it is, at first;
    follows: the labels of those that it does, lest it seems to follow none."""

    control: str
    label: str
    picked: bool
    follows: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        followed = " and ".join(f"“{label}”" for label in self.follows)
        if followed:
            return f"Follows {followed}, not “{self.label}”."
        return f"Does not follow “{self.label}”."


@dataclass(frozen=True)
class ChartView:
    """A card of a page.

    window: which days it is about. empty: what to say when there is nothing to draw. seen: one
    sentence of what is seen in this data, or none. reading: how the picture is to be read. vega:
    the specification, height: its height in pixels; summary: the picture in words. head, body: the
    data table behind it; csv: its rows as a file. number, first: what the index says of it, a
    number or the first few of a list. unmoved: which controls of the page it does not follow.
    content: what only the template and the script of its kind know of.
    """

    spec: Chart
    window: str = ""
    empty: str = ""
    seen: str = ""
    reading: list[str] = field(default_factory=list)
    csv: str = ""
    summary: str = ""
    legend: list[LegendEntry] = field(default_factory=list)
    legend_head: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    body: list[list[str]] = field(default_factory=list)
    vega: dict[str, Any] | None = None
    height: int = 0
    number: str = ""
    first: list[str] = field(default_factory=list)
    unmoved: list[Unmoved] = field(default_factory=list)
    content: dict[str, Any] = field(default_factory=dict)
