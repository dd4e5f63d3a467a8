"""contracts/review.yaml: how severe each kind of change is in this project, and why."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.files.problems import ContractInvalid, Problem, shown, suggestion
from mesh.files.tree import Steps, Tree, read_tree
from mesh.review.known import RULES
from mesh.review.rules import Finding, Level

FILE_NAME = "review.yaml"
_TOP = ("levels", "organisation")
_KEYS = ("rule", "level", "product", "reason")
# Without these a review could be switched off in part and still look whole.
_FIXED = ("CHANGE_UNKNOWN", "CONTRACT_INVALID", "PROJECT_NO_LOAD", "LEVEL_LOWERED")


@dataclass(frozen=True)
class LevelChange:
    """One entry: the level of a rule, for one product or for all, and why."""

    rule: str
    level: Level
    reason: str
    product: str | None = None
    line: int = 1


@dataclass(frozen=True)
class Levels:
    """All entries; one for a product goes before one for all."""

    changes: tuple[LevelChange, ...] = ()
    path: str = f"contracts/{FILE_NAME}"

    def entry(self, rule: str, product: str) -> LevelChange | None:
        own = [c for c in self.changes if c.rule == rule and c.product in (None, product)]
        return max(own, key=lambda c: c.product is not None, default=None)

    def level_of(self, rule: str, product: str) -> Level:
        entry = self.entry(rule, product)
        return entry.level if entry else RULES[rule].level

    def apply(self, found: Finding) -> Finding:
        """The finding at the level of this project."""
        entry = self.entry(found.rule, found.product)
        if entry is None:
            return found
        return dataclasses.replace(found, level=entry.level, reason=entry.reason)


def read_levels(folder: Path, path: str = f"contracts/{FILE_NAME}") -> Levels:
    """The levels of a folder of contracts; without a file all rules have their default.

    Raises ContractInvalid with all that is wrong with the file.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return Levels(path=path)
    tree = read_tree(file)
    problems = [*tree.problems, *_problems(tree)]
    if problems:
        raise ContractInvalid(problems)
    return Levels(
        tuple(
            LevelChange(
                item["rule"],
                Level(_text(item["level"])),
                item["reason"].strip(),
                item.get("product"),
                tree.line(("levels", index)),
            )
            for index, item in enumerate(tree.data.get("levels") or [])
        ),
        path,
    )


def read_both(
    base: Path | None, head: Path | None
) -> tuple[tuple[Levels, Levels], tuple[Problem, ...]]:
    """The levels of two folders of contracts, and what is wrong with those of the later one."""
    levels: list[Levels] = []
    problems: tuple[Problem, ...] = ()
    for folder in (base, head):
        try:
            levels.append(read_levels(folder) if folder else Levels())
            problems = ()
        except ContractInvalid as error:
            levels.append(Levels())
            problems = tuple(error.problems)
    return (levels[0], levels[1]), problems


def read_organisation(folder: Path) -> str:
    """The organisation whose teams own the files."""
    read_levels(folder)
    file = folder / FILE_NAME
    return (read_tree(file).data.get("organisation") if file.is_file() else None) or "organisation"


def lint_levels(folder: Path) -> list[Problem]:
    """All that is wrong with the levels of a folder of contracts."""
    try:
        read_levels(folder)
    except ContractInvalid as error:
        return list(error.problems)
    return []


def _text(value: Any) -> str:
    # YAML reads a bare `off` as false.
    return "off" if value is False else str(value)


def _problems(tree: Tree) -> Iterator[Problem]:
    def problem(steps: Steps, rule: str, message: str, fix: str) -> Problem:
        return Problem(tree.path, tree.line(steps), rule, message, fix)

    for key in tree.data:
        if key not in _TOP:
            message = f"There is no key `{shown(key)}` here."
            yield problem((key,), "KEY_UNKNOWN", message, suggestion(str(key), _TOP))
    organisation = tree.data.get("organisation", "")
    if not isinstance(organisation, str) or not re.fullmatch(r"[A-Za-z0-9-]*", organisation):
        message = f"`{shown(organisation)}` is no name of an organisation."
        fix = "Use letters, digits and `-`."
        yield problem(("organisation",), "VALUE_WRONG_TYPE", message, fix)
    entries = tree.data.get("levels") or []
    if not isinstance(entries, list):
        message = "`levels` must be a list."
        yield problem(("levels",), "VALUE_WRONG_TYPE", message, "Write `- rule: …` for each entry.")
        return
    seen: set[tuple] = set()
    for index, item in enumerate(entries):
        here: Steps = ("levels", index)
        if not isinstance(item, dict):
            message = f"`{shown(item)}` is no entry."
            yield problem(here, "VALUE_WRONG_TYPE", message, "Write rule, level and reason.")
            continue
        for key in item:
            if key not in _KEYS:
                message = f"There is no key `{shown(key)}` here."
                yield problem((*here, key), "KEY_UNKNOWN", message, suggestion(str(key), _KEYS))
        rule, level = item.get("rule"), item.get("level")
        if rule not in RULES:
            message = f"There is no rule `{shown(rule)}`."
            fix = suggestion(str(rule), RULES)
            if fix.startswith("Known are"):
                fix = "See all of them with `mesh review --rules`."
            yield problem((*here, "rule"), "RULE_UNKNOWN", message, fix)
        elif rule in _FIXED:
            message = f"The level of {rule} cannot be changed."
            yield problem((*here, "rule"), "RULE_UNKNOWN", message, "Take the entry out.")
        if _text(level) not in list(Level):
            message = f"`{shown(level)}` is no level."
            fix = suggestion(str(level), list(Level))
            yield problem((*here, "level"), "VALUE_WRONG_TYPE", message, fix)
        reason = item.get("reason")
        if not isinstance(reason, str) or len(reason.split()) < 3:
            message = f"The level of {shown(rule)} is changed without a reason."
            fix = "Say in a sentence why, as `reason: …`."
            yield problem((*here, "reason"), "VALUE_MISSING", message, fix)
        product = item.get("product")
        if product is not None and not (isinstance(product, str) and product.count(".") == 1):
            message = f"`{shown(product)}` is no product."
            yield problem((*here, "product"), "REFERENCE", message, "Write <domain>.<product>.")
        if (rule, product) in seen:
            message = f"The level of {shown(rule)} is set twice."
            yield problem(here, "ID_DUPLICATE", message, "Keep one of the entries.")
        seen.add((rule, product))
