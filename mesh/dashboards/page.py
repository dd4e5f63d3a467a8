"""Pages from templates: self-contained HTML in which all text is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from mesh.dashboards.bundle import vega_script
from mesh.dashboards.charts import THEMES
from mesh.dashboards.view import PageView

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Served:
    """What a page of the local server has in addition: a picker, and when to load again."""

    environments: list[str]
    environment: str
    version: str


@lru_cache(maxsize=1)
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {"ensure_ascii": True, "separators": (",", ":")}
    return templates


def _own(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def page_html(page: PageView, others: list[PageView], served: Served | None = None) -> str:
    """One dashboard. others: all dashboards, for the links at the top."""
    charts = {
        chart.id: {"vega": chart.vega, "height": chart.height}
        for chart in page.charts
        if chart.vega
    }
    tables = {chart.id: chart.table for chart in page.charts if chart.table}
    data: dict[str, Any] = {"charts": charts, "tables": tables, "themes": THEMES}
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            page=page,
            others=others,
            data=data,
            vega=Markup(vega_script()) if charts else "",
            script=_own("page.js"),
            **_shell(served),
        )
    )


def index_html(pages: list[PageView], served: Served | None = None) -> str:
    """The way in: all dashboards of an environment."""
    return (
        _templates()
        .get_template("index.html.j2")
        .render(pages=pages, others=pages, **_shell(served))
    )


def _shell(served: Served | None) -> dict[str, Any]:
    return {
        "style": _own("page.css"),
        "theme_script": _own("theme.js"),
        "serve_script": _own("serve.js") if served else "",
        "served": served,
        "built_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }
