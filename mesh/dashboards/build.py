"""`mesh dashboards build`: the dashboards of an environment as files that anyone can open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.read import SPECS
from mesh.errors import Location, WrongUse

if TYPE_CHECKING:
    from mesh.dashboards.page import Served
    from mesh.dashboards.view import PageView
    from mesh.environments import Project


def build(
    project: Project,
    environment: str,
    out: Path,
    *,
    png: bool = True,
    specs: Path = SPECS,
) -> list[Path]:
    """Write one HTML file per dashboard, `index.html`, and PNGs; the paths that were written.

    png: whether to take the pictures too, which needs seconds. Raises WrongUse when there is no
    such environment or the folder cannot be written, and CheckFailed when a spec is not in order.
    """
    pages = present_all(project, environment, specs=specs)
    try:
        out.mkdir(parents=True, exist_ok=True)
        written = []
        for name, html in render(pages).items():
            path = out / name
            path.write_text(html, encoding="utf-8")
            written.append(path)
        if png:
            from mesh.dashboards.png import pictures

            written += pictures(pages, out)
    except OSError as error:
        raise WrongUse(
            f"the dashboards cannot be written: {error.strerror}.",
            where=Location(out),
            fix="Name another folder with --out.",
        ) from None
    return written


def present_all(project: Project, environment: str, *, specs: Path = SPECS) -> list[PageView]:
    """All dashboards with the data of an environment, ready to be printed."""
    dashboards = checked_dashboards(specs)
    project.environment(environment)

    from mesh.dashboards.data import read_data
    from mesh.dashboards.present import present

    return [
        present(loaded.dashboard, read_data(project, environment, loaded.dashboard))
        for loaded in dashboards
    ]


def render(pages: list[PageView], served: Served | None = None) -> dict[str, str]:
    """The HTML files by name, the index first."""
    from mesh.dashboards.page import index_html, page_html

    files = {"index.html": index_html(pages, served)}
    for page in pages:
        files[f"{page.id}.html"] = page_html(page, pages, served)
    return files
