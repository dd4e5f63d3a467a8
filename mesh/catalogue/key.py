"""The key of a draft: as the model states it, as its query groups, or as rows show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.catalogue.profile import Profile, tells_apart
from mesh.catalogue.sure import Made
from mesh.environments import Opened
from mesh.lint.header import stated_grains

if TYPE_CHECKING:
    from sqlmesh.core.model import Model


def key(
    opened: Opened,
    model: Model,
    made: Made,
    place: exp.Expr | None,
    seen: Profile | None,
    built: bool,
) -> tuple[str, ...]:
    """The columns that tell rows apart; none where nothing says which.

    place, seen: its rows, if there are any. built: whether they are those of its table, or what its
    query makes when it is run once.
    """
    if stated := _stated(model):
        return stated
    grouped = _grouped(model, made)
    if grouped and (seen is None or place is None or _is_of(opened, grouped, place, seen)):
        return grouped
    # What is run once has one row of each group, and a table to which rows are added need not.
    by_chance = made.key and not grouped and not built
    return () if seen is None or by_chance else seen.grain


def odd_grain(model: Model) -> str:
    """That the grain of the MODEL block is none of its columns."""
    columns = model.columns_to_types or {}
    odd = [name for key in stated_grains(model)[:1] for name in key if name not in columns]
    if not odd:
        return ""
    return (
        f"Its grain in the MODEL block names {', '.join(odd)}, which is no column of it: the key "
        "was looked for in the rows."
    )


def _stated(model: Model) -> tuple[str, ...]:
    """The key that the MODEL block tells: its grain, or by what its kind finds rows again."""
    if model.grains and not odd_grain(model):
        return stated_grains(model)[0]
    keys = [key for key in model.unique_key if isinstance(key, exp.Column)]
    if not keys or len(keys) < len(model.unique_key):
        return ()
    # Of what rows were before, each key has several, from another moment on each.
    return (*(key.name for key in keys), *[*model.managed_columns][:1])


def _grouped(model: Model, made: Made) -> tuple[str, ...]:
    """The key that the query groups by, with that by which runs of it are apart."""
    apart = _apart(model)
    if not made.key or apart is None or not made.columns.keys() >= {*apart}:
        return ()
    return tuple(dict.fromkeys((*made.key, *apart)))


def _apart(model: Model) -> tuple[str, ...] | None:
    """The columns in which no two runs of a query leave the same: none where each run makes the
    whole table, and None where any run may add to what another made."""
    kind = model.kind
    if kind.is_full or kind.is_view or kind.is_managed:
        return ()
    by: list[exp.Expr] = []
    if kind.is_incremental_by_time_range and model.time_column:
        by = [model.time_column.column]
    elif kind.is_incremental_by_partition:
        by = model.partitioned_by
    names = tuple(one.name for one in by if isinstance(one, exp.Column))
    return names if names and len(names) == len(by) else None


def _is_of(opened: Opened, key: tuple[str, ...], place: exp.Expr, seen: Profile) -> bool:
    """Whether it is the key of the rows that there are: each has it, and no two the same."""
    if any(seen.columns[column].nulls for column in key):
        return False
    return key == seen.grain or tells_apart(opened, place, key, seen.rows)
