"""Names from the data that Vega cannot group by: it keeps groups in plain objects of JavaScript,
and finds there what every object has."""

from __future__ import annotations

import json
import re
from typing import Any

_TAKEN = (
    *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
    *("toLocaleString", "toString", "valueOf", "__proto__"),
    *(f"__{verb}{what}__" for verb in ("define", "lookup") for what in ("Getter", "Setter")),
)
_QUOTED = re.compile(rf'"({"|".join(_TAKEN)})"')
# It takes no room, and makes another text of it.
_JOINER = "\u2060"


def drawable(name: str) -> str:
    """The name, or one that looks the same."""
    return name + _JOINER if name in _TAKEN else name


def all_drawable(spec: Any) -> Any:
    """The same of all texts of a specification, or of rows."""
    text = json.dumps(spec, default=str)
    return json.loads(_QUOTED.sub(rf'"\1{_JOINER}"', text)) if _QUOTED.search(text) else spec
