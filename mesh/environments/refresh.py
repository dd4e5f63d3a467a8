"""Commands that change what an environment shows, without the files of the project.

`refresh` lets it show the newest delivery, `promote` what another environment shows, `rollback`
what it showed before its last plan. Each names the environment that it changes and changes no
other: tables belong to a version of code and delivery, and an environment is a set of views on
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlmesh.core.constants import PROD
from sqlmesh.utils.errors import PlanError, SQLMeshError

from mesh.contracts import usable_contracts
from mesh.database import cannot_open, is_full
from mesh.environments.apply import Applied, apply_snapshots, bring_up_to_date, shown_stamps
from mesh.environments.collector import collector_spared
from mesh.environments.deliveries import Delivery, DeliveryLog, read_deliveries
from mesh.environments.names import short_name
from mesh.environments.opened import Opened
from mesh.environments.repair import missing_from, tables_of
from mesh.environments.status import PROMISED
from mesh.environments.unaccounted import unaccounted, what_to_do
from mesh.errors import CheckFailed, WrongUse

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment


@dataclass(frozen=True)
class RefreshResult:
    """What a change of an environment did.

    deliveries: those that it shows now and did not before, in their order; before: those that it
    shows no longer. changed_months: their months, ascending. models: what ran. made_again: models
    whose table or view was gone. taken_away: products that it had and has no longer.
    """

    environment: str
    changed: bool
    deliveries: tuple[Delivery, ...]
    before: tuple[Delivery, ...]
    models: tuple[str, ...]
    made_again: tuple[str, ...]
    seconds: float
    taken_away: tuple[str, ...] = ()

    @property
    def any_month(self) -> bool:
        """Whether these deliveries may have changed any month, since nothing says which."""
        every = (*self.deliveries, *self.before)
        return any(months is None for one in every for months in one.months.values())

    @property
    def changed_months(self) -> tuple[date, ...]:
        """The months that these deliveries changed, each once, ascending."""
        months = {m for d in (*self.deliveries, *self.before) for m in d.changed_months}
        return tuple(sorted(months))


def refresh(opened: Opened, name: str, *, take_found: bool = False) -> RefreshResult:
    """Let an environment show the newest delivery, with the models that it has.

    take_found: also what was changed in the source's tables past all deliveries. CheckFailed if
    there is such and it is not, or if a model or an audit fails: the environment is as it was.
    But without deliveries no version is built beside it: SQLMesh writes into what it shows.
    """

    def check(log: DeliveryLog) -> None:
        if not take_found and (said := unaccounted(opened.context, log)):
            raise CheckFailed(f"{said}, so {name} is as it was.", fix=what_to_do(name))

    return _change(
        opened,
        name,
        opened.environment(name),
        "brought up to date",
        lambda: bring_up_to_date(opened.context, name, check=check),
        in_place=not opened.delivered.tables,
    )


def promote(opened: Opened, source: str, name: str, *, take_away: bool = False) -> RefreshResult:
    """Let an environment show what another shows: the same tables, so that nothing is built.

    take_away: also products that the other does not have, as after a plan of some models. WrongUse
    if not and a contract promises one, if both are one, or if there is no such environment: `name`
    may be new where the config speaks of it.
    """
    if source == name:
        raise WrongUse(
            f"{name} cannot be promoted to itself.", fix="Name two environments: from and to."
        )
    origin = opened.environment(source)
    known = opened.expected(name)
    if known and not take_away:
        _refuse_to_take_away(opened, origin, known)

    def apply() -> Applied:
        return apply_snapshots(opened.context, name, opened.snapshots(origin), origin, builds=False)

    return _change(opened, name, known, f"promoted from {source}", apply)


def _refuse_to_take_away(opened: Opened, origin: Environment, known: Environment) -> None:
    """WrongUse if an environment would lose products that are promised still."""
    there = {short_name(name) for name in opened.snapshots(origin)}
    lost = opened.products(known).keys() - there
    contracts = usable_contracts(opened.project.contracts)
    promised = [n for n in sorted(lost) if n in contracts and contracts[n].status in PROMISED]
    if promised:
        raise WrongUse(
            f"{origin.name} does not have {', '.join(promised)}, which {known.name} shows and "
            f"whose {'contracts promise' if len(promised) > 1 else 'contract promises'} that.",
            fix=f"Plan all models first, `sqlmesh plan {origin.name}`; to take away what it does "
            "not have say `--yes`.",
        )


def rollback(opened: Opened, name: str) -> RefreshResult:
    """Let an environment show again what it showed before its last plan, refresh or promotion.

    WrongUse if there was none, or its tables are gone.
    """
    environment = opened.environment(name)
    with opened.readable_errors():
        before = environment.previous_finalized_snapshots
        if not before or environment.previous_plan_id is None:
            raise WrongUse(
                f"{name} was planned once, so there is nothing to go back to.",
                fix="Check out the revision that it should show, and plan it.",
            )
        stored = opened.context.state_reader.get_snapshots(before)
        tables = tables_of(stored)
        adapter = opened.context.engine_adapter
        gone = len(stored) < len(before) or missing_from(adapter, tables.values())
    if gone:
        raise WrongUse(
            f"the tables that {name} showed before are gone: SQLMesh keeps them for a week.",
            fix=f"Check out the revision that it should show, and run `sqlmesh plan {name}`.",
        )
    snapshots = {snapshot.name: snapshot for snapshot in stored.values()}
    return _change(
        opened,
        name,
        environment,
        "rolled back",
        lambda: apply_snapshots(opened.context, name, snapshots, environment, shown_before=True),
    )


def _change(
    opened: Opened,
    name: str,
    environment: Environment | None,
    what: str,
    apply: Callable[[], Applied],
    *,
    in_place: bool = False,
) -> RefreshResult:
    """environment: as it is; None if it is new. what: is done to it. in_place: in the tables that
    it shows."""
    started = datetime.now(UTC)
    record = opened.new_record()
    context = opened.context
    with opened.readable_errors(), collector_spared():
        log = read_deliveries(context.engine_adapter, opened.delivered)
        lacked = log.lacking(shown_stamps(context, environment)) if environment else log.deliveries
        had = opened.products(environment).keys() if environment else set()
        try:
            applied = apply()
        except SQLMeshError as error:
            # What an older version of the project left in the state can name modules that are gone.
            if not isinstance(error, PlanError) and "ModuleNotFoundError" not in str(error):
                raise
            reason = record.failure if record.failures else " ".join(str(error).split())
            if is_full(reason):
                raise cannot_open(opened.project.database, OSError(reason)) from error
            kept = "" if in_place else " and is as it was"
            shown = (
                f" Rows that were written before that are shown: `mesh contracts verify {name}` "
                "tells what they break."
            )
            raise CheckFailed(
                f"{name} could not be {what}{kept}. {reason.rstrip('.')}.{shown * in_place}",
                fix=f"Mend it, or run `sqlmesh plan {name}` if the project has changed since, and "
                "run the same command again.",
            ) from error
        if name == PROD and applied.changed:
            # Versions that no environment has had for a week; SQLMesh does it when it runs prod.
            context.run_janitor(ignore_ttl=False)
        now_shown = context.state_reader.get_environment(name)
        lacks = log.lacking(shown_stamps(context, now_shown)) if now_shown else log.deliveries
        has = opened.products(now_shown).keys() if now_shown else set()
    return RefreshResult(
        environment=name,
        changed=applied.changed,
        deliveries=tuple(d for d in lacked if d not in lacks),
        before=tuple(d for d in lacks if d not in lacked),
        models=tuple(record.models),
        made_again=applied.made_again,
        seconds=(datetime.now(UTC) - started).total_seconds(),
        taken_away=tuple(sorted(had - has)),
    )
