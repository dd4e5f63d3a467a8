"""Applies versions of models to an environment without the files of the project.

`sqlmesh plan` applies what stands in the files. What is applied here stands in SQLMesh's state: the
models of an environment as of a newer delivery (a refresh), those of another environment (a
promotion), or those of the plan before (a rollback).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmesh.core.constants import PROD
from sqlmesh.core.context_diff import ContextDiff
from sqlmesh.core.plan import PlanBuilder
from sqlmesh.core.snapshot import Snapshot

from mesh.contracts.unaudited import SHOWN_BEFORE
from mesh.environments.choices import choose_versions
from mesh.environments.deliveries import DeliveryLog, as_of, read_deliveries
from mesh.environments.repair import repair
from mesh.environments.sources import delivered_to
from mesh.environments.versions import (
    built_until,
    months_are_missing,
    partly_built,
    stamped,
    stamps_of,
)
from mesh.errors import CheckFailed

if TYPE_CHECKING:
    from sqlmesh.core.context import GenericContext
    from sqlmesh.core.environment import Environment


@dataclass(frozen=True)
class Applied:
    """What a change of an environment brought.

    changed: whether anything was built, promoted or made again. made_again: the models whose table
    or view was gone.
    """

    changed: bool
    made_again: tuple[str, ...] = ()


def of_the_newest_delivery(
    snapshots: Mapping[str, Snapshot], log: DeliveryLog
) -> dict[str, Snapshot]:
    """The same models with the newest delivery in their stamps."""
    nodes = {name: snapshot.node for name, snapshot in snapshots.items()}
    newest = stamped(nodes, log)
    if all(newest[name] is node for name, node in nodes.items()):
        return dict(snapshots)
    cache: dict = {}
    return {
        name: Snapshot.from_node(
            node,
            nodes=newest,
            cache=cache,
            ttl=snapshots[name].ttl,
            table_naming_convention=snapshots[name].table_naming_convention,
        )
        for name, node in newest.items()
    }


def environment_snapshots(context: GenericContext, environment: Environment) -> dict[str, Snapshot]:
    """The versions that an environment shows, by name."""
    stored = context.state_reader.get_snapshots(environment.snapshots)
    return {snapshot.name: snapshot for snapshot in stored.values()}


def bring_up_to_date(
    context: GenericContext,
    name: str,
    *,
    check: Callable[[DeliveryLog], None] = lambda _: None,
) -> Applied:
    """Build an environment's models as of the newest delivery, and let it show them.

    check: raises what stops it before anything is done. PlanError when a model or an audit stops
    it; with deliveries the environment is then as it was.
    """
    environment = context.state_reader.get_environment(name)
    if environment is None:
        return Applied(changed=False)
    log = read_deliveries(context.engine_adapter, delivered_to(context))
    check(log)
    made_again = repair(context, name)
    newest = of_the_newest_delivery(environment_snapshots(context, environment), log)
    applied = apply_snapshots(context, name, newest, environment, log=log)
    return Applied(applied.changed or bool(made_again), made_again)


def apply_snapshots(
    context: GenericContext,
    name: str,
    snapshots: Mapping[str, Snapshot],
    origin: Environment,
    *,
    log: DeliveryLog | None = None,
    builds: bool = True,
    shown_before: bool = False,
) -> Applied:
    """Let an environment show these versions, building what of them is missing.

    origin: the environment whose `before_all` statements they come with. builds: whether it may;
    else CheckFailed if something is missing. shown_before: whether it has shown them, so that
    their promises are not asked again.
    """
    log = log or read_deliveries(context.engine_adapter, delivered_to(context))
    difference = ContextDiff.create(
        name,
        snapshots=dict(snapshots),
        create_from=origin.name,
        state_reader=context.state_reader,
        provided_requirements=origin.requirements,
        environment_statements=context.state_reader.get_environment_statements(origin.name),
        infer_python_dependencies=False,
    )
    shown = context.state_reader.get_environment(name)
    if shown and partly_built(environment_snapshots(context, shown).values(), shown):
        # Also when all is built meanwhile: its views still show the parts.
        difference.is_unfinalized_environment = True
    config = context.config
    # What fell due since it was built is no part of what is promoted.
    built = None if builds else built_until(snapshots.values())
    builder = PlanBuilder(
        context_diff=difference,
        execution_time=built or as_of(log),
        apply=context.apply,
        is_dev=name != PROD,
        include_unmodified=True,
        environment_ttl=None if name in context.pinned_environments else context.environment_ttl,
        environment_suffix_target=config.environment_suffix_target,
        environment_catalog_mapping=context.environment_catalog_mapping,
        categorizer_config=context.auto_categorize_changes,
        console=context.console,
        user_provided_flags={SHOWN_BEFORE: True} if shown_before else None,
    )
    plan = choose_versions(context, builder, log).build()
    unfinished = difference.is_unfinalized_environment
    if not plan.has_changes and not plan.missing_intervals and not unfinished:
        return Applied(changed=False)
    tables = [m for m in plan.missing_intervals if not plan.snapshots[m.snapshot_id].is_view]
    if tables and not builds:
        raise CheckFailed(
            f"{months_are_missing(origin.name, len(tables))}, so {name} is as it was.",
            fix=f"Build them: `mesh refresh {origin.name}`.",
        )
    builder.apply()
    return Applied(changed=True)


def shown_stamps(context: GenericContext, environment: Environment) -> dict[str, str | None]:
    """By source table the delivery that an environment shows."""
    shown = environment_snapshots(context, environment)
    return stamps_of(shown.values(), delivered_to(context))
