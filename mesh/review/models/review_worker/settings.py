"""What a project's configuration says of how SQLMesh plans; none of it is a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel
from sqlmesh.core.config import Config

_OF_PLANS = (
    *("after_all", "before_all", "cicd_bot", "default_gateway", "environment_catalog_mapping"),
    *("environment_suffix_target", "environment_ttl", "gateway_managed_virtual_layer"),
    *("ignore_patterns", "model_defaults", "physical_schema_mapping"),
    *("physical_table_naming_convention", "pinned_environments", "plan", "run", "snapshot_ttl"),
    *("time_column_format", "virtual_environment_mode"),
)


def settings(config: Config) -> Mapping[str, str]:
    """Each setting by its place, as in `plan.forward_only`, with its value as text."""
    return dict(one for name in _OF_PLANS for one in _flat(name, getattr(config, name, None)))


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = {name.rstrip("_"): getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _flat(f"{place}.{getattr(key, 'pattern', key)}", one)
    elif isinstance(value, (set, frozenset)):
        yield from _flat(place, sorted(map(str, value)))
    elif value not in (None, [], ()):
        yield place, str(value.value if isinstance(value, Enum) else value)
