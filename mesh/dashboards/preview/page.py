"""Pages from templates: self-contained HTML in which all text is escaped."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from mesh.dashboards import kinds
from mesh.dashboards.drawing.vega import THEMES, steps_css
from mesh.dashboards.drawing.view import ChartView
from mesh.dashboards.preview.bundle import vega_script
from mesh.dashboards.preview.present import PageView, drawing, up_to
from mesh.project import Project

TEMPLATES = Path(__file__).parent / "templates"
KINDS = Path(kinds.__file__).parent
# So many cards of a chart are packed together.
PACK = 40


@dataclass(frozen=True)
class Served:
    """What a page of the local server has in addition: a picker, and when to load again."""

    environments: list[str]
    environment: str
    version: str


@lru_cache(maxsize=1)
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader([TEMPLATES, KINDS]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {"ensure_ascii": True, "separators": (",", ":")}
    return templates


def _own(name: str, folder: Path = TEMPLATES) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((folder / name).read_text(encoding="utf-8"))


def _columns(data: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, list[Any]]]:
    """Rows as columns, which say each name once; the page makes rows of them again."""
    found = {}
    for name, rows in data.items():
        keys = dict.fromkeys(key for row in rows for key in row)
        found[name] = {key: [row.get(key) for row in rows] for key in keys}
    return found


def _packed(text: str) -> str:
    """A file within a page: packed by gzip, since a page has to stay small."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def page_html(
    page: PageView, others: list[PageView], project: Project, served: Served | None = None
) -> str:
    """One dashboard. others: all dashboards, for the links at the top."""
    charts = {c.spec.id: _drawn(c) for c in page.charts if c.vega}
    # Kept in the page, so that a page that was sent to somebody still has its numbers.
    files = {c.spec.id: _packed(c.csv) for c in page.charts if c.csv}
    contents = {c.spec.id: c.content for c in page.charts if c.spec.script and c.content}
    scripts = dict.fromkeys(c.spec.script for c in page.charts if c.spec.script)
    data = {"charts": charts, "contents": contents, "files": files, "themes": THEMES}
    own = ["page.js"]
    if page.controls:
        data |= {"controls": _controls(page), "picked": _picked(page)}
        own.append("controls.js")
    drawn = any(c.vega for one in page.picked.values() for c in one.cards)
    return _filled(
        "page.html.j2",
        served,
        page=page,
        cards=[_card(page, card) for card in page.charts],
        others=others,
        # A page that can show nothing is of the same data as those beside it.
        up_to=up_to([page] if page.as_of else others),
        data=data,
        vega=Markup(vega_script(project)) if charts or drawn else "",
        scripts=[*map(_own, own), *(_own(name, KINDS) for name in scripts)],
    )


def _drawn(card: ChartView) -> dict[str, Any]:
    """A picture as the page draws it."""
    # What a chart is called for screen readers; Vega's own word for all of them says nothing.
    vega = (card.vega or {}) | {"description": f"{card.spec.title}. {card.summary}"}
    panels = card.content.get("panels", [])
    return {
        "vega": vega,
        "height": card.height,
        "panels": [_columns(panel["values"]) for panel in panels],
        "called": [f"{card.spec.title}. {panel['name']}: {panel['last']}." for panel in panels],
    }


def _card(page: PageView, card: ChartView) -> Markup:
    with drawing(page.board, card.spec):
        return Markup(_templates().get_template(card.spec.partial).render(chart=card))


def _controls(page: PageView) -> list[dict[str, Any]]:
    """What can be picked, as the page needs it: [key, label] of each option."""
    return [
        {
            "id": one.spec.id,
            "notFound": one.not_found,
            "start": one.start,
            "stated": one.is_stated,
            "options": [[option.key, option.label] for option in one.options],
        }
        for one in page.controls
        if one.options
    ]


def _picked(page: PageView) -> dict[str, Any]:
    """All cards that can stand in the place of another, some of them packed together: cards of one
    chart are much alike, and a page unpacks only those that are asked for."""
    found = {}
    for name, picked in page.picked.items():
        cards = []
        for card in picked.cards:
            one: dict[str, Any] = {"html": _card(page, card), "csv": card.csv}
            if card.vega:
                one["chart"] = _drawn(card)
            if card.spec.script and card.content:
                one["content"] = card.content
            cards.append(one)
        packs = [
            _packed(json.dumps(cards[first : first + PACK], separators=(",", ":")))
            for first in range(0, len(cards), PACK)
        ]
        found[name] = {"controls": picked.controls, "pack": PACK, "packs": packs}
    return found


def index_html(pages: list[PageView], project: Project, served: Served | None = None) -> str:
    """The way in: all dashboards of an environment."""
    return _filled(
        "index.html.j2",
        served,
        pages=pages,
        others=pages,
        up_to=up_to(pages),
        title=project.settings.title or "Dashboards",
        purpose=project.settings.purpose or "",
    )


def _filled(template: str, served: Served | None, **values: Any) -> str:
    """A template with these values and with what stands around every page."""
    return (
        _templates()
        .get_template(template)
        .render(
            **values,
            style=_own("page.css") + Markup(steps_css()),
            theme_script=_own("theme.js"),
            serve_script=_own("serve.js") if served else "",
            served=served,
            built_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        )
    )
