"""Which columns each chart of each dashboard reads, from the dashboards' own files.

Derived, not listed by hand: a chart reads every column of its product that it names, be it as a
dimension, in a filter, or through a metric. The files are read as plain YAML, so that a dashboard
that is being changed can still be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_PROSE = ("title", "description", "look_at", "note", "label", "id", "kind", "format", "version")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Chart:
    """One chart. text: all that its entry, its source and its metrics say, in any order of keys.

    words: every identifier and text in it, its metrics included.
    """

    dashboard: str
    id: str
    title: str
    product: str
    owner: str
    path: str
    line: int
    words: frozenset[str]
    values: frozenset[str]
    text: str

    @property
    def name(self) -> str:
        return f"{self.dashboard}/{self.id}"


def read_charts(root: Path) -> tuple[dict[str, Chart], list[str]]:
    """The charts under looker/ by name, and the files that are no YAML."""
    charts: dict[str, Chart] = {}
    broken: list[str] = []
    for file in sorted((root / "looker").glob("*.y*ml")):
        path = file.relative_to(root).as_posix()
        try:
            text = file.read_text(encoding="utf-8")
            data = yaml.safe_load(text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            broken.append(path)
            continue
        if isinstance(data, dict):
            for chart in _charts(file.name.split(".")[0], path, data, text):
                charts[chart.name] = chart
    return charts, broken


def _entries(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Entries of a list or a mapping, with their ids."""
    items = node.items() if isinstance(node, dict) else enumerate(node or [])
    for key, item in items:
        if isinstance(item, dict):
            yield str(item.get("id") or item.get("name") or key), item


def _find(node: Any, key: str) -> Iterator[Any]:
    """Every value under a key, at any depth."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from _find(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from _find(item, key)


def _charts(dashboard: str, path: str, data: dict[str, Any], text: str) -> Iterator[Chart]:
    sources = dict(_entries(data.get("sources")))
    metrics = {
        (name, metric): item
        for name, source in sources.items()
        for metric, item in _named_metrics(source.get("metrics"))
    }
    for metric, item in _named_metrics(data.get("metrics")):
        metrics[("", metric)] = item
    owner = str(data.get("owner") or data.get("team") or data.get("domain") or "")
    for group in _find(data, "charts"):
        for name, entry in _entries(group):
            source = str(entry.get("source") or "")
            product = str(sources.get(source, {}).get("product") or source)
            words, values = _words(entry)
            # A source's own columns, such as its as-of date, stand behind each of its charts.
            words |= _words(sources.get(source, {}))[0]
            measured = {}
            for metric in sorted(words):
                item = metrics.get((source, metric), metrics.get(("", metric)))
                if item is not None:
                    measured[metric] = item
                    more, other = _words(item)
                    words |= more
                    values |= other
            yield Chart(
                dashboard,
                name,
                str(entry.get("title") or name),
                product,
                owner,
                path,
                _line(text, name),
                frozenset(words),
                frozenset(values),
                json.dumps([entry, sources.get(source), measured], sort_keys=True, default=str),
            )


def _named_metrics(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield from ((str(name), item) for name, item in node.items())
    else:
        yield from _entries(node)


def _words(node: Any) -> tuple[set[str], set[str]]:
    """Identifiers and whole texts in an entry, except in its prose."""
    words: set[str] = set()
    values: set[str] = set()

    def walk(item: Any, key: str) -> None:
        if isinstance(item, dict):
            if key == "labels":
                values.update(map(str, item))
            for name, value in item.items():
                walk(value, "" if key == "labels" else str(name))
        elif isinstance(item, list):
            for value in item:
                walk(value, key)
        elif key not in _PROSE:
            values.add(str(item))
            words.update(_WORD.findall(str(item)))

    walk(node, "")
    return words, values


def _line(text: str, name: str) -> int:
    pattern = re.compile(rf"^\s*(?:-\s*)?(?:id:\s*)?['\"]?{re.escape(name)}['\"]?\s*:?\s*$")
    inline = re.compile(rf"\bid:\s*['\"]?{re.escape(name)}(?!\w)")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line) or inline.search(line):
            return number
    return 1


def columns_of(chart: Chart, known: Mapping[str, object]) -> set[str]:
    """The columns of its product that a chart names."""
    return set(known) & chart.words
