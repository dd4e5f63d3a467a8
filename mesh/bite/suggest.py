"""Rules that would notice what no rule of the contract does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from mesh.bite.copy import Copy
from mesh.bite.ways import Damage


@dataclass(frozen=True)
class Suggestion:
    """A rule as it stands under `quality` of a contract."""

    rule: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.rule["id"])

    def lines(self, indent: int = 6) -> list[str]:
        """The rule in YAML, as deep as rules stand in a contract."""
        text = yaml.dump([self.rule], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=90)
        return [" " * indent + line if line else "" for line in text.splitlines()]


class _Dumper(yaml.SafeDumper):
    pass


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block)


@dataclass
class Suggestions:
    copy: Copy
    made: list[Suggestion] = field(default_factory=list)

    def that_notices(self, damage: Damage) -> Suggestion | None:
        return None
