"""A contract file on its way to a Contract: what was read of it, and what was found wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mesh.contracts.constraints import COLUMN_KINDS, options
from mesh.contracts.constraints.base import OPTIONS, ColumnPromise, StatedColumn, StatedQuality
from mesh.contracts.findings import CONTRACT, ContractInvalid, Finding, Found
from mesh.contracts.standard import ColumnObject, Document, Quality, TableObject, read_document
from mesh.contracts.types import LOGICAL_TYPES, value_type
from mesh.errors import Location
from mesh.files.annotations import value_at
from mesh.files.folder import files_in
from mesh.files.problems import Problem, shown
from mesh.files.tree import Steps, Tree, read_tree
from mesh.project import display

SUFFIX = ".odcs.yaml"
TABLE: Steps = ("schema", 0)
COLUMNS: Steps = (*TABLE, "properties")
RULES: Steps = (*TABLE, "quality")
LEVELS: Steps = ("slaProperties",)


def contract_files(folder: Path) -> list[Path]:
    """The contract files under a folder, sorted; none when there is no such folder."""
    return sorted(path for path in files_in(folder) if path.name.endswith(SUFFIX))


def product_of(path: Path) -> str:
    """The qualified name of the product that a file is for: `<folder>.<file>`, also of a link."""
    return f"{folder_of(path).name}.{path.name.removesuffix(SUFFIX)}"


def folder_of(path: Path) -> Path:
    """The folder that a file lies in, by the name that it has there."""
    return Path(os.path.abspath(path)).parent  # noqa: PTH100 (resolving follows links)


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
        return folder_of(self.path).name

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

    def stated_columns(self) -> Iterator[StatedColumn]:
        """The columns as the kinds of promises read them."""
        for steps, column in self.columns():
            logical = column.logicalType or ""
            yield StatedColumn(
                column.name or "",
                steps,
                self,
                _there(column, {kind.key for kind in COLUMN_KINDS} - {OPTIONS}),
                value_type(logical, column.physicalType) if logical in LOGICAL_TYPES else "",
                _there(column.logicalTypeOptions, options()),
            )

    def stated_rules(self) -> Iterator[tuple[Quality, StatedQuality]]:
        """The rules, also as the kinds of promises read them."""
        types = {
            c.name: value_type(c.logicalType or "", c.physicalType)
            for _, c in self.columns()
            if c.name
        }
        for steps, rule in self.rules():
            what = f"The rule {shown(rule.id)}" if rule.id else "The rule"
            keys = _there(rule, type(rule).model_fields)
            yield rule, StatedQuality(what, steps, self, keys, types)

    def problem(self, rule: str, found: Finding) -> Problem:
        """A finding as a problem of this file."""
        return Problem(self.path, self.line(found.steps), rule, found.message, found.fix)

    def line(self, steps: Steps) -> int:
        """The line of these steps, or of the nearest thing around them."""
        return self.tree.line(steps)

    def location(self, steps: Steps) -> Location:
        """The same, for messages."""
        return Location(display(self.path), self.line(steps))

    def stated(self, steps: Steps) -> bool:
        """Whether the file has something at these steps, be it right or wrong."""
        return steps in self.tree.lines

    def missing(self, steps: Steps, key: str, what: str, fix: str) -> Found:
        """Say that a key is missing or empty; a wrong value was complained about before."""
        here = (*steps, key)
        value = value_at(self.tree.data, here)
        if value is None or value == [] or (isinstance(value, str) and not value.strip()):
            yield Finding(here, f"{what} has no `{key}`.", fix)


def _there(stated: BaseModel | None, keys: Iterable[str]) -> dict[str, Any]:
    """The values of these keys, as far as they are stated."""
    values = {key: getattr(stated, key, None) for key in keys}
    return {key: value for key, value in values.items() if value is not None}


def promises_of(stated: StatedColumn) -> tuple[ColumnPromise, ...]:
    """What a column promises of its values."""
    return tuple(promise for kind in COLUMN_KINDS if (promise := kind.read(stated)))


def read_draft(path: Path) -> Draft:
    """Read a file. Raises ContractInvalid when it is no YAML mapping."""
    tree = read_tree(path, CONTRACT)
    document, problems = read_document(tree)
    twice = {problem.line for problem in tree.problems if problem.rule == "KEY_DUPLICATE"}
    kept = (problem for problem in problems if problem.line not in twice)
    return Draft(path, tree, document, (*kept, *tree.problems))


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
