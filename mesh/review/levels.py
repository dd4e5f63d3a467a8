"""contracts/review.yaml: how severe each kind of change is in this project, and why."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from mesh.contracts.findings import ContractInvalid
from mesh.files.problems import FileKind, Problem, nearest, shown, suggestion
from mesh.files.sentences import form, read_model, refused
from mesh.files.tree import Tree, read_tree
from mesh.review.guards.stated import FILE_NAME, Guards
from mesh.review.known import RULES
from mesh.review.rules import Finding, Level

LEVELS = FileKind("file of levels", "`levels:`", ContractInvalid)
# Without these a review could be switched off in part and still look whole.
_FIXED = ("CHANGE_UNKNOWN", "CONTRACT_INVALID", "PROJECT_NO_LOAD", "LEVEL_LOWERED")


def _rule(value: str) -> str:
    if value in _FIXED:
        message = f"The level of {value} cannot be changed."
        raise refused("RULE_UNKNOWN", message, "Take the entry out.")
    if value not in RULES:
        near = nearest(value, RULES)
        fix = f"Did you mean `{near}`?" if near else "See all of them with `mesh review --rules`."
        raise refused("RULE_UNKNOWN", f"There is no rule `{shown(value)}`.", fix)
    return value


def _level(value: Any) -> Level:
    # YAML reads a bare `off` as false.
    text = "off" if value is False else str(value)
    if text not in list(Level):
        message = f"`{shown(value)}` is no level."
        raise refused("VALUE_WRONG_TYPE", message, suggestion(text, list(Level)))
    return Level(text)


def _reason(value: Any, info: ValidationInfo) -> str:
    if not isinstance(value, str) or len(value.split()) < 3:
        rule = info.data.get("rule")
        message = f"The level of {shown(rule) if rule else 'a rule'} is changed without a reason."
        raise refused("VALUE_MISSING", message, "Say in a sentence why, as `reason: …`.")
    return value.strip()


class Entry(BaseModel):
    """A rule at another level than its own, for one product or for all, and why."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        # The reason has a default so that its absence gets a sentence of its own.
        json_schema_extra={"required": ["rule", "level", "reason"]},
    )
    rule: Annotated[
        str, AfterValidator(_rule), Field(json_schema_extra={"enum": sorted({*RULES} - {*_FIXED})})
    ]
    level: Annotated[Level, BeforeValidator(_level)]
    product: str | None = Field(
        default=None,
        pattern=form(r"^[^.]+\.[^.]+$", "<domain>.<product>"),
        description="The product whose changes it is about; without one, all.",
    )
    reason: Annotated[str, BeforeValidator(_reason)] = Field(
        default="", description="Why, in a sentence.", validate_default=True
    )


class ReviewFile(Guards):
    """How reviews of a project are set."""

    organisation: str = Field(
        default="",
        pattern=form("^[A-Za-z0-9-]*$", "letters, digits and `-`"),
        description="The organisation whose teams own the files of the project.",
    )
    levels: list[Entry] | None = None


@dataclass(frozen=True)
class Levels:
    """All entries; one for a product goes before one for all. lines: where each stands.

    problems: what is wrong with the file; then it sets none.
    """

    changes: tuple[Entry, ...] = ()
    lines: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()

    def entry(self, rule: str, product: str) -> Entry | None:
        own = [c for c in self.changes if c.rule == rule and c.product in (None, product)]
        return max(own, key=lambda c: c.product is not None, default=None)

    def line(self, entry: Entry | None) -> int:
        return self.lines[self.changes.index(entry)] if entry else 1

    def level_of(self, rule: str, product: str) -> Level:
        entry = self.entry(rule, product)
        return entry.level if entry else RULES[rule].level

    def apply(self, found: Finding) -> Finding:
        """The finding at the level of this project."""
        entry = self.entry(found.rule, found.product)
        if entry is None:
            return found
        return dataclasses.replace(found, level=entry.level, reason=entry.reason)


def read_levels(folder: Path) -> Levels:
    """The levels of a folder of contracts; without a file all rules have their default.

    Raises ContractInvalid with all that is wrong with the file.
    """
    content, lines = _read(folder)
    return Levels(tuple(content.levels or ()), lines)


def levels_of(folder: Path | None) -> Levels:
    """The same, with what is wrong with the file in the place of an error."""
    try:
        return read_levels(folder) if folder else Levels()
    except ContractInvalid as error:
        return Levels(problems=tuple(error.problems))


def _read(folder: Path) -> tuple[ReviewFile, tuple[int, ...]]:
    """What the file says, if there is one, and where each level stands."""
    file = folder / FILE_NAME
    if not os.path.lexists(file):
        return ReviewFile(), ()
    tree = read_tree(file, LEVELS)
    content, problems = read_model(tree, ReviewFile)
    problems += _twice(tree, content) if content else ()
    if content is None or problems:
        raise ContractInvalid(problems)
    return content, tuple(tree.line(("levels", n)) for n in range(len(content.levels or ())))


def _twice(tree: Tree, content: ReviewFile) -> Iterator[Problem]:
    seen: set[tuple[str, str | None]] = set()
    for index, item in enumerate(content.levels or ()):
        if (item.rule, item.product) in seen:
            message = f"The level of {item.rule} is set twice."
            line = tree.line(("levels", index))
            yield Problem(tree.path, line, "ID_DUPLICATE", message, "Keep one of the entries.")
        seen.add((item.rule, item.product))


def read_organisation(folder: Path) -> str:
    """The organisation whose teams own the files."""
    return _read(folder)[0].organisation or "organisation"


def lint_levels(folder: Path) -> list[Problem]:
    """All that is wrong with the levels of a folder of contracts."""
    return [*levels_of(folder).problems]
