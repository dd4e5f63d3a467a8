"""Rules about what a model reads."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmesh.core.model import Model

from mesh.contracts import Contract
from mesh.contracts.types import today
from mesh.environments.names import (
    INTERNAL_SUFFIX,
    domain_of,
    is_of_many_tables,
    is_public,
    query_inputs,
    short_name,
)
from mesh.lint.rule import ContractRule


class OnlyContractedInputs(ContractRule):
    """A domain reads of another only what is promised, so that the other may change the rest."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        sources, models = self.project(model).sources, self.siblings(model)
        for dependency in sorted(short_name(dependency) for dependency in model.depends_on):
            domain = domain_of(dependency)
            if dependency in sources:
                producer = contracts.get(dependency)
                if self.has_time(model, dependency):
                    continue
                if is_of_many_tables(dependency):
                    # No contract can be of them.
                    if is_public(name):
                        yield (
                            f"{name}: reads {dependency}, tables of a source: put a model of "
                            f"{domain_of(name)}{INTERNAL_SUFFIX} between."
                        )
                    continue
                if producer is None:
                    yield (
                        f"{name}: reads {dependency}, a table of a source that has no contract: "
                        f"draft one with `mesh contracts new {dependency}`, and write as its "
                        "`team: name:` the domain that owns the table."
                    )
                elif domain_of(name) != producer.owner:
                    owned = producer.location(producer.line_of("team"))
                    yield (
                        f"{name}: reads {dependency}, a table of the source that the domain "
                        f"{producer.owner} owns ({owned}): read one of its data products instead; "
                        f"only models of {producer.owner}{INTERNAL_SUFFIX} read the source."
                    )
                # Its contract may compare it with the source.
                elif is_public(name) and dependency in query_inputs(model):
                    between = f"{producer.owner}{INTERNAL_SUFFIX}.{producer.name}"
                    yield (
                        f"{name}: reads {dependency}, a table of the source: put a model "
                        f"{between} between; only models of {producer.owner}{INTERNAL_SUFFIX} read "
                        "the source."
                    )
            elif domain != domain_of(name) and (
                dependency in models and models[dependency].kind.is_embedded
            ):
                yield (
                    f"{name}: reads {dependency}, an embedded model of the domain {domain}, of "
                    f"which nothing is promised: read a data product of {domain} instead."
                )
            elif domain != domain_of(name) and not is_public(dependency):
                yield (
                    f"{name}: reads {dependency}, an internal model of the domain {domain}: read "
                    f"a data product of {domain} instead, or ask its owner to publish one."
                )


class ReadsDeprecatedProduct(ContractRule):
    """A consumer learns early that a product it reads will end. A warning until that day."""

    needed = False

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        return _ending(model, contracts, ended=False)


class ReadsEndedProduct(ContractRule):
    """After its last day a product may be gone at any time."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        return _ending(model, contracts, ended=True)


def _ending(model: Model, contracts: dict[str, Contract], *, ended: bool) -> Iterator[str]:
    """The products on their way out that a model's query reads; its audits may go on to."""
    for dependency in sorted(query_inputs(model)):
        contract = contracts.get(dependency)
        if contract is None or not contract.ends or contract.ended(today()) != ended:
            continue
        when = f" on {contract.end_of_life}" if contract.end_of_life else ""
        yield (
            f"{short_name(model.fqn)}: reads {contract.product}, which "
            f"{'ended' if ended else 'ends'}{when} "
            f"({contract.location(contract.line_of('status'))}): move to "
            f"{contract.domain}.{contract.base_name}_v{contract.version.major + 1}."
        )
