"""What can be wrong with a contract: one table of rules, and one finding of such a rule."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import CheckFailed, Location
from mesh.project import display

RULES: dict[str, str] = {
    "FILE_UNREADABLE": "A contract is a UTF-8 text file of moderate size.",
    "FILE_NAME": "A contract lies at contracts/<domain>/<product>.odcs.yaml, so that it is found.",
    "YAML_INVALID": "A contract is one YAML document: a mapping, without tags and merge keys.",
    "YAML_TOO_LARGE": "Anchors and nesting must not blow a small file up.",
    "KEY_DUPLICATE": "A key stands once; otherwise one of two statements is lost without a word.",
    "KEY_UNKNOWN": "A misspelt key is a promise that nobody keeps.",
    "KEY_UNSUPPORTED": "What the standard allows but no gate enforces would be a false promise.",
    "VALUE_MISSING": "A contract is complete: a consumer needs nothing else.",
    "VALUE_WRONG_TYPE": "A value has the type that the standard gives it.",
    "STANDARD": "The file is valid by the published JSON schema of the standard.",
    "NAME_INVALID": "Names are plain identifiers, so that none can carry SQL.",
    "NAME_DISAGREES": "File, id, domain, schema and major version name the same product.",
    "VERSION": "Versions are semantic: consumers must see what breaks.",
    "STATUS": "The status says whether a consumer may rely on the product.",
    "END_OF_LIFE": "Who deprecates a product says until when it stays.",
    "DESCRIPTION_TOO_LONG": "BigQuery refuses column descriptions of more than 1,024 characters.",
    "TYPE_DISAGREES": "Logical type and the types on both engines belong together.",
    "CLASSIFICATION": "The classification is one of a known few, so that personal data is found.",
    "PERSONAL": "A number that stands for a person is classified as personal.",
    "GRAIN": "The grain is stated, in order, and none of its columns may be null.",
    "RANGE": "A range has room for at least one value.",
    "ENUM": "Allowed values are of the column's type, within its range, each once.",
    "EXAMPLE": "Examples keep the promises of their column.",
    "PATTERN": "A pattern compiles on both engines and cannot hang any tool that tries it.",
    "ID_DUPLICATE": "Ids are stable and unique: the contract diff tells things apart by them.",
    "RULE_UNSUPPORTED": "A rule that no gate can enforce does not belong into a contract.",
    "RULE_SQL": "The SQL of a rule is one query that only reads, in what both engines understand.",
    "RULE_COLUMN": "A rule speaks of columns that are there, of types that can be compared.",
    "REFERENCE": "A rule across products names products and rules that have a contract.",
    "SERVICE_LEVEL": "Freshness, completeness and retention are stated and measurable.",
    "ROLE": "A role says who it stands for and what it may do.",
}


@dataclass(frozen=True, order=True)
class Problem:
    """One finding: where (lines from 1), which rule, what is wrong, what to write instead."""

    path: Path
    line: int
    rule: str
    message: str
    fix: str

    @property
    def where(self) -> Location:
        return Location(display(self.path), self.line)

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}: {self.message} {self.fix}".rstrip()


class ContractInvalid(CheckFailed):
    """A contract that cannot be relied on; `problems` holds all that was found in it."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(sorted(problems))
        first = self.problems[0]
        more = len(self.problems) - 1
        fix = first.fix
        if more:
            fix += f" There {'is' if more == 1 else 'are'} {more} more: run `mesh contracts lint`."
        super().__init__(first.message, where=first.where, fix=fix)


def shown(value: object, limit: int = 60) -> str:
    """A value as it can stand in a message: one line, printable, not too long."""
    text = "".join(c if c.isprintable() else " " for c in " ".join(str(value).split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def suggestion(word: str, known: Iterable[str]) -> str:
    """`Did you mean x?`, or what there is to choose from when nothing is near."""
    options = sorted(known)
    lower = {option.lower(): option for option in options}
    near = difflib.get_close_matches(word.lower()[:80], list(lower), n=1, cutoff=0.6)
    if near:
        return f"Did you mean `{lower[near[0]]}`?"
    listed = ", ".join(f"`{option}`" for option in options)
    return f"Known are: {listed}." if listed else "There is none to name yet: write it first."
