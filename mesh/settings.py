"""What a project states beside its models: its sources, and what the variable `mesh` tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from mesh.errors import Location, WrongUse

TIME_TYPES = ("TIMESTAMP", "DATETIME", "DATE")


@dataclass(frozen=True)
class Source:
    """A table that models read and this project does not build: an external model of SQLMesh's.

    columns: BigQuery types by name, as far as they are stated.
    """

    schema: str
    name: str
    columns: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def product(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def time(self) -> str | None:
        """The first column that says when a row happened; None for what has no time."""
        return next((name for name, kind in self.columns.items() if kind in TIME_TYPES), None)


@dataclass(frozen=True)
class Settings:
    """What the variable `mesh` in SQLMesh's configuration tells.

    version: of what `mesh init` wrote. deliveries: the schema with the log of what was delivered
    to the sources in it, if there is one. growth: by key column the power with which the rows of a
    table grow when the largest source does. title, purpose: what the dashboards are about together,
    on the page that lists them. bite: the share, 0 to 1, of standard damages that each contract has
    to notice unless it says otherwise itself. as_of: the day of use of data that grows no more.
    uncontracted: the models and sources, by `<schema>.<name>`, that have no finished contract yet.
    """

    version: int | None = None
    deliveries: str | None = None
    growth: Mapping[str, float] = field(default_factory=dict)
    title: str | None = None
    purpose: str | None = None
    bite: float | None = None
    as_of: str | None = None
    uncontracted: Sequence[str] = ()


def settings_of(stated: Mapping[str, Any], config: Path) -> Settings:
    """The settings that a configuration states; WrongUse for what is none, or of no use.

    config: what messages call the file.
    """
    here = Location(config)
    if unknown := set(stated) - set(_MEANT):
        raise WrongUse(
            f"`variables: mesh` has no key {', '.join(sorted(map(str, unknown)))}.",
            where=here,
            fix=f"Known are {', '.join(_MEANT)}.",
        )
    for key, value in stated.items():
        is_right, meant = _MEANT[key]
        if value is not None and not is_right(value):
            raise WrongUse(
                f"`variables: mesh: {key}` is not {meant}: {value!r}.",
                where=here,
                fix="Mend it, or leave it out.",
            )
    return Settings(**{key: value for key, value in stated.items() if value is not None})


def _is_power(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value) and value >= 0


_MEANT: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "version": (lambda value: type(value) is int, "a whole number"),
    "deliveries": (lambda value: isinstance(value, str), "the name of a schema"),
    "growth": (
        lambda value: isinstance(value, Mapping) and all(map(_is_power, value.values())),
        "a mapping of columns to powers of 0 or more",
    ),
    "title": (lambda value: isinstance(value, str), "a text"),
    "purpose": (lambda value: isinstance(value, str), "a text"),
    "bite": (lambda value: _is_power(value) and value <= 1, "a share from 0 to 1"),
    "as_of": (lambda value: isinstance(value, str), "a day in quotes"),
    "uncontracted": (
        lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
        "a list of names as `schema.model`",
    ),
}


def sources_in(entries: Any, shown: Path) -> dict[str, Source]:
    """The sources that one file of external models states, by `<schema>.<table>`.

    One without a schema is no product, and has no contract. Raises WrongUse for what SQLMesh
    cannot read either.
    """
    found = {}
    for number, entry in enumerate(_listed(entries, shown), 1):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        columns = (entry.get("columns") or {}) if isinstance(entry, Mapping) else None
        if not name:
            raise _no_sources(shown, f"entry {number} has no name")
        if not isinstance(columns, Mapping):
            raise _no_sources(shown, f"the columns of {name} are no mapping")
        *_, schema, table = ("", *(part.strip('`"') for part in str(name).split(".")))
        if schema:
            types = {str(key): str(kind).upper() for key, kind in columns.items()}
            found[f"{schema}.{table}"] = Source(schema, table, types)
    return found


def _listed(entries: Any, shown: Path) -> list[Any]:
    if isinstance(entries, list):
        return entries
    if entries is None:
        return []
    raise _no_sources(shown, "it holds no list")


def _no_sources(shown: Path, wrong: str) -> WrongUse:
    return WrongUse(
        f"these are no external models: {wrong}.",
        where=Location(shown),
        fix="Write a list of `- name: schema.table` with `columns:`, a mapping of names to types.",
    )
