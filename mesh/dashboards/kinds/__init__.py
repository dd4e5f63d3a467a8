"""The kinds of charts, one module each. A new kind stands in the union below, and is known."""

from typing import Annotated, get_args

from pydantic import Field

from mesh.dashboards.kinds.bar import Bar
from mesh.dashboards.kinds.base import Board, Chart
from mesh.dashboards.kinds.curve import Curve
from mesh.dashboards.kinds.dot_plot import DotPlot
from mesh.dashboards.kinds.facts import Facts
from mesh.dashboards.kinds.heat_map import HeatMap
from mesh.dashboards.kinds.line import Line
from mesh.dashboards.kinds.pie import Pie
from mesh.dashboards.kinds.scatter import Scatter
from mesh.dashboards.kinds.scorecard import Scorecard
from mesh.dashboards.kinds.small_multiples import SmallMultiples
from mesh.dashboards.kinds.table import Table

AnyKind = Annotated[
    Pie
    | Bar
    | Scorecard
    | Table
    | Line
    | SmallMultiples
    | Curve
    | HeatMap
    | DotPlot
    | Scatter
    | Facts,
    Field(discriminator="kind"),
]
KINDS: tuple[type[Chart], ...] = get_args(get_args(AnyKind)[0])

__all__ = ["KINDS", "AnyKind", "Board", "Chart"]
