"""`mesh dashboards build`: the dashboards of an environment as files that anyone can open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from mesh.contracts import Contract, usable_contracts
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.data import DashboardData, read_data
from mesh.dashboards.kinds import Board
from mesh.dashboards.preview.page import Served, index_html, page_html
from mesh.dashboards.preview.png import pictures
from mesh.dashboards.preview.present import NotDrawn, PageView, present
from mesh.dashboards.usage import read_usage
from mesh.errors import Location, WrongUse
from mesh.project import Project, display

if TYPE_CHECKING:
    from mesh.environments import Opened


Drawn = dict[str, tuple[tuple[Board, list[Contract], DashboardData], PageView]]
"""What was drawn of each dashboard last, and from what: the same rows, whatever shows them."""


def build(opened: Opened, environment: str, out: Path, *, png: bool = True) -> list[Path]:
    """Write one HTML file per dashboard, `index.html`, and PNGs; the paths that were written.

    png: whether to take the pictures too, which needs seconds. Raises WrongUse when there is no
    such environment or the folder cannot be written, and CheckFailed when a spec is not in order.
    """
    opened.environment(environment)
    with _writing(out):
        # Before the dashboards are drawn, which takes longer than to be told of a wrong folder.
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    pages = present_all(opened, environment)
    with _writing(out):
        written = []
        for name, html in render(pages, opened.project).items():
            written.append(out / name)
            written[-1].write_text(html, encoding="utf-8")
        if png:
            written += pictures(pages, out)
    return written


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WrongUse(
            f"the dashboards cannot be written: {error.strerror}.",
            where=Location(out),
            fix="Name another folder with --out.",
        ) from None


def present_all(
    opened: Opened, environment: str, *, specs: Path | None = None, drawn: Drawn | None = None
) -> list[PageView]:
    """All dashboards with the data of an environment, ready to be printed.

    specs: the folder of dashboards, where it is not the project's. drawn: by dashboard, taken from
    where the rows are the same, and added to.
    """
    project = opened.project
    dashboards = checked_dashboards(specs or project.dashboards, project.contracts)
    opened.environment(environment)
    contracts = usable_contracts(project.contracts)
    known = {} if drawn is None else drawn
    with placed(specs or project.dashboards):
        return [
            drawn_page(board, read_data(opened, environment, board), contracts, known)
            for board in (one.dashboard for one in dashboards)
        ]


@contextmanager
def placed(specs: Path) -> Iterator[None]:
    """Within, a chart that cannot be drawn is told with its place."""
    try:
        yield
    except NotDrawn as error:
        if use := read_usage(specs).charts.get(error.name):
            error.where = Location(display(use.path), use.line)
        raise


def drawn_page(
    board: Board, data: DashboardData, contracts: Mapping[str, Contract], drawn: Drawn
) -> PageView:
    """The page of a dashboard, taken from what was drawn if that was of the same."""
    nameless = tuple(replace(state, view="") for state in data.sources)
    promised = [contracts[state.product] for state in data.sources]
    of = (board, promised, replace(data, environment="", sources=nameless))
    if board.id in drawn and drawn[board.id][0] == of:
        sources = list(zip(data.sources, promised, strict=True))
        return replace(drawn[board.id][1], environment=data.environment, sources=sources)
    drawn[board.id] = of, present(board, data, contracts)
    return drawn[board.id][1]


def render(pages: list[PageView], project: Project, served: Served | None = None) -> dict[str, str]:
    """The HTML files by name, the index first."""
    with placed(project.dashboards):
        files = {f"{page.board.id}.html": page_html(page, pages, project, served) for page in pages}
    return {"index.html": index_html(pages, project, served)} | files
