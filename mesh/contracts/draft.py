"""A contract file on its way to a Contract: what was read of it, and what was found wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.contracts.standard import (
    CONTRACT,
    ColumnObject,
    ContractInvalid,
    Document,
    Quality,
    TableObject,
    read_document,
)
from mesh.files.problems import Problem
from mesh.files.tree import Steps, Tree, read_tree

SUFFIX = ".odcs.yaml"
COLUMNS: Steps = ("schema", 0, "properties")
RULES: Steps = ("schema", 0, "quality")
LEVELS: Steps = ("slaProperties",)


def product_of(path: Path) -> str:
    """The qualified name of the product that a file is for: `<folder>.<file>`."""
    return f"{path.resolve().parent.name}.{path.name.removesuffix(SUFFIX)}"


@dataclass(frozen=True)
class Draft:
    """A file that was read, whatever is wrong with it; found: problems of YAML, keys and types."""

    path: Path
    tree: Tree
    document: Document
    found: tuple[Problem, ...]

    @property
    def file_name(self) -> str:
        """The name of the product by the file's name."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def folder(self) -> str:
        return self.path.resolve().parent.name

    @property
    def product(self) -> str:
        return product_of(self.path)

    @property
    def table(self) -> TableObject | None:
        tables = self.document.schema_
        return tables[0] if tables else None

    def columns(self) -> Iterator[tuple[Steps, ColumnObject]]:
        for index, column in enumerate((self.table and self.table.properties) or []):
            yield (*COLUMNS, index), column

    def rules(self) -> Iterator[tuple[Steps, Quality]]:
        for index, rule in enumerate((self.table and self.table.quality) or []):
            yield (*RULES, index), rule

    def column_types(self) -> dict[str, str]:
        """The BigQuery types by column name, as far as they are stated."""
        return {c.name: c.physicalType for _, c in self.columns() if c.name and c.physicalType}

    def problem(self, steps: Steps, rule: str, message: str, fix: str) -> Problem:
        """A problem at the line of these steps."""
        return Problem(self.path, self.tree.line(steps), rule, message, fix)

    def stated(self, steps: Steps) -> bool:
        """Whether the file has something at these steps, be it right or wrong."""
        return steps in self.tree.lines

    def missing(self, steps: Steps, key: str, what: str, fix: str) -> Iterator[Problem]:
        """Say that a key is missing or empty; a wrong value was complained about before."""
        here = (*steps, key)
        value: Any = self.tree.data
        for step in here:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                value = None
                break
        if value is None or value == [] or (isinstance(value, str) and not value.strip()):
            at = here if self.stated(here) else steps
            yield self.problem(at, "VALUE_MISSING", f"{what} has no `{key}`.", fix)


def read_draft(path: Path) -> Draft:
    """Read a file. Raises ContractInvalid when it is no YAML mapping."""
    tree = read_tree(path, CONTRACT)
    document, problems = read_document(tree)
    broken = {
        steps
        for steps, line in tree.lines.items()
        if any(p.rule == "KEY_DUPLICATE" and p.line == line for p in tree.problems)
    }
    kept = [p for p in problems if p.line not in {tree.line(s) for s in broken}] + list(
        tree.problems
    )
    return Draft(path, tree, document, tuple(kept))


def read_drafts(paths: list[Path]) -> tuple[dict[Path, Draft], list[Problem]]:
    """Read files one by one; what cannot be read is told as problems."""
    drafts: dict[Path, Draft] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            drafts[path] = read_draft(path)
        except ContractInvalid as error:
            problems.extend(error.problems)
    return drafts, problems
