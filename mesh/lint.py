"""Lint rules that hold models to their contracts. Each is one policy; its docstring says why.

SQLMesh finds rules in a project's `linter/`, which takes them from here: `from mesh.lint import *`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlglot import exp
from sqlmesh.core.linter.rule import Rule, RuleViolation
from sqlmesh.core.model import Model, SqlModel

from mesh.contracts import Contract, load_contracts
from mesh.contracts.header import AUDIT
from mesh.contracts.personal import NOT_PERSONAL, person
from mesh.environments.names import INTERNAL_SUFFIX, domain_of, is_public, query_inputs, short_name
from mesh.project import Project, find_project, project_around

__all__ = [
    "ColumnsMatchContract",
    "ContractNeedsModel",
    "ExplicitColumns",
    "GrainMatchesContract",
    "OnlyContractedInputs",
    "PersonalColumnsAreClassified",
    "PublicModelNeedsContract",
    "ReadsDeprecatedProduct",
    "ReadsEndedProduct",
]


class _ContractRule(Rule):
    """Base of the rules: findings are sentences, one violation each."""

    def project(self, model: Model) -> Project:
        """The project that a model lies in: SQLMesh can load several at once."""
        return project_around(Path(model._path or self.context.path)) or find_project()

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        raise NotImplementedError

    def check_model(self, model: Model) -> list[RuleViolation] | None:
        if model.kind.is_external:
            return None
        folder = self.project(model).contracts
        contracts = load_contracts(folder) if folder.is_dir() else {}
        return [self.violation(text) for text in self.findings(model, contracts)] or None


def _checks(name: str, audit: str, arguments: dict[str, exp.Expr]) -> bool:
    """Whether an audit is one of this product's contract, and not of another's."""
    product = arguments.get("product")
    return audit == AUDIT and product is not None and product.name == name


class PublicModelNeedsContract(_ContractRule):
    """What other domains may read is promised, or it is not public."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.name)
        if not is_public(name):
            return
        path = f"contracts/{name.replace('.', '/')}.odcs.yaml"
        contract = contracts.get(name)
        if contract is None:
            yield (
                f"{name}: a public model without a contract: draft {path} with "
                f"`mesh contracts new {name}`, or move the model to {domain_of(name)}"
                f"{INTERNAL_SUFFIX}."
            )
        elif not any(_checks(name, audit, arguments) for audit, arguments in model.audits):
            own = [audit for audit, _ in model.audits if audit != AUDIT]
            place = f", in the place of its audits ({', '.join(own)})" if own else ""
            yield (
                f"{name}: the contract {contract.location()} is not enforced: write "
                f"@contract({', '.join([contract.name, *own])}) into the MODEL block{place}."
            )


class ContractNeedsModel(_ContractRule):
    """A promise that nobody keeps misleads its readers."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        project = self.project(model)
        models = [one for one in self.context.models.values() if self.project(one) == project]
        names = {short_name(one.name) for one in models}
        # Told once, of whichever model comes first.
        if short_name(model.name) != min(names - set(project.sources)):
            return
        for name, contract in sorted(contracts.items()):
            if name not in names:
                yield (
                    f"{name}: the contract {contract.location()} has no model: write "
                    f"models/{name.replace('.', '/')}.sql, or remove the contract."
                )


class ColumnsMatchContract(_ContractRule):
    """A consumer reads columns by name, type and order as the contract states them."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.name)
        contract = contracts.get(name)
        if contract is None:
            return
        types = model.columns_to_types or {}
        actual = {column: kind.sql(dialect="bigquery") for column, kind in types.items()}
        for column in contract.columns:
            where = contract.location(column.line)
            found = actual.get(column.name)
            if found is None:
                yield (
                    f"{name}: column {column.name} is in the contract ({where}) but not in the "
                    "model: select it, or change the contract and its major version."
                )
            elif found != column.bigquery_type:
                where = contract.location(column.line_of("physicalType"))
                yield (
                    f"{name}: column {column.name} is {column.bigquery_type} in the contract "
                    f"({where}) but {found} in the model: cast it, or change the contract and "
                    "its major version."
                )
        promised = [column.name for column in contract.columns]
        for extra in actual:
            if extra not in promised:
                yield (
                    f"{name}: column {extra} is in the model but not in the contract "
                    f"({contract.location(contract.columns[-1].line)}): add it to the contract "
                    "with a new minor version, or leave it out of the model."
                )
        if sorted(actual) == sorted(promised) and list(actual) != promised:
            yield (
                f"{name}: the model has its columns in the order {', '.join(actual)}, the contract "
                f"({contract.location(contract.columns[0].line)}) in the order "
                f"{', '.join(promised)}: write the final SELECT in the contract's order."
            )


class GrainMatchesContract(_ContractRule):
    """Joins and counts rest on the grain."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.name)
        contract = contracts.get(name)
        if contract is None or not model.grains:
            return
        for grain in model.grains:
            columns = tuple(column.name for column in grain.find_all(exp.Column))
            if columns != contract.grain:
                key = contract.column(contract.grain[0]) if contract.grain else None
                line = key.line_of("primaryKey") if key else contract.line
                yield (
                    f"{name}: the grain is {', '.join(contract.grain)} in the contract "
                    f"({contract.location(line)}) but {', '.join(columns)} in the model: remove "
                    "the grain from the MODEL block, @contract states it."
                )


class OnlyContractedInputs(_ContractRule):
    """A domain reads of another only what is promised, so that the other may change the rest."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.name)
        sources = self.project(model).sources
        for dependency in sorted(short_name(dependency) for dependency in model.depends_on):
            domain = domain_of(dependency)
            if dependency in sources:
                producer = contracts.get(dependency)
                if producer is None:
                    yield (
                        f"{name}: reads {dependency}, a table of a source that has no contract: "
                        f"draft one with `mesh contracts new {dependency}`, and state in it which "
                        "domain owns the table."
                    )
                elif domain_of(name) != producer.owner or (
                    # Its contract may compare it with the source.
                    is_public(name) and dependency in query_inputs(model)
                ):
                    yield (
                        f"{name}: reads {dependency}, a table of the source: read a data product "
                        f"of the domain {producer.owner} instead; only its internal models read "
                        "the source."
                    )
            elif domain != domain_of(name) and not is_public(dependency):
                yield (
                    f"{name}: reads {dependency}, an internal model of the domain {domain}: read "
                    f"a data product of {domain} instead, or ask its owner to publish one."
                )


class ExplicitColumns(_ContractRule):
    """What a public model gives must be read off its last SELECT: every column named and cast."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.name)
        if not is_public(name) or not isinstance(model, SqlModel):
            return
        if not isinstance(model.query, exp.Query):
            return
        for projection in model.query.selects:
            if projection.is_star:
                yield f"{name}: SELECT * in a public model: name and cast every column."
            elif not isinstance(projection.unalias(), exp.Cast):
                text = projection.alias_or_name
                column = contracts[name].column(text) if name in contracts else None
                kind = column.bigquery_type if column else "its type"
                yield (
                    f"{name}: column {text} is not cast: write "
                    f"`{projection.unalias().sql(dialect='bigquery')}::{kind} AS {text}`."
                )


class PersonalColumnsAreClassified(_ContractRule):
    """Whoever handles personal data must be told so by the contract."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.name)
        contract = contracts.get(name)
        if contract is None:
            return
        known = {
            person(column.name): one.location(column.line_of("classification"))
            for one in contracts.values()
            for column in one.personal_columns
        }
        for column in model.columns_to_types or {}:
            promised = contract.column(column)
            place = known.get(person(column))
            if place is None or promised is None or NOT_PERSONAL in promised.tags:
                continue
            if not promised.personal:
                where = contract.location(promised.line_of("classification"))
                yield (
                    f"{name}: column {column} leads to a person ({place} says so), but is "
                    f"classified {promised.classification} in the contract ({where}): write "
                    "`classification: personal`, or leave the column out."
                )


def _deprecated_inputs(model: Model, contracts: dict[str, Contract]) -> Iterator[Contract]:
    """Contracts of deprecated products that a model's query reads; its audits may go on to."""
    for dependency in sorted(query_inputs(model)):
        contract = contracts.get(dependency)
        if contract is not None and contract.deprecated:
            yield contract


class ReadsDeprecatedProduct(_ContractRule):
    """A consumer learns early that a product it reads will end. A warning until that day."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        today = datetime.now(UTC).date()
        for contract in _deprecated_inputs(model, contracts):
            if contract.end_of_life is None or today <= contract.end_of_life:
                yield (
                    f"{short_name(model.name)}: reads {contract.product}, which ends on "
                    f"{contract.end_of_life} ({contract.location(contract.line_of('status'))}): "
                    f"move to {contract.domain}.{contract.base_name}_v{contract.version.major + 1}."
                )


class ReadsEndedProduct(_ContractRule):
    """After its last day a product may be gone at any time."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        today = datetime.now(UTC).date()
        for contract in _deprecated_inputs(model, contracts):
            if contract.end_of_life is not None and today > contract.end_of_life:
                yield (
                    f"{short_name(model.name)}: reads {contract.product}, which ended on "
                    f"{contract.end_of_life} ({contract.location(contract.line_of('status'))}): "
                    f"move to {contract.domain}.{contract.base_name}_v{contract.version.major + 1}."
                )
