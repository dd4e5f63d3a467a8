"""How many damages contracts have to notice, and which day freshness is measured against."""

from __future__ import annotations

import re
from typing import Any

from mesh.bite.excuses import EXCUSED, SHARE, share_of
from mesh.bite.ways import damages
from mesh.contracts import Contract
from mesh.contracts.types import is_number
from mesh.errors import MeshError
from mesh.project import Project
from mesh.review.contracts.pair import Pair
from mesh.review.models.both import Both
from mesh.review.rules import BREAKS, PROJECT, Change, Found, Place, Rules

rule: Rules[[Both]] = Rules("guard")


@rule(BREAKS, instead="Put it back, or say in contracts/review.yaml why nobody would miss it.")
def bite_no_less(both: Both) -> Found:
    """A contract that has to notice less lets the damage through that it was written against."""
    was, now = (stated_settings(side) for side in (both.old, both.new))
    shares: list[Any] = [one.get("bite") for one in (was, now)]
    usual = [float(one) if is_number(one) else None for one in shares]
    if (less := _less(*usual)) and both.new.loads:
        message = f"Contracts have to notice {less} of the damages to their rows."
        yield Change(PROJECT, message, _line(both, "bite"))
    before, after = (str(one.get("as_of") or "") for one in (was, now))
    if after and (not before or after < before) and both.new.loads:
        message = f"Freshness is measured against {after} instead of {before or 'today'}."
        yield Change(PROJECT, message, _line(both, "as_of"))
    for product, pair in both.diff.pairs.items():
        # The project demands nothing of a contract with the source.
        old, new = (
            None if product in side.sources else one
            for side, one in zip((both.old, both.new), usual, strict=True)
        )
        stated = [pair.old.properties.get(SHARE), pair.new.properties.get(SHARE)]
        if stated[0] != stated[1] and (less := _less(_of(pair.old, old), _of(pair.new, new))):
            message = f"{product} has to notice {less} of the damages to its rows."
            yield _at(pair, SHARE, message)
        excused = _excused(pair.new) - _excused(pair.old)
        if gone := sorted(excused & {one.id for one in damages(pair.old)}):
            message = f"{product} need no longer notice {', '.join(gone)}."
            yield _at(pair, EXCUSED, message)


def stated_settings(project: Project) -> dict[str, Any]:
    """The variable `mesh` of a configuration, whatever stands in this environment."""
    try:
        configuration = project.configuration(lambda _, default=None: default)
        stated = (configuration.get("variables") or {}).get("mesh")
    except (MeshError, AttributeError):
        return {}
    return stated if isinstance(stated, dict) else {}


def _of(contract: Contract, usual: float | None) -> float | None:
    """The share that is demanded; what is stated wrongly is lint's to refuse, and demands none."""
    stated = contract.properties.get(SHARE)
    return share_of(contract, usual) if stated is None or is_number(stated) else None


def _less(was: float | None, now: float | None) -> str:
    """How much is demanded where it was more, in words; else nothing."""
    if not was or (now is not None and now >= was):
        return ""
    return f"{'none' if now is None else f'{now:.4g}'} instead of {was:.4g}"


def _excused(contract: Contract) -> set[str]:
    stated = contract.properties.get(EXCUSED)
    return set(map(str, stated)) if isinstance(stated, dict) else set()


def _line(both: Both, key: str) -> Place:
    """Where a key of the configuration stands; where it stood, when it is gone."""
    name = both.new.shown(both.new.config).as_posix()
    lines = both.new.config.read_text(encoding="utf-8").splitlines()
    there = (n for n, text in enumerate(lines, 1) if re.match(rf"\s*['\"]?{key}['\"]?\s*:", text))
    return Place(name, next(there, both.files.edited.get(name, 1)))


def _at(pair: Pair, name: str, message: str) -> Change:
    """A change at the custom property of this name, wherever it stands in the contract."""
    stated = re.compile(rf"property:\s*['\"]?{name}\b")
    stood, stands = (
        next((n for n, line in enumerate(text.splitlines(), 1) if stated.search(line)), None)
        for text in (pair.before.text, pair.after.text)
    )
    return pair.change(message, stands or pair.line_now(stood or 1))
