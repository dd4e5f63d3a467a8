"""What one revision's project says of its models: frozen, so that it goes from process to process.

The process of a revision and the one that compares both know these by different names, so they
travel as JSON, which Pydantic writes and reads by the types that stand here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter
from sqlglot import exp

T = TypeVar("T")


@dataclass(frozen=True)
class Audit:
    """A check that runs on the rows of a model.

    stated: its arguments. product: the one among them. rules: the ids in them. noticed: which of
    these found something in rows that were made up to be wrong, and an empty one for the audit as
    a whole. problem: why it did not run. code: its query, without layout; asked: a digest of what
    the engine is asked in the end, with all that macros make of it.
    """

    name: str
    blocking: bool
    stated: str = ""
    product: str = ""
    rules: tuple[str, ...] = ()
    noticed: tuple[str, ...] = ()
    problem: str = ""
    code: str = ""
    asked: str = ""


@dataclass(frozen=True)
class LintRule:
    """A lint rule that runs. level: `error` or `warning`.

    code: a digest of it, empty for SQLMesh's own. noticed: of which of the
    models that were made up to be wrong it complains.
    """

    name: str
    level: str
    path: str = ""
    line: int = 1
    code: str = ""
    noticed: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnitTest:
    """A unit test of SQLMesh's. body: what it says, as JSON."""

    name: str
    model: str
    path: str
    line: int
    body: str

    @property
    def key(self) -> str:
        """Models may have tests of one name."""
        return f"{self.model}::{self.name}"

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Model:
    """A model as SQLMesh rendered it.

    columns: BigQuery types by name. query: with every column under its table's name, in `dialect`;
    empty for a model that is not SQL, and for one that cannot be resolved, of which `unread` says
    why. parents: the tables that it reads. since: the first day that is ever built, for models that
    are built span by span. version: SQLMesh's fingerprint of what decides on the data; of a seed
    without its rows, which lie in the file `seed`, and are read as `read_as` says.
    files: of the macros in it. kind, cron: as SQLMesh read them; upkeep: how new rows are put
    beside those that are there, empty for what is built whole; beside: what else decides on the
    rows, by what it is, such as statements around the query; period: the longest time between two
    runs, in seconds. audits, lint: what runs on it; of a lint rule `error` or `warning`.
    refused: why lint refuses it.
    """

    name: str
    public: bool
    path: str
    columns: Mapping[str, str]
    parents: tuple[str, ...]
    version: str
    seed: str = ""
    read_as: str = ""
    dialect: str = "bigquery"
    query: str = ""
    unread: str = ""
    since: str = ""
    files: tuple[str, ...] = ()
    kind: str = ""
    upkeep: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    cron: str = ""
    period: float = 0
    audits: tuple[Audit, ...] = ()
    lint: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """One model of a plan. spans: of days that are to be built, each with its ends."""

    model: str
    how: str
    category: str = ""
    spans: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """SQLMesh's plan against prod, or against the base where there is no prod."""

    against: Literal["prod", "base"]
    models: tuple[Planned, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[Planned, ...]:
        """The models one by one, but those of which metadata alone is another: there are many."""
        return tuple(one for one in self.models if one.how != "metadata" or one.spans)

    @property
    def rest(self) -> str:
        """Of the others how many there are; nothing for none."""
        count = len(self.models) - len(self.told)
        model = "model" if count == 1 else "models"
        return f"Of {count} {model} metadata alone is another: nothing is built." if count else ""


@dataclass(frozen=True)
class RowDiff:
    """Rows of one product in two environments. problem: why there are none to compare.

    match: per cent of values that are the same, by column. samples: some rows that differ, by side
    and column, without personal values.
    """

    product: str
    problem: str = ""
    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    match: Mapping[str, float] = field(default_factory=dict)
    samples: tuple[Mapping[str, str | int | float | bool | None], ...] = ()


@dataclass(frozen=True)
class Models:
    """One revision's answer. problem: why it did not load; then all else is empty.

    models: by name, parents first. snapshots: SQLMesh's, as its JSON, to be compared by it.
    lint: the rules that run; made_up: the models, made up to be wrong, that they saw. tests: the
    unit tests; failing: those of the base that fail here, by key, and how. target: the environment
    of a plan that names none. settings: how plans are made, by place. approvers: who has to agree.
    """

    models: Mapping[str, Model] = field(default_factory=dict)
    problem: str = ""
    plan: Plan | None = None
    rows: tuple[RowDiff, ...] | None = None
    notes: tuple[str, ...] = ()
    snapshots: Mapping[str, str] = field(default_factory=dict)
    lint: Mapping[str, LintRule] = field(default_factory=dict)
    made_up: tuple[str, ...] = ()
    tests: tuple[UnitTest, ...] = ()
    failing: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """What a process has to do. answer: the file for its Models, base_answer: that of the base's.

    state: whether there is a state to plan against. spare: a database for when the project's own is
    held by another process; its path is in the environment variable `variable`. environment: which
    one to compare with prod. personal: columns by product of which no values are shown.
    """

    side: Literal["base", "head"]
    root: Path
    answer: Path
    base_answer: Path
    gateway: str | None = None
    state: bool = False
    spare: Path | None = None
    variable: str = ""
    environment: str | None = None
    personal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


# What is said beside a query about who may read.
GRANTS = "grants"
# How models are called that are made up of all others.
READS_EVERYTHING = "that reads everything"
OF_ALL_MODELS = (" gone", f" {READS_EVERYTHING}")


def one_line(error: object, limit: int = 300) -> str:
    """What an error says, for a sentence."""
    return " ".join(str(error).split())[:limit]


def short(name: str | exp.Table) -> str:
    """`schema.model` of any spelling of a model's name."""
    table = name if isinstance(name, exp.Table) else exp.to_table(name, dialect="bigquery")
    return f"{table.db}.{table.name}".removeprefix(".")


def without(model: str) -> str:
    """What a project is called that is made up to have a model no more."""
    return f"{model}{OF_ALL_MODELS[0]}"


def to_json(facts: object) -> bytes:
    """Facts as JSON."""
    return TypeAdapter(type(facts)).dump_json(facts)


def from_json(kind: type[T], text: bytes) -> T:
    """The facts of a kind that were written as JSON."""
    return TypeAdapter(kind).validate_json(text)
