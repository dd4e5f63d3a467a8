"""From an environment and contracts to a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.utils.date import to_datetime

from mesh.contracts import Contract, find, load_contracts
from mesh.contracts.rules import RowRule, TableRule
from mesh.environments import Opened
from mesh.environments.deliveries import read_deliveries
from mesh.environments.versions import names_of_partly_built, stamps_of
from mesh.errors import WrongUse
from mesh.project import Project
from mesh.verify.engine import Engine, EngineRefuses, modest_memory, open_engine
from mesh.verify.levels import Levels
from mesh.verify.measure import Measures
from mesh.verify.report import TODAY, Outcome, ProductReport, Status, VerifyReport
from mesh.verify.schema import Judgement, outcome_of

if TYPE_CHECKING:
    from pathlib import Path

    from mesh.environments.deliveries import Delivery

# What is not published yet, or no longer, need not be in an environment.
UNPUBLISHED = frozenset({"proposed", "draft", "retired"})


def verify(
    opened: Opened,
    environment: str,
    products: Sequence[str] | None = None,
    as_of: date | datetime | None = None,
    *,
    contracts: Path | None = None,
    tell: Callable[[str], None] | None = None,
) -> VerifyReport:
    """Hold the data of an environment to its contracts, inside the engine.

    products: names with or without domain, sources too; by default all that have a contract.
    as_of: the day of use that freshness is measured against, UTC; by default the one that the
    project states, else now. contracts: another folder than the project's.
    tell: hears which product is looked at.

    Whatever the data breaks is in the report, never raised. Raises WrongUse for an environment or
    product that is not there, and ContractInvalid for a contract that cannot be relied on.
    """
    started = time.perf_counter()
    contracts = contracts or opened.project.contracts
    chosen = choose(products, contracts, opened.project)
    with opened.readable_errors():
        places = places_in(opened, environment)
        known = opened.environment(environment)
        snapshots = opened.snapshots(known).values()
        log = read_deliveries(opened.context.engine_adapter, opened.delivered)
        stamps = stamps_of(snapshots, opened.delivered)
        lacking = log.lacking(stamps)
        unbuilt = names_of_partly_built(snapshots, known)
        if products:
            check_all_there(chosen, places, environment)
        engine = open_engine(opened)
        moment, reason = _as_of(opened.project, as_of)
        # What somebody changed past the deliveries is no reason why rows may differ.
        delivered = lacking and not any(one.found for one in lacking)
        tables = opened.delivered.tables if delivered else ()
        ahead = frozenset(table.product for table in tables)
        shown = log.shown(stamps)
        standing = log.standing(shown) if shown else []
        newest = standing[-1] if standing else None
        run = _Run(engine, places, contracts, moment, newest, ahead)
        reports = []
        with modest_memory(engine):
            for contract in chosen:
                if contract.product not in places and contract.status in UNPUBLISHED:
                    continue
                if tell:
                    tell(contract.product)
                reports.append(run.product(contract, environment))
    built = places.keys() - opened.project.sources
    stated = {contract.product for contract in chosen}
    return VerifyReport(
        environment=environment,
        as_of=moment,
        as_of_reason=reason,
        products=tuple(reports),
        without_contract=() if products else tuple(sorted(built - stated)),
        lacking=lacking,
        unbuilt=unbuilt,
        seconds=time.perf_counter() - started,
    )


def choose(products: Sequence[str] | None, contracts: Path, project: Project) -> list[Contract]:
    """The contracts of products by their names, each once; without names all, sources first, but
    for drafts that wait under `uncontracted`."""
    if products:
        found = [find(product, contracts) for product in products]
        return list({contract.product: contract for contract in found}.values())
    every = load_contracts(contracts, waiting=project.settings.uncontracted).values()
    # The source first: what is broken there explains what is broken after it.
    return sorted(every, key=lambda one: (one.product not in project.sources, one.product))


def places_in(opened: Opened, name: str) -> Mapping[str, exp.Table]:
    """Where each product of the environment is read, and each source, which all of them share."""
    environment = opened.environment(name)
    places = {
        product: opened.view(snapshot, environment)
        for product, snapshot in opened.products(environment).items()
    }
    catalog = opened.context.default_catalog
    sources = {
        product: exp.table_(source.name, db=source.schema, catalog=catalog)
        for product, source in opened.project.sources.items()
    }
    return {**places, **sources}


def check_all_there(
    chosen: Sequence[Contract], places: Mapping[str, exp.Table], environment: str
) -> None:
    """WrongUse when an environment lacks one of these products."""
    for contract in chosen:
        if contract.product not in places:
            raise WrongUse(
                f"{contract.product} has a contract, but is not in {environment}.",
                where=contract.location(),
                fix=f"Bring it there with `sqlmesh plan {environment}`.",
            )


def _as_of(project: Project, given: date | datetime | None) -> tuple[datetime, str]:
    if isinstance(given, datetime):
        return (given if given.tzinfo else given.replace(tzinfo=UTC)), "as given"
    if given is not None:
        return datetime(given.year, given.month, given.day, tzinfo=UTC), "as given"
    if stated := project.day_of_use:
        return stated, f"as {project.config.name} states"
    return datetime.now(UTC), TODAY


def newest_row(opened: Opened, environment: str) -> datetime | None:
    """The newest moment of the sources; None where no source says how new it is.

    One in the future is a fault of its own, and does not count.
    """
    engine, places = open_engine(opened), places_in(opened, environment)
    times = [
        _newest(engine, places[one.product], one.time)
        for one in opened.project.sources.values()
        if one.time
    ]
    return max(filter(None, times), default=None)


def _newest(engine: Engine, table: exp.Table, time_column: str) -> datetime | None:
    at = exp.column(time_column)
    past = exp.cast(at, "timestamptz") <= exp.CurrentTimestamp()
    query = exp.select(exp.Max(this=at.copy()).as_("newest")).from_(table.copy()).where(past)
    try:
        moment = engine.rows(query)[0]["newest"]
    except EngineRefuses:
        return None
    return to_datetime(moment) if moment else None


@dataclass
class _Run:
    engine: Engine
    places: Mapping[str, exp.Table]
    root: Path
    as_of: datetime
    delivery: Delivery | None
    ahead: frozenset[str]
    measured: dict[str, Measures] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)

    def product(self, contract: Contract, environment: str) -> ProductReport:
        started = time.perf_counter()
        table: str | None = None
        rows: int | None = None
        try:
            name = self.resolve(contract.product)
            table = name.sql(dialect=self.engine.dialect)
            measures = self._measures(contract)
        except EngineRefuses as error:
            found: tuple[Outcome, ...] = (_absent(contract, environment, str(error)),)
        else:
            judgement = Judgement(measures, Levels(self.as_of, self.rule_of, self.delivery))
            self.outcomes[contract.product] = judgement.outcomes
            found = judgement.run()
            rows = measures.scan.rows
        return ProductReport(
            product=contract.product,
            version=str(contract.version),
            table=table,
            rows=rows,
            outcomes=found,
            seconds=time.perf_counter() - started,
        )

    def _measures(self, contract: Contract) -> Measures:
        if contract.product not in self.measured:
            name = self.resolve(contract.product)
            self.measured[contract.product] = Measures(
                self.engine, contract, name, self.engine.table(name), self.resolve, self.ahead
            )
        return self.measured[contract.product]

    def resolve(self, product: str) -> exp.Table:
        """Where a product is read in this environment; EngineRefuses when it is not there."""
        if product not in self.places:
            raise EngineRefuses(f"{product} is not in the environment")
        return self.places[product].copy()

    def rule_of(self, product: str, rule_id: str) -> Outcome | None:
        """The outcome of another product's rule; measured now unless it was before. None where
        there is no such rule, or it cannot be measured."""
        known = self.outcomes.get(product, {}).get(rule_id)
        if known:
            return known
        contract = find(product, self.root)
        rules: list[RowRule | TableRule] = [*contract.row_rules(), *contract.table_rules()]
        rule = next((rule for rule in rules if rule.id == rule_id), None)
        if rule is None:
            return None
        try:
            return outcome_of(rule, self._measures(contract))
        except EngineRefuses:
            return None


def _absent(contract: Contract, environment: str, reason: str) -> Outcome:
    return Outcome(
        rule="product.present",
        kind="product",
        description=f"{contract.product} is in {environment}, and can be read.",
        dimension="availability",
        status=Status.BROKEN,
        where=contract.location(),
        message=f"{reason}: plan {environment} again",
    )
