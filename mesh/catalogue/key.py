"""The key of a draft: as the model states it, as its query groups, or as rows show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from mesh.catalogue.profile import Profile, different
from mesh.catalogue.sure import Made
from mesh.environments import Opened
from mesh.lint.header import stated_grains
from mesh.words import joined, many

if TYPE_CHECKING:
    from sqlmesh.core.model import Model


@dataclass(frozen=True)
class Key:
    """The columns that tell rows apart; none where nothing says which. notes: what is odd about the
    grain that the MODEL block tells."""

    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()


def key(
    opened: Opened,
    model: Model,
    made: Made,
    place: exp.Expr | None,
    seen: Profile | None,
    built: bool,
) -> Key:
    """The key of a draft, which the rows that there are do not disprove.

    place, seen: its rows, if there are any. built: whether they are those of its table, or what its
    query makes when it is run once.
    """
    notes = [_odd_grain(model)]
    for stated, is_merged in ((_grain(model), False), (_found_again_by(model), not built)):
        # Rows of one run of the query are merged by its key when they are built.
        doubt = _doubt(opened, stated, place, seen) if stated and not is_merged else ""
        if stated and not doubt:
            return Key(stated, tuple(filter(None, notes)))
        notes.append(doubt)
    told = tuple(dict.fromkeys(filter(None, notes)))
    grouped = _grouped(model, made)
    if grouped and not _doubt(opened, grouped, place, seen):
        return Key(grouped, told)
    # What is run once has one row of each group, and a table to which rows are added need not.
    by_chance = made.key and not grouped and not built
    return Key(() if seen is None or by_chance else seen.grain, told)


def _odd_grain(model: Model) -> str:
    """That the grain of the MODEL block is none of its columns."""
    columns = model.columns_to_types or {}
    odd = [name for key in stated_grains(model)[:1] for name in key if name not in columns]
    if not odd:
        return ""
    return (
        f"Its grain in the MODEL block names {', '.join(odd)}, which is no column of it: the key "
        "was looked for in the rows."
    )


def _grain(model: Model) -> tuple[str, ...]:
    """The grain of the MODEL block; of a history with the moment from which on a row is so."""
    if not model.grains or _odd_grain(model):
        return ()
    return _of_history(model, stated_grains(model)[0])


def _found_again_by(model: Model) -> tuple[str, ...]:
    """By what a model's kind finds its rows again."""
    keys = [key for key in model.unique_key if isinstance(key, exp.Column)]
    if not keys or len(keys) < len(model.unique_key):
        return ()
    return _of_history(model, tuple(key.name for key in keys))


def _of_history(model: Model, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Of what rows were before, each key has several, from another moment on each."""
    managed = [*model.managed_columns]
    return columns if {*managed} & {*columns} else (*columns, *managed[:1])


def _doubt(
    opened: Opened, stated: tuple[str, ...], place: exp.Expr | None, seen: Profile | None
) -> str:
    """That rows disprove a key that the model states, if they do."""
    if seen is None or place is None:
        return ""
    names = joined(stated)
    # Of a type that no contract can state a source may have columns that were not looked at.
    empty = max(seen.columns[column].nulls if column in seen.columns else 0 for column in stated)
    copies = seen.rows - different(opened, place, stated)
    if copies:
        why = f"does not tell {many(seen.rows, 'row')} apart: {copies:,} repeat another's"
    elif empty:
        why = f"is empty in {empty:,} of {many(seen.rows, 'row')}"
    else:
        return ""
    return (
        f"Its key in the MODEL block, {names}, {why}. The key was looked for in the rows; correct "
        "the model, or the rows."
    )


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
