"""Rules that tie a drafted product to what it is made from, where its data shows that they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from mesh.bite.reconcile import differing, side
from mesh.bite.shapes import reconciling, ties_to
from mesh.catalogue.profile import count, is_enough
from mesh.catalogue.unbuilt import place_of
from mesh.contracts import Contract
from mesh.contracts.sql import is_plain
from mesh.contracts.types import bigquery_type
from mesh.environments import Opened
from mesh.environments.names import query_inputs

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

NUMBER, DAY = "INT64", "DATE"


def tied(
    opened: Opened,
    model: Model,
    rows: exp.Expr,
    grain: tuple[str, ...],
    known: Mapping[str, Contract],
    environment: Environment,
    unmatched: Collection[str],
) -> Iterator[dict[str, Any]]:
    """A rule for each contracted input whose counts, sums and newest days are the product's.

    unmatched: those that need not have a row for each of the product; their sums are compared, not
    group by group.
    """
    columns = model.columns_to_types or {}
    types = {c: bigquery_type(t) for c, t in columns.items() if is_plain(c)}
    if model.managed_columns:
        return  # It has what its rows were before, too.
    for name in sorted(query_inputs(model)):
        place = place_of(opened, name, environment)
        # Sums over many rows agree by no chance, however few rows they make.
        if name not in known or place is None or not is_enough(opened, place):
            continue
        there = {c.name: c.bigquery_type for c in known[name].columns if is_plain(c.name)}
        by = [column for column in grain if column in types and there.get(column) == types[column]]
        by = [] if name in unmatched else by
        pairs = list(_pairs({c: t for c, t in types.items() if c not in by}, there))
        if not pairs:
            continue
        own, other = (
            side(table.copy(), by, texts).subquery()
            for table, texts in zip((rows, place), zip(*pairs, strict=True), strict=True)
        )
        places = [(number, number, False) for number in range(len(pairs))]
        lost, *off = opened.rows(differing(own, other, len(by), places))[0]
        measures: dict[str, str] = {}
        for (mine, theirs), wrong in zip(pairs, off, strict=True):
            if not (lost or wrong):
                measures.setdefault(mine, theirs)
        if measures:
            id = f"agrees_with_{name.partition('.')[2]}"
            words = f"It agrees with {name}, of which it is made."
            yield reconciling(id, words, name, by, measures)


def rows_of_inputs(
    opened: Opened, rules: Iterable[dict[str, Any]], environment: Environment
) -> dict[str, int]:
    """How many rows those have to which rules tie a product."""
    places = {name: place_of(opened, name, environment) for name in {*map(ties_to, rules)} - {""}}
    return {name: count(opened, place) for name, place in places.items() if place is not None}


def _pairs(here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Aggregates here and there that might be equal, the likeliest first."""
    for column, kind in here.items():
        if kind == NUMBER and not column.lower().endswith("id"):
            same = [c for c, other in there.items() if other == NUMBER and not c.endswith("id")]
            same.sort(key=lambda one: one != column)
            keys = [c for c in there if c.lower().endswith("id")]
            theirs = [*(f"SUM({c})" for c in same), "COUNT(*)"]
            theirs += [f"COUNT(DISTINCT {c})" for c in keys]
            yield from ((f"SUM({column})", one) for one in theirs)
        elif kind == DAY:
            days = [c for c, other in there.items() if other == DAY]
            yield from ((f"MAX({column})", f"MAX({c})") for c in days)
