"""What Pydantic's models say of a place in a file: the types that may stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from mesh.files.tree import Steps

LISTS = (list, Sequence)


def types_at(model: type[BaseModel], data: Any, steps: Steps) -> list[Any]:
    """The types that may stand at these steps, by what the file says on the way."""
    found: list[Any] = [model]
    for step in steps:
        inside: list[Any] = []
        for one in found:
            if get_origin(one) in LISTS or get_origin(one) is dict:
                inside += members(get_args(one)[-1])
        for model in models_among(found, data):
            for name, field in model.model_fields.items():
                if (field.alias or name) == step:
                    inside += members(field.annotation)
        found, data = inside, value_at(data, (step,))
    return found


def models_among(types: list[Any], data: Any) -> list[type[BaseModel]]:
    """The models among types; of several those whose kind is the one in the file."""
    models = [one for one in types if is_model(one)]
    return [one for one in models if _is_of_its_kind(one, data)] if len(models) > 1 else models


def _is_of_its_kind(model: type[BaseModel], data: Any) -> bool:
    for name, field in model.model_fields.items():
        if field.is_required() and get_origin(field.annotation) is Literal:
            return isinstance(data, dict) and data.get(name) in get_args(field.annotation)
    return True


def members(annotation: Any) -> Iterator[Any]:
    """The types in a union, without what is annotated to them."""
    if get_origin(annotation) is Annotated:
        yield from members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from members(one)
    else:
        yield annotation


def is_model(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


def value_at(data: Any, steps: Steps) -> Any:
    """What stands at these steps; None where there is nothing."""
    for step in steps:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data
