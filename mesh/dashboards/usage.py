"""Which columns and values each chart reads, of any folder of dashboards, valid or not.

Derived from what the models say of their keys, not listed by hand. A file is taken as far as it can
be read, so that a dashboard that is being changed, or an older revision's, can still be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.dashboards.marks import IsColumn, IsMetric, IsValue, marks
from mesh.dashboards.read import DASHBOARD, DashboardInvalid, dashboard_files
from mesh.dashboards.spec import Dashboard
from mesh.files.tree import Steps, Tree, read_tree

# What a chart says of itself that changes no number.
_LOOKS = {
    *("id", "title", "look_at", "note", "position", "words", "page_size", "search", "version"),
    *("label", "labels", "format", "colour", "colours", "against", "kind", "question"),
}


@dataclass(frozen=True)
class ChartUse:
    """What one chart reads of its product.

    path: of the file, line: where the chart begins in it. columns: all that it names, its metrics'
    and its source's included. values: by column, those that it asks for or has a label for.
    stated: all that the file says of it, with its source and its metrics, in any order of keys.
    shows: of that what decides which numbers it shows, by key; how they look is left out.
    """

    dashboard: str
    id: str
    title: str
    product: str
    path: Path
    line: int
    columns: frozenset[str]
    values: Mapping[str, frozenset[str]]
    stated: str
    shows: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        return f"{self.dashboard}/{self.id}"


@dataclass(frozen=True)
class Usage:
    """The charts of a folder, by name, and the files of which nothing could be made."""

    charts: Mapping[str, ChartUse]
    unreadable: tuple[Path, ...]


def read_usage(folder: Path) -> Usage:
    """What all dashboards of a folder read; nothing when there is no such folder."""
    charts: dict[str, ChartUse] = {}
    unreadable = []
    for path in dashboard_files(folder):
        try:
            tree = read_tree(path, DASHBOARD)
        except DashboardInvalid:
            unreadable.append(path)
            continue
        charts |= {chart.name: chart for chart in _charts(tree)}
    return Usage(charts, tuple(unreadable))


def _charts(tree: Tree) -> Iterator[ChartUse]:
    sources, metrics = (_mapping(tree.data.get(key)) for key in ("sources", "metrics"))
    found = list(marks(Dashboard, tree.data))
    charts, controls = (_listed(tree.data.get(key)) for key in ("charts", "controls"))
    for index, entry in enumerate(charts):
        if not isinstance(entry, dict) or "id" not in entry:
            continue
        alias = str(entry.get("source"))
        product = str(_mapping(sources.get(alias)).get("product") or alias)
        here: Steps = ("charts", index)
        own = [mark for mark in found if mark.steps[:2] == here]
        measured = {str(mark.value) for mark in own if isinstance(mark.what, IsMetric)}
        # A source's own columns, such as its as-of date, stand behind each of its charts.
        around = {("sources", alias), *(("metrics", name) for name in measured)}
        own += [mark for mark in found if mark.steps[:2] in around]
        # So does what is picked on top of its page.
        picked = {
            place: entry
            for place, entry in enumerate(controls)
            if alias in _listed(_mapping(entry).get("sources"))
        }
        own += [
            mark
            for mark in found
            if mark.steps[0] == "controls"
            and mark.steps[1] in picked
            and (mark.steps[2] == "field" or picked[mark.steps[1]]["sources"][0] == alias)
        ]
        values: dict[str, set[str]] = {}
        for mark in own:
            if isinstance(mark.what, IsValue) and mark.field:
                values.setdefault(mark.field, set()).add(str(mark.value))
        used = {name: metrics.get(name) for name in sorted(measured)}
        stated = [entry, sources.get(alias), used, *picked.values()]
        of_source = {"source": _mapping(sources.get(alias)) | {"product": _unversioned(product)}}
        yield ChartUse(
            dashboard=tree.path.stem,
            id=str(entry["id"]),
            title=str(entry.get("title") or entry["id"]),
            product=product,
            path=tree.path,
            line=tree.line(here),
            columns=frozenset(m.value for m in own if isinstance(m.what, IsColumn)),
            values={column: frozenset(those) for column, those in values.items()},
            stated=json.dumps(stated, sort_keys=True, default=str),
            shows=dict(_deciding(entry | of_source | {f"metric {k}": v for k, v in used.items()})),
        )


def _unversioned(product: str) -> str:
    """A product by the name that its versions share: to move to the next one is wanted."""
    return re.sub(r"_v\d+$", "", product)


def _deciding(stated: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """By key what decides on the numbers, each part of a list for itself."""
    for key, node in stated.items():
        if key not in _LOOKS:
            yield key, tuple(map(_told, node if isinstance(node, list) else [node]))


def _told(node: Any) -> str:
    if isinstance(node, dict):
        return ", ".join(f"{k}: {_told(v)}" for k, v in sorted(node.items()) if k not in _LOOKS)
    if isinstance(node, list):
        return f"[{', '.join(map(_told, node))}]"
    return str(node)


def _listed(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def _mapping(node: Any) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}
