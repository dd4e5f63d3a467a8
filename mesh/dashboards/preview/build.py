"""`mesh dashboards build`: the dashboards of an environment as files that anyone can open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh.contracts import load_contracts
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.data import read_data
from mesh.dashboards.preview.page import Served, index_html, page_html
from mesh.dashboards.preview.png import pictures
from mesh.dashboards.preview.present import PageView, present
from mesh.errors import Location, WrongUse
from mesh.project import Project

if TYPE_CHECKING:
    from mesh.environments import Opened


def build(opened: Opened, environment: str, out: Path, *, png: bool = True) -> list[Path]:
    """Write one HTML file per dashboard, `index.html`, and PNGs; the paths that were written.

    png: whether to take the pictures too, which needs seconds. Raises WrongUse when there is no
    such environment or the folder cannot be written, and CheckFailed when a spec is not in order.
    """
    pages = present_all(opened, environment)
    try:
        out.mkdir(parents=True, exist_ok=True)
        written = []
        for name, html in render(pages, opened.project).items():
            written.append(out / name)
            written[-1].write_text(html, encoding="utf-8")
        if png:
            written += pictures(pages, out)
    except OSError as error:
        raise WrongUse(
            f"the dashboards cannot be written: {error.strerror}.",
            where=Location(out),
            fix="Name another folder with --out.",
        ) from None
    return written


def present_all(opened: Opened, environment: str, *, specs: Path | None = None) -> list[PageView]:
    """All dashboards with the data of an environment, ready to be printed.

    specs: the folder of dashboards, where it is not the project's.
    """
    project = opened.project
    dashboards = checked_dashboards(specs or project.dashboards, project.contracts)
    opened.environment(environment)
    contracts = load_contracts(project.contracts)
    return [
        present(one.dashboard, read_data(opened, environment, one.dashboard), contracts)
        for one in dashboards
    ]


def render(pages: list[PageView], project: Project, served: Served | None = None) -> dict[str, str]:
    """The HTML files by name, the index first."""
    files = {f"{page.board.id}.html": page_html(page, pages, project, served) for page in pages}
    return {"index.html": index_html(pages, project, served)} | files
