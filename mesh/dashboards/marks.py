"""What a key of a dashboard names: a column, one of its values, or a metric.

The models say it where they define the key, so that checks, queries and lineage are derived from
there, and whoever adds a kind of chart writes it once. Files are walked as they are, valid or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from mesh.files.annotations import LISTS, is_model, models_among
from mesh.files.tree import Steps


@dataclass(frozen=True)
class IsColumn:
    """A column of the product.

    types: the logical types that can stand here; empty for any. use: whether the query reads it as
    it is, reads it only to sort (then a metric that shows it is enough), or only asks about it.
    listed: whether the contract must list its values. of_row: whether it has one value in each row
    that the chart shows.
    """

    types: tuple[str, ...] = ()
    use: Literal["shown", "sorted", "asked"] = "shown"
    listed: bool = False
    of_row: bool = False


@dataclass(frozen=True)
class IsValue:
    """A value of the column that stands beside it under `field`."""


@dataclass(frozen=True)
class IsMetric:
    """The name of a metric of the dashboard."""


What: TypeAlias = IsColumn | IsValue | IsMetric


@dataclass(frozen=True)
class Mark:
    """One name in a file. field: the column beside it, of which a value is one."""

    steps: Steps
    what: What
    value: Any
    field: str | None


def marks(model: type[BaseModel], data: Any, steps: Steps = ()) -> Iterator[Mark]:
    """All names in what a file says in the place of a model."""
    if isinstance(data, dict):
        for name, field in model.model_fields.items():
            if name in data:
                here = (*steps, name)
                yield from _marked(field.metadata, data[name], here, data)
                yield from _inside(field.annotation, data[name], here, data)


def _inside(annotation: Any, data: Any, steps: Steps, around: dict[str, Any]) -> Iterator[Mark]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _marked(arguments[1:], data, steps, around)
        yield from _inside(arguments[0], data, steps, around)
    elif origin in (Union, UnionType):
        models = models_among(list(arguments), data)
        for one in arguments:
            if one in models or not is_model(one):
                yield from _inside(one, data, steps, around)
    elif origin in LISTS and isinstance(data, list):
        for index, item in enumerate(data):
            yield from _inside(arguments[0], item, (*steps, index), around)
    elif origin is dict and isinstance(data, dict):
        for key, value in data.items():
            yield from _inside(arguments[0], key, (*steps, key), around)
            yield from _inside(arguments[1], value, (*steps, key), around)
    elif is_model(annotation):
        yield from marks(annotation, data, steps)


def _marked(metadata: Any, data: Any, steps: Steps, around: dict[str, Any]) -> Iterator[Mark]:
    if isinstance(data, str | int | float | bool):
        for one in metadata:
            if isinstance(one, IsColumn | IsValue | IsMetric):
                yield Mark(steps, one, data, around.get("field"))
