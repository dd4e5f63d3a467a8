"""The kinds of promises: a new one is a module beside this one, and a line here.

The order is the one in which the rules of a column are enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.contracts.constraints.base import COMPARATORS, ColumnPromise, Option, TablePromise
from mesh.contracts.constraints.enum import Enum
from mesh.contracts.constraints.length import Length
from mesh.contracts.constraints.multiple_of import MultipleOf
from mesh.contracts.constraints.pattern import Pattern
from mesh.contracts.constraints.range import Range
from mesh.contracts.constraints.reconciles_with import ReconcilesWith
from mesh.contracts.constraints.required import Required
from mesh.contracts.constraints.row_count import RowCount
from mesh.contracts.constraints.sql import Sql
from mesh.contracts.constraints.unique import Unique, UniqueTogether

COLUMN_KINDS: tuple[type[ColumnPromise], ...] = (
    Required,
    Enum,
    Range,
    Length,
    Pattern,
    MultipleOf,
    Unique,
)
TABLE_KINDS: tuple[type[TablePromise], ...] = (RowCount, UniqueTogether, ReconcilesWith, Sql)


def options() -> dict[str, Option]:
    """The keys of logicalTypeOptions that some kind reads."""
    return {key: option for kind in COLUMN_KINDS for key, option in kind.options.items()}


def quality_keys() -> frozenset[str]:
    """The keys of a rule under `quality` that some kind reads."""
    return frozenset(COMPARATORS).union(*(kind.uses for kind in TABLE_KINDS))


def table_kind(keys: Mapping[str, Any]) -> type[TablePromise] | None:
    """The kind of a rule under `quality` that states these keys.

    Of several kinds of one type the key in their `implementation` tells which is meant; if there
    is none of them, the first says what is wrong.
    """
    metric = keys.get("metric") if keys.get("type") == TablePromise.type else None
    same = [k for k in TABLE_KINDS if (k.type, k.metric) == (keys.get("type"), metric)]
    said = keys.get("implementation")
    meant = [k for k in same if isinstance(said, Mapping) and k.said_by in said]
    return next(iter([*meant, *same]), None)


def counted(kind: str) -> str:
    """How the number of those that break a promise of a kind is told: `of them`, `found`."""
    told = {one.kind: one.counted for one in COLUMN_KINDS}
    told |= {one.kind: one.counted for one in TABLE_KINDS}
    return told.get(kind, "of them")
