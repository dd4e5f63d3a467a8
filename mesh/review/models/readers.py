"""Models and charts of the work tree that read or show what is not there, or not any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mesh.dashboards import ChartUse
from mesh.review.contracts.words import both_shortened
from mesh.review.dashboards import edited_dashboards
from mesh.review.models.both import Both
from mesh.review.models.changes import plain_error
from mesh.review.models.changes import rule as on_models
from mesh.review.models.meaning import reads
from mesh.review.rules import BREAKS, MAJOR, NONE, SAY, TELLS, WARNS, Change, Finding, Place, Rules

rule: Rules[[Both]] = Rules("dashboard")
on_values: Rules[[Both]] = Rules("values")


def _gone(both: Both) -> Iterator[Finding]:
    """Columns that their contract has no longer."""
    return (f for f in both.known if f.rule in ("COLUMN_NO_DELETE", "COLUMN_NO_RENAME"))


@on_models(BREAKS, NONE, "Change the reader in this pull request, or keep the column.")
def consumer_no_break(both: Both) -> Iterator[Change]:
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
            message = f"{name} cannot be resolved any more: {what}"
            yield Change(product=name, message=message, where=where)
        lost = [p for p in model.parents if p in both.base.models and p not in both.head.models]
        if gone:
            read = reads(model)
            for parent, column in sorted(gone & read.filters.union(*read.values.values())):
                there = both.columns(both.head, parent)
                if there and column not in there:
                    lost.append(f"{parent}.{column}")
        for what in lost:
            message = f"{name} still reads {what}, which goes in this change."
            yield Change(product=name, message=message, where=where)


@on_values(BREAKS, MAJOR, "Change those who ask for it first.")
def enum_no_drop_in_use(both: Both) -> Iterator[Change]:
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
            yield Change(product=one.product, message=message, where=one.where, column=one.column)


@rule(BREAKS, NONE, "Change the chart in this pull request, or keep what it reads.")
def chart_no_break(both: Both) -> Iterator[Change]:
    """A chart reads columns and values that are there."""
    promised = {product: source.contract for product, source in both.diff.head.sources.items()}
    yield from edited_dashboards(both.old, both.new, promised)
    there = {*promised, *both.diff.head.unreadable}
    for name, chart in both.charts.items():
        where = both.place(chart)
        known = chart.product in there or not there or chart.product.count(".") != 1
        if name in both.old_charts and not known:
            message = f"The chart {name} reads {chart.product}, which has no contract any more."
            yield Change(product=chart.product, message=message, where=where)
        for one in _gone(both):
            if chart.product == one.product and one.column in chart.columns:
                message = f"The chart {name} reads {one.column}, which goes in this change."
                yield Change(product=one.product, message=message, where=where, column=one.column)


@rule(WARNS, NONE, SAY)
def chart_no_delete(both: Both) -> Iterator[Change]:
    """Somebody looks at each chart."""
    for name, chart in both.old_charts.items():
        if name not in both.charts:
            message = f"The chart {name} ({chart.title}) was deleted."
            yield Change(product=chart.product, message=message, where=both.place(chart))


@rule(WARNS, NONE, "Say so in its title, or in its note.")
def chart_shows_other(both: Both) -> Iterator[Change]:
    """Who knows a chart by its title reads other numbers under it."""
    for name, chart in both.charts.items():
        before = both.old_charts.get(name)
        if before is None:
            continue
        if before.stated != chart.stated and (moved := _relabelled(before, chart)):
            yield Change(
                product=chart.product,
                message=f"In the chart {name}, {moved} stands for another value now.",
                where=both.place(chart),
            )
        if before.shows == chart.shows:
            continue
        was, now = both_shortened(
            "; ".join(_apart(before, chart)), "; ".join(_apart(chart, before))
        )
        kept = " Its title is as it was." if before.title == chart.title else ""
        yield Change(
            product=chart.product,
            message=f"The chart {name} shows something else.{kept}",
            where=both.place(chart),
            before=was,
            after=now,
        )


def _relabelled(before: ChartUse, chart: ChartUse) -> str:
    """The first text that named one value and names another; "" for none."""
    was, now = (dict(_labels(json.loads(one.stated))) for one in (before, chart))
    moved = (text for text in was if text in now and was[text] != now[text])
    return next((f"`{text}`" for text in moved), "")


def _labels(stated: Any) -> Iterator[tuple[str, str]]:
    """The texts of a specification that stand for values, each with its value."""
    if isinstance(stated, dict):
        for key, part in stated.items():
            if key == "labels" and isinstance(part, dict):
                yield from ((str(text), str(value)) for value, text in part.items())
            else:
                yield from _labels(part)
    elif isinstance(stated, list):
        for part in stated:
            yield from _labels(part)


def _apart(one: ChartUse, other: ChartUse) -> list[str]:
    """What decides on the numbers of a chart, and not on those of the other."""
    return [
        f"{key}: {part}"
        for key, parts in one.shows.items()
        for part in parts
        if part not in other.shows.get(key, ())
    ]


@rule(TELLS, NONE)
def chart_changed(both: Both) -> Iterator[Change]:
    """Readers of a chart see when it is shown otherwise."""
    for name, chart in both.charts.items():
        before = both.old_charts.get(name)
        if before and before.stated != chart.stated and before.shows == chart.shows:
            where = both.place(chart)
            was, now = ([*_leaves(json.loads(one.stated))] for one in (before, chart))
            gone, new = both_shortened(
                "; ".join(part for part in was if part not in now),
                "; ".join(part for part in now if part not in was),
            )
            yield Change(
                product=chart.product,
                message=f"The chart {name} was changed.",
                where=where,
                before=gone,
                after=new,
            )


def _leaves(stated: Any, key: str = "") -> Iterator[str]:
    """All values of a specification, each with the key under which it stands."""
    if isinstance(stated, dict):
        for name, part in stated.items():
            yield from _leaves(part, name)
    elif isinstance(stated, list):
        for part in stated:
            yield from _leaves(part, key)
    else:
        yield f"{key}: {stated}" if key else str(stated)


@rule(TELLS, NONE)
def chart_added(both: Both) -> Iterator[Change]:
    """A new chart concerns nobody yet."""
    for name, chart in both.charts.items():
        if name not in both.old_charts:
            where = both.place(chart)
            message = f"The chart {name} is new."
            yield Change(product=chart.product, message=message, where=where)
