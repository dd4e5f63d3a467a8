"""A check of the lint: its id, its purpose and the code that finds it, as one record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from mesh.contracts.constraints.base import Named
from mesh.contracts.draft import Draft, promises_of
from mesh.contracts.findings import Found
from mesh.contracts.personal import person
from mesh.contracts.rules import RowRule
from mesh.contracts.types import PERSONAL
from mesh.errors import Location
from mesh.files.problems import Problem


@dataclass(frozen=True)
class Around:
    """The contracts of a project by product, to hold one against the others.

    lost: products that have a contract which cannot be read; who refers to them is not blamed.
    """

    drafts: Mapping[str, Draft]
    lost: Collection[str] = ()

    @cached_property
    def types(self) -> dict[str, dict[str, str]]:
        """The BigQuery types of the columns, by product."""
        return {product: draft.column_types() for product, draft in self.drafts.items()}

    @cached_property
    def promised(self) -> dict[str, dict[str, list[exp.Expr]]]:
        """What the columns promise of a row by themselves, by product and name."""
        found: dict[str, dict[str, list[exp.Expr]]] = {}
        for product, draft in self.drafts.items():
            for column in draft.stated_columns():
                named = Named(id="", name=column.name, logical_type=column.logical_type)
                rules = [promise.rule(named) for promise in promises_of(column)]
                conditions = [rule.condition for rule in rules if isinstance(rule, RowRule)]
                found.setdefault(product, {})[column.name] = conditions
        return found

    @cached_property
    def people(self) -> dict[str, Location]:
        """What names of columns lead to a person, and where that is said."""
        return {
            person(column.name): draft.location((*here, "classification"))
            for draft in self.drafts.values()
            for here, column in draft.columns()
            if column.name and column.classification == PERSONAL
        }


@dataclass(frozen=True)
class Subject:
    """What a check looks at.

    around: None for checks of one file alone, without an engine and without parsing SQL.
    known: what was found so far.
    """

    draft: Draft
    around: Around | None = None
    known: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """One kind of mistake.

    purpose: what a reader would lose without the check. is_slow: it takes long, and looks at the
    contract and at those that it names, at nothing else. (Of a new circle of contracts that name
    each other one was edited, and tells of it.)
    """

    id: str
    purpose: str
    find: Callable[[Subject], Found]
    is_slow: bool = False

    def problems(self, subject: Subject) -> Iterator[Problem]:
        for found in self.find(subject):
            yield subject.draft.problem(self.id, found)


def check(
    id: str, purpose: str, *, is_slow: bool = False
) -> Callable[[Callable[[Subject], Found]], Check]:
    """Makes a function a check."""
    return lambda find: Check(id, purpose, find, is_slow)
