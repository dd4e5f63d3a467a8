"""How a plan is applied: SQLMesh's own evaluation of plans, for tables that hold deliveries.

Three things are added to it. Months that no delivery changed are carried over from the version
before. What reads an operational table is audited for being of the newest delivery before SQLMesh
notes it as built. And an environment changes in one moment: on DuckDB a plan is one transaction;
elsewhere all views are exchanged by one script, last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlmesh.core.dialect import schema_
from sqlmesh.core.plan.evaluator import BuiltInPlanEvaluator
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.utils.errors import PlanError

from mesh.environments.carry import Carried, carried_over, carry, has_empty, months_to_audit
from mesh.environments.deliveries import read_deliveries
from mesh.environments.names import short_name
from mesh.environments.versions import delivery_stamp, source_of

if TYPE_CHECKING:
    from sqlmesh import Context
    from sqlmesh.core.engine_adapter import EngineAdapter
    from sqlmesh.core.environment import EnvironmentNamingInfo
    from sqlmesh.core.plan import EvaluatablePlan
    from sqlmesh.core.plan.stages import VirtualLayerUpdateStage
    from sqlmesh.core.snapshot import Snapshot


class AnotherDelivery(PlanError):
    """A delivery arrived while a plan was built."""


class DeliverySnapshotEvaluator(SnapshotEvaluator):
    """Audits a model before SQLMesh notes as built what it has written.

    carried: what new versions share with earlier ones. Views among them are audited in the months
    that they do not share.
    """

    carried: Mapping[str, Carried] = {}

    @classmethod
    def of(cls, evaluator: SnapshotEvaluator) -> DeliverySnapshotEvaluator:
        """The same evaluator, with these audits."""
        return cls(evaluator.adapters, evaluator.ddl_concurrent_tasks, evaluator.selected_gateway)

    def set_correlation_id(self, correlation_id: Any) -> DeliverySnapshotEvaluator:
        other = self.of(super().set_correlation_id(correlation_id))
        other.carried = self.carried
        return other

    def audit(self, snapshot: Snapshot, **kwargs: Any) -> list[Any]:
        """The audits of a model's node, for the months in question."""
        _refuse_older_delivery(self.adapter, snapshot)
        carried = self.carried.get(snapshot.name)
        if carried is not None and snapshot.is_view and "months" not in kwargs:
            months = months_to_audit(carried)
            if months is not None:
                kwargs["months"] = months
        return super().audit(snapshot, **kwargs)


def _refuse_older_delivery(adapter: EngineAdapter, snapshot: Snapshot) -> None:
    """What a version has just read is of its delivery only if no newer one is there by now."""
    if not snapshot.is_model or (stamp := delivery_stamp(snapshot.model)) is None:
        return
    newest = read_deliveries(adapter).newest(source_of(snapshot.model) or "")
    if newest is None or newest.stamp != stamp:
        there = newest.stamp if newest else "none"
        raise AnotherDelivery(
            f"{short_name(snapshot.name)} is of {stamp}, and what the operational tables hold now "
            f"is {there}: plan or refresh again"
        )


class DeliveryPlanEvaluator(BuiltInPlanEvaluator):
    """Applies plans whose models are versions of code and deliveries."""

    def evaluate(self, plan: EvaluatablePlan, circuit_breaker: Any = None) -> None:
        """Apply a plan, whole or not at all as far as the engine can.

        PlanError when a model or an audit stops it: the environment is then as it was.
        """
        own = DeliverySnapshotEvaluator.of(self.snapshot_evaluator)
        self.snapshot_evaluator = own
        with _one_moment(own.adapter, plan.environment.naming_info):
            if not plan.skip_backfill and not plan.empty_backfill:
                own.carried = self._carry(plan)
            super().evaluate(plan, circuit_breaker)

    def _carry(self, plan: EvaluatablePlan) -> Mapping[str, Carried]:
        stored = self.state_sync.get_snapshots(plan.environment.snapshots)
        snapshots = {s.name: s for s in (*plan.new_snapshots, *stored.values())}
        self.state_sync.refresh_snapshot_intervals(snapshots.values())
        if not has_empty(snapshots):
            return {}
        adapter = self.snapshot_evaluator.adapter
        carried = carried_over(self.state_sync, adapter, snapshots, read_deliveries(adapter))
        carry(carried, self.state_sync, adapter)
        return carried

    def visit_virtual_layer_update_stage(
        self, stage: VirtualLayerUpdateStage, plan: EvaluatablePlan
    ) -> None:
        """Point all views of the environment at their new tables."""
        if not _is_one_database(self.snapshot_evaluator.adapter, plan.environment.naming_info):
            self._exchange_views(stage, plan)
        super().visit_virtual_layer_update_stage(stage, plan)

    def _exchange_views(self, stage: VirtualLayerUpdateStage, plan: EvaluatablePlan) -> None:
        """In one script: SQLMesh would do it one by one, and after this has nothing to change."""
        adapter = self.snapshot_evaluator.adapter
        naming = plan.environment.naming_info
        statements: list[exp.Create] = []
        schemas: dict[tuple[str, str], None] = {}
        for info in sorted(stage.promoted_snapshots):
            snapshot = stage.all_snapshots[info.snapshot_id]
            view = snapshot.qualified_view_name.table_for_environment(
                naming, dialect=adapter.dialect
            )
            deployable = stage.deployability_index.is_deployable(snapshot)
            table = exp.to_table(snapshot.table_name(is_deployable=deployable))
            schemas[view.catalog, view.db] = None
            query = exp.select("*").from_(table)
            statements.append(exp.Create(this=view, kind="VIEW", replace=True, expression=query))
        for catalog, db in schemas:
            adapter.create_schema(schema_(db, catalog or None))
        script = ";\n".join(s.sql(adapter.dialect, identify=True) for s in statements)
        if script:
            adapter.execute(f"{script};")


def _is_one_database(adapter: EngineAdapter, naming: EnvironmentNamingInfo) -> bool:
    """Whether tables and views of an environment can be changed in one transaction.

    DuckDB's transactions change one database each, and `environment_catalog_mapping` may put the
    views into another.
    """
    return adapter.dialect == "duckdb" and naming.catalog_name_override in (
        None,
        adapter.default_catalog,
    )


@contextmanager
def _one_moment(adapter: EngineAdapter, naming: EnvironmentNamingInfo) -> Iterator[None]:
    """All of a plan, with SQLMesh's state in the same file, or none of it."""
    if not _is_one_database(adapter, naming):
        yield
        return
    adapter.execute("BEGIN TRANSACTION")
    try:
        yield
        adapter.execute("COMMIT")
    except BaseException:
        adapter.execute("ROLLBACK")
        raise


def plan_evaluator(context: Context) -> DeliveryPlanEvaluator:
    """What applies the plans of a project."""
    return DeliveryPlanEvaluator(
        state_sync=context.state_sync,
        snapshot_evaluator=context.snapshot_evaluator,
        create_scheduler=context.create_scheduler,
        default_catalog=context.default_catalog,
        console=context.console,
    )
