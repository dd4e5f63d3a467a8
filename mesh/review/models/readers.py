"""Models and charts of the work tree that read or show what is not there, or not any more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mesh.contracts import Contract
from mesh.dashboards import ChartUse
from mesh.dashboards.check import check_dashboard
from mesh.dashboards.read import dashboard_files, read_spec
from mesh.files.problems import Problem
from mesh.project import Project
from mesh.review.contracts.words import both_shortened
from mesh.review.models.both import Both
from mesh.review.models.changes import plain_error
from mesh.review.models.changes import rule as on_models
from mesh.review.models.meaning import reads
from mesh.review.rules import BREAKS, MAJOR, SAY, TELLS, WARNS, Change, Finding, Found, Place, Rules

rule: Rules[[Both]] = Rules("dashboard")
on_values: Rules[[Both]] = Rules("values")


def _gone(both: Both) -> Iterator[Finding]:
    """Columns that their contract has no longer."""
    return (f for f in both.known if f.rule in ("COLUMN_NO_DELETE", "COLUMN_NO_RENAME"))


@on_models(BREAKS, instead="Change the reader in this pull request, or keep the column.")
def consumer_no_break(both: Both) -> Found:
    """Whatever still reads a column that goes is repaired in the same pull request."""
    gone = {(f.product, f.column) for f in _gone(both) if f.column}
    for name, was in both.base.models.items():
        now = both.head.models.get(name)
        if now and name not in both.diff.pairs and now.columns:
            gone |= {(name, column) for column in was.columns.keys() - now.columns.keys()}
    for name, model in both.head.models.items():
        where = Place(model.path, 1)
        before = both.base.models.get(name)
        if model.unread and before and not before.unread:
            where = both.files.place(name, None) if model.public else where
            what = plain_error(model.unread, both.new.root)
            yield Change(name, f"{name} cannot be resolved any more: {what}", where)
        lost = [p for p in model.parents if p in both.base.models and p not in both.head.models]
        if gone:
            read = reads(model)
            for parent, column in sorted(gone & read.filters.union(*read.values.values())):
                source = both.head.models.get(parent)
                if source and source.columns and column not in source.columns:
                    lost.append(f"{parent}.{column}")
        for what in lost:
            yield Change(name, f"{name} still reads {what}, which goes in this change.", where)


@on_values(BREAKS, MAJOR, "Change those who ask for it first.")
def enum_no_drop_in_use(both: Both) -> Found:
    """A chart or a model that asks for this value would silently find nothing."""
    for one in (f for f in both.known if f.rule == "ENUM_NARROWED" and f.column and f.before):
        source = both.diff.head.sources.get(one.product)
        column = source.contract.column(one.column or "") if source else None
        if column is None:
            continue
        lost = set(one.before.split(", ")) - {str(v.value) for v in column.enum}
        asking = [
            f"{name} asks for the value {value} of {at}, which no longer comes."
            for name, model in both.head.models.items()
            for parent, at, value in sorted(reads(model).compared)
            if (parent, at) == (one.product, one.column) and value in lost
        ]
        asking += [
            f"The chart {chart.name} asks for the value {value} of {one.column}."
            for chart in both.charts.values()
            if chart.product == one.product and one.column
            for value in sorted(chart.values.get(one.column, frozenset()) & lost)[:1]
        ]
        for message in asking:
            yield Change(one.product, message, one.where, column=one.column)


@rule(BREAKS, instead="Change the chart in this pull request, or keep what it reads.")
def chart_no_break(both: Both) -> Found:
    """A chart reads columns and values that are there."""
    promised = {product: source.contract for product, source in both.diff.head.sources.items()}
    yield from edited_dashboards(both.old, both.new, promised)
    there = {*promised, *both.diff.head.unreadable}
    for name, chart in both.charts.items():
        where = both.place(chart)
        known = chart.product in there or not there or chart.product.count(".") != 1
        if name in both.old_charts and not known:
            message = f"The chart {name} reads {chart.product}, which has no contract any more."
            yield Change(chart.product, message, where)
        for one in _gone(both):
            if chart.product == one.product and one.column in chart.columns:
                message = f"The chart {name} reads {one.column}, which goes in this change."
                yield Change(one.product, message, where, column=one.column)


def edited_dashboards(old: Project, new: Project, contracts: Mapping[str, Contract]) -> Found:
    """What an edit of a dashboard broke: what its former state would break too is not told here."""
    for path in dashboard_files(new.dashboards):
        before = old.dashboards / path.name
        if before.is_file() and before.read_bytes() == path.read_bytes():
            continue
        known = _problems(before, contracts) if before.is_file() else ()
        if known is None:
            continue
        said = {(problem.rule, problem.message) for problem in known}
        for problem in _problems(path, contracts, unreadable=before.is_file()) or ():
            if (problem.rule, problem.message) not in said:
                yield Change(
                    path.stem,
                    f"{problem.rule}: {problem.message}",
                    Place(new.shown(path).as_posix(), problem.line),
                    fix=problem.fix,
                )


def _problems(
    path: Path, contracts: Mapping[str, Contract], *, unreadable: bool = False
) -> list[Problem] | None:
    """Problems that concern the data; None, or why, when the file is no dashboard."""
    loaded, wrong = read_spec(path)
    if loaded is None:
        return sorted(wrong) if unreadable else None
    return sorted({*check_dashboard(loaded, contracts, of_data=True)})


@rule(WARNS, instead=SAY)
def chart_no_delete(both: Both) -> Found:
    """Somebody looks at each chart."""
    for name, chart in both.old_charts.items():
        if name not in both.charts:
            message = f"The chart {name} ({chart.title}) was deleted."
            yield Change(chart.product, message, both.place(chart))


def _kept(both: Both) -> Iterator[tuple[ChartUse, ChartUse]]:
    """The charts of both that are stated otherwise."""
    for name, chart in both.charts.items():
        before = both.old_charts.get(name)
        if before and before.stated != chart.stated:
            yield before, chart


def _told(both: Both, chart: ChartUse, message: str, gone: list[str], new: list[str]) -> Change:
    was, now = both_shortened("; ".join(gone), "; ".join(new))
    return Change(chart.product, message, both.place(chart), before=was, after=now)


@rule(WARNS, instead="Say so in its title, or in its note.")
def chart_shows_other(both: Both) -> Found:
    """Who knows a chart by its title reads other numbers under it."""
    for before, chart in _kept(both):
        if moved := _relabelled(before, chart):
            message = f"In the chart {chart.name}, {moved} stands for another value now."
            yield Change(chart.product, message, both.place(chart))
        if before.shows != chart.shows:
            kept = " Its title is as it was." if before.title == chart.title else ""
            message = f"The chart {chart.name} shows something else.{kept}"
            yield _told(both, chart, message, _apart(before, chart), _apart(chart, before))


def _relabelled(before: ChartUse, chart: ChartUse) -> str:
    """The first text that named one value and names another; "" for none."""
    was, now = (
        {text: key for at, key, text in _leaves(json.loads(one.stated)) if at == "labels"}
        for one in (before, chart)
    )
    moved = (text for text in was if text in now and was[text] != now[text])
    return next((f"`{text}`" for text in moved), "")


def _apart(one: ChartUse, other: ChartUse) -> list[str]:
    """What decides on the numbers of a chart, and not on those of the other."""
    return [
        f"{key}: {part}"
        for key, parts in one.shows.items()
        for part in parts
        if part not in other.shows.get(key, ())
    ]


@rule(TELLS)
def chart_changed(both: Both) -> Found:
    """Readers of a chart see when it is shown otherwise."""
    for before, chart in _kept(both):
        if before.shows == chart.shows:
            was, now = (
                [
                    f"{key}: {value}" if key else value
                    for _, key, value in _leaves(json.loads(one.stated))
                ]
                for one in (before, chart)
            )
            gone, new = ([one for one in a if one not in b] for a, b in ((was, now), (now, was)))
            yield _told(both, chart, f"The chart {chart.name} was changed.", gone, new)


def _leaves(stated: Any, key: str = "", above: str = "") -> Iterator[tuple[str, str, str]]:
    """All values of a specification, each with the two keys under which it stands."""
    if isinstance(stated, dict):
        for name, part in stated.items():
            yield from _leaves(part, name, key)
    elif isinstance(stated, list):
        for part in stated:
            yield from _leaves(part, key, above)
    else:
        yield above, key, str(stated)


@rule(TELLS)
def chart_added(both: Both) -> Found:
    """A new chart concerns nobody yet."""
    for name, chart in both.charts.items():
        if name not in both.old_charts:
            yield Change(chart.product, f"The chart {name} is new.", both.place(chart))
