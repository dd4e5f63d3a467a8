"""From an environment and contracts to what they notice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from mesh.bite.conditions import lineage
from mesh.bite.copy import Copy, Memory, Unchanged, memory
from mesh.bite.excuses import excuses_of, share_of
from mesh.bite.shapes import Proposal
from mesh.bite.suggest import Suggestions
from mesh.bite.ways import damages
from mesh.contracts import Contract, load_contracts
from mesh.environments import Opened
from mesh.environments.collector import collector_spared
from mesh.environments.names import short_name
from mesh.errors import CheckFailed, WrongUse
from mesh.verify.engine import EngineRefuses
from mesh.verify.run import UNPUBLISHED, check_all_there, choose, places_in

if TYPE_CHECKING:
    from sqlglot import exp

# The damage that is excused where a sample may have no rows at all.
NO_ROWS = "rows.none"

Tell = Callable[[str, int, int], None]
"""Hears the product that is done, how many are, and of how many."""


@dataclass(frozen=True)
class Survivor:
    """A damage that no rule notices. suggestion: a rule that would, if one was found."""

    damage: str
    words: str
    suggestion: Proposal | None


@dataclass(frozen=True)
class Bitten:
    """What the contract of one product notices.

    noticed: by damage the first rule that noticed it. equal: damages that left the rows as they
    were. excused: damages with the contract's reason; needless: those of them that were noticed,
    or left the rows as they were. broken: rules that the rows break as they are, and why.
    """

    contract: Contract
    rows: int
    demanded: float | None
    noticed: Mapping[str, str] = field(default_factory=dict)
    survivors: tuple[Survivor, ...] = ()
    equal: tuple[str, ...] = ()
    excused: Mapping[str, str] = field(default_factory=dict)
    needless: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def product(self) -> str:
        return self.contract.product

    @property
    def counted(self) -> int:
        return len(self.noticed) + len(self.survivors)

    @property
    def share(self) -> float | None:
        """The share of damages that count which was noticed; None without any."""
        return len(self.noticed) / self.counted if self.counted else None

    @property
    def may_be_empty(self) -> str | None:
        """Why a sample need not have any rows of it, if the contract says so."""
        return self.excused.get(NO_ROWS)

    @property
    def ok(self) -> bool:
        if self.demanded is None:
            return True
        if not self.rows:
            return self.may_be_empty is not None
        # With an excuse for every damage, nothing is known to be noticed.
        return self.share is not None and self.share >= self.demanded


@dataclass(frozen=True)
class BiteReport:
    environment: str
    products: tuple[Bitten, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(product.ok for product in self.products)


def bite(
    opened: Opened,
    environment: str,
    products: Sequence[str] | None = None,
    *,
    tell: Tell | None = None,
) -> BiteReport:
    """Damage each product in the standard ways and see which of its rules notice.

    products: names with or without domain, sources too; by default all that are built. The
    environment is read only, and once. Raises WrongUse for an environment or a product that is not
    there and on engines other than DuckDB, ContractInvalid for a contract that cannot be relied on.
    """
    started = time.perf_counter()
    adapter = opened.context.engine_adapter
    if adapter.dialect != "duckdb":
        raise WrongUse(
            f"contracts are not damaged on {adapter.dialect}: each damage would be billed as a "
            "query of all rows.",
            fix="Build the project on DuckDB with a sample of the data, and bite there.",
        )
    project = opened.project
    chosen = choose(products, project.contracts, project)
    excuses = {contract.product: excuses_of(contract) for contract in chosen}
    known = load_contracts(project.contracts, waiting=project.settings.uncontracted)
    found: list[Bitten] = []
    with opened.readable_errors():
        places = places_in(opened, environment)
        if not products:
            chosen = [
                one
                for one in chosen
                if one.product not in project.sources
                and (one.product in places or one.status not in UNPUBLISHED)
            ]
        check_all_there(chosen, places, environment)

        def resolve(product: str) -> exp.Table:
            if product not in places:
                raise EngineRefuses(f"{product} is not in {environment}")
            return places[product].copy()

        snapshots = opened.snapshots(opened.environment(environment)).values()
        models = {short_name(one.name): one.model for one in snapshots if one.is_model}
        there = known.keys() & places.keys()

        def made_from(product: str) -> list[Contract]:
            read = dict.fromkeys(lineage(models, product))
            return [known[name] for name in read if name in there and name != product]

        sources = {one.product: made_from(one.product) for one in chosen}

        def one(contract: Contract) -> Bitten:
            # Nothing is before a source that its tables could be held to.
            usual = None if contract.product in project.sources else project.settings.bite
            demanded = share_of(contract, usual)
            name = contract.product
            try:
                with copies.beside() as own:
                    return bitten(own, contract, demanded, excuses[name], sources[name])
            except (duckdb.BinderException, duckdb.CatalogException) as error:
                reason = str(error).partition("\n")[0]
                raise CheckFailed(
                    f"{contract.product} in {environment} is not what its contract says: {reason}.",
                    where=contract.location(),
                    fix=f"Bring it there with `sqlmesh plan {environment}`.",
                ) from error

        with (
            memory(adapter.connection, resolve) as copies,
            collector_spared(),
            ThreadPoolExecutor(os.cpu_count()) as threads,
        ):
            try:
                for product in threads.map(one, chosen):
                    found.append(product)
                    if tell:
                        tell(product.product, len(found), len(chosen))
            finally:
                threads.shutdown(cancel_futures=True)
    return BiteReport(environment, tuple(found), time.perf_counter() - started)


def bitten(
    copies: Memory,
    contract: Contract,
    demanded: float | None,
    excuses: Mapping[str, str],
    sources: Sequence[Contract],
    asked: Sequence[str] = (),
) -> Bitten:
    """What the contract of one product notices of its standard damages.

    excuses: damages with their reasons. sources: the contracts of what the product is made from.
    asked: conditions that its queries ask of their rows.
    """
    started = time.perf_counter()
    copy = Copy(copies, contract)
    if not copy.count:
        return Bitten(contract, 0, demanded, excused=excuses)
    noticed: dict[str, str] = {}
    survivors: list[Survivor] = []
    equal: list[str] = []
    suggestions = Suggestions(copy, sources, asked)
    for damage in damages(contract):
        try:
            rule = copy.noticed_by(damage)
        except (Unchanged, duckdb.ConversionException, duckdb.OutOfRangeException):
            equal.append(damage.id)  # The same rows, or the column's own type refuses the value.
            continue
        if rule:
            noticed[damage.id] = rule
        elif copy.is_equal():
            equal.append(damage.id)
        elif damage.id in excuses:
            continue
        else:
            suggestion = suggestions.that_notices(damage)
            survivors.append(Survivor(damage.id, damage.words, suggestion))
    return Bitten(
        contract,
        copy.count,
        demanded,
        {damage: rule for damage, rule in noticed.items() if damage not in excuses},
        tuple(survivors),
        tuple(one for one in equal if one not in excuses),
        excuses,
        # An excuse for no rows is needed where there are none, in another sample.
        tuple(one for one in excuses if one != NO_ROWS and (one in noticed or one in equal)),
        copy.broken,
        time.perf_counter() - started,
    )
