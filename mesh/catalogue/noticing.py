"""Rules that make a drafted contract notice what it would not, tried on the rows that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from mesh.bite.conditions import conditions, lineage
from mesh.bite.copy import memory
from mesh.bite.run import bitten
from mesh.bite.shapes import ties_to
from mesh.catalogue.profile import is_enough
from mesh.catalogue.sure import Made
from mesh.catalogue.unbuilt import place_of
from mesh.contracts import Contract
from mesh.contracts.draft import read_drafts
from mesh.contracts.load import build
from mesh.environments import Opened
from mesh.verify.engine import EngineRefuses

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment

# Of more rows a draft would take minutes; `mesh contracts bite` tells what it would not notice.
MOST_ROWS = 20_000


def noticing(
    opened: Opened,
    rows: exp.Expr,
    path: Path,
    known: Mapping[str, Contract],
    environment: Environment,
    made: Made,
) -> Iterator[dict[str, Any]]:
    """Rules that hold on a product's rows, and break when these are damaged in the standard ways;
    of few rows those alone that tie it to what it is made from.

    path: of the draft as far as it is. made: what its query says of its columns, and of what it is
    made from; what may be empty need not be there because no row has come yet without it. Nothing
    on an engine that would bill each damage.
    """
    adapter = opened.context.engine_adapter
    drafts, _ = read_drafts([path])
    if adapter.dialect != "duckdb" or path not in drafts:
        return
    contract = build(drafts[path])

    def resolve(product: str) -> exp.Table:
        place = rows if product == contract.product else place_of(opened, product, environment)
        if not isinstance(place, exp.Table):
            raise EngineRefuses(f"{product} is not in {environment.name}")
        return place.copy()

    read = dict.fromkeys(lineage(opened.models, contract.product))
    sources = [known[name] for name in read if name in known and name not in made.unmatched]
    there = [
        one
        for one in sources
        if (place := place_of(opened, one.product, environment)) is not None
        and is_enough(opened, place)
    ]
    asked = conditions(opened.models, contract.product)
    try:
        # Where the rows of a draft are is known to the cursor that made them.
        with memory(adapter.cursor, resolve) as copies:
            found = bitten(copies, contract, None, {}, there, asked=asked)
    except (duckdb.Error, EngineRefuses):
        return  # The draft stands without them.
    suggested = (one.suggestion for one in found.survivors)
    rules = {one.id: one.rule for one in suggested if one and not one.is_loose}
    for column, sure in made.columns.items():
        if sure.may_be_empty:
            rules.pop(f"{column}_is_there", None)
    is_told = is_enough(opened, rows)
    yield from (rule for rule in rules.values() if is_told or ties_to(rule))
