"""How a plan is applied: SQLMesh's own evaluation of plans, for tables that hold deliveries.

Three things are added to it. Months that no delivery changed are carried over from the version
before. What reads a source table is looked at again before SQLMesh notes it as built: it must
still be of the newest delivery. And an environment changes in one moment: what is built is not
shown yet, and then on DuckDB the views and SQLMesh's record of them change in one transaction;
elsewhere all views are exchanged by one script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, cast

from sqlglot import exp
from sqlmesh.core.dialect import schema_
from sqlmesh.core.plan.evaluator import BuiltInPlanEvaluator
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.utils.errors import PlanError

from mesh.contracts.previews import mark_part
from mesh.environments.carry import Carried, carried_over, carry, months_to_audit
from mesh.environments.deliveries import read_deliveries
from mesh.environments.names import short_name
from mesh.environments.repair import make_lost_views
from mesh.environments.sources import Delivered, database_of, delivered_to
from mesh.environments.versions import delivery_stamp, source_of
from mesh.project import DATABASE_VARIABLE, PROJECT_VARIABLE

if TYPE_CHECKING:
    from sqlmesh import Context
    from sqlmesh.core.engine_adapter import EngineAdapter
    from sqlmesh.core.environment import Environment, EnvironmentNamingInfo
    from sqlmesh.core.plan import EvaluatablePlan
    from sqlmesh.core.plan.stages import (
        EnvironmentRecordUpdateStage,
        FinalizeEnvironmentStage,
        VirtualLayerUpdateStage,
    )
    from sqlmesh.core.snapshot import Snapshot, SnapshotId


class DeliverySnapshotEvaluator(SnapshotEvaluator):
    """Audits a model before SQLMesh notes as built what it has written.

    delivered: the sources whose deliveries are versions. carried: what new versions share with
    earlier ones. Views among them are audited in the months that they do not share. previews: the
    models of which a part was built and audited. promoting: whether the environment changes
    already, in an open transaction: so SQLMesh builds what shares its table with what prod shows.
    """

    delivered: Delivered = Delivered()
    carried: Mapping[str, Carried] = {}
    previews: set[str]
    promoting = False

    @classmethod
    def of(cls, evaluator: SnapshotEvaluator, delivered: Delivered) -> DeliverySnapshotEvaluator:
        """The same evaluator, with these audits."""
        own = cls(evaluator.adapters, evaluator.ddl_concurrent_tasks, evaluator.selected_gateway)
        own.delivered = delivered
        own.previews = set()
        return own

    def set_correlation_id(self, correlation_id: Any) -> DeliverySnapshotEvaluator:
        other = self.of(super().set_correlation_id(correlation_id), self.delivered)
        other.carried, other.previews = self.carried, self.previews
        return other

    def evaluate(self, snapshot: Snapshot, **kwargs: Any) -> str | None:
        """Write what a model selects into its table, whole or not at all where that can be.

        A version that is shown already is only written again with the same rows, after a
        restatement; SQLMesh deletes them first.
        """
        with nullcontext() if self.promoting else transaction(self.adapter):
            return super().evaluate(snapshot, **kwargs)

    def audit(self, snapshot: Snapshot, **kwargs: Any) -> list[Any]:
        """The audits of a model's node, for the months in question."""
        _refuse_older_delivery(self.adapter, snapshot, self.delivered)
        carried = self.carried.get(snapshot.name)
        if carried is not None and snapshot.is_view and "months" not in kwargs:
            months = months_to_audit(carried)
            if months is not None:
                kwargs["months"] = months
        if mark_part(self, snapshot, kwargs):
            self.previews.add(short_name(snapshot.name))
        return super().audit(snapshot, **kwargs)


def _refuse_older_delivery(
    adapter: EngineAdapter, snapshot: Snapshot, delivered: Delivered
) -> None:
    """What a version has just read is of its delivery only if no newer one is there by now.

    PlanError for one that arrived while the plan was built.
    """
    if not snapshot.is_model or (stamp := delivery_stamp(snapshot.model)) is None:
        return
    table = source_of(snapshot.model, delivered) or ""
    newest = read_deliveries(adapter, delivered).newest(table)
    if newest is None or newest.stamp != stamp:
        there = newest.stamp if newest else "none"
        raise PlanError(
            f"{short_name(snapshot.name)} is of {stamp}, and what {delivered.schema} holds now "
            f"is {there}: plan or refresh again"
        )


def _refuse_empty_sources(adapter: EngineAdapter, delivered: Delivered, database: str) -> None:
    """A plan on nothing is most often one in the wrong database."""
    tables = [table.product for table in delivered.tables]
    there = [table for table in tables if adapter.table_exists(table)]
    if tables and not any(adapter.fetchone(exp.select("1").from_(t).limit(1)) for t in there):
        variable = DATABASE_VARIABLE if _has_transactions(adapter) else PROJECT_VARIABLE
        raise PlanError(
            f"{database}: {', '.join(tables)} are {'empty' if there else 'not there'}, so there is "
            f"nothing to build. If this is not the database that you mean, let {variable} name it; "
            "otherwise deliver something first, with `mesh ingest`"
        )


class DeliveryPlanEvaluator(BuiltInPlanEvaluator):
    """Applies plans whose models are versions of code and deliveries.

    database: where they lie, for people.
    """

    delivered: Delivered = Delivered()
    database: str = ""

    def evaluate(self, plan: EvaluatablePlan, circuit_breaker: Any = None) -> None:
        """Apply a plan, whole or not at all as far as the engine can.

        PlanError when a model or an audit stops it: the environment is then as it was.
        """
        own = DeliverySnapshotEvaluator.of(self.snapshot_evaluator, self.delivered)
        self.snapshot_evaluator = own
        plan = plan.copy(update={"environment": self._with_its_past(plan.environment)})
        if plan.restatements:
            # It would write what it reads now into tables that are shown.
            for snapshot in self.state_sync.get_snapshots(plan.environment.snapshots).values():
                _refuse_older_delivery(own.adapter, snapshot, self.delivered)
        if not plan.skip_backfill and not plan.empty_backfill:
            _refuse_empty_sources(own.adapter, self.delivered, self.database)
            own.carried = self._carry(plan)
        with ExitStack() as self._promotion:
            super().evaluate(plan, circuit_breaker)
        make_lost_views(own, self.state_sync, plan.environment)
        if own.previews:
            self.console.log_warning(
                f"Of {len(own.previews)} models this plan built a part, as with a start or "
                "forward-only: how many rows they have, and whether that agrees with other "
                f"products, was not checked ({', '.join(sorted(own.previews))})."
            )
        if _has_transactions(own.adapter):
            # A copy of the file alone then has all of it.
            own.adapter.execute("CHECKPOINT")

    def _with_its_past(self, environment: Environment) -> Environment:
        """What an environment showed before stays so when a plan shows nothing else."""
        known = self.state_sync.get_environment(environment.name)
        if known is None or not known.finalized_ts or _ids(known) != _ids(environment):
            return environment
        before = known.previous_finalized_snapshots_
        return environment.copy(update={"previous_finalized_snapshots_": before})

    def _carry(self, plan: EvaluatablePlan) -> Mapping[str, Carried]:
        adapter = self.snapshot_evaluator.adapter
        stored = self.state_sync.get_snapshots(plan.environment.snapshots)
        snapshots = {s.name: s for s in (*plan.new_snapshots, *stored.values())}
        self.state_sync.refresh_snapshot_intervals(snapshots.values())
        log = read_deliveries(adapter, self.delivered)
        carried = carried_over(self.state_sync, snapshots, log, adapter)
        with transaction(adapter):
            carry(carried, self.state_sync, adapter)
        return carried

    def visit_environment_record_update_stage(
        self, stage: EnvironmentRecordUpdateStage, plan: EvaluatablePlan
    ) -> None:
        """Begin to promote; it ends when the environment is finalized, or did not happen."""
        adapter = self.snapshot_evaluator.adapter
        if _is_one_database(adapter, plan.environment.naming_info):
            self._promotion.enter_context(transaction(adapter))
            cast("DeliverySnapshotEvaluator", self.snapshot_evaluator).promoting = True
        super().visit_environment_record_update_stage(stage, plan)

    def visit_finalize_environment_stage(
        self, stage: FinalizeEnvironmentStage, plan: EvaluatablePlan
    ) -> None:
        """All of the environment has changed."""
        super().visit_finalize_environment_stage(stage, plan)
        self._promotion.close()

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


def _ids(environment: Environment) -> set[SnapshotId]:
    return {snapshot.snapshot_id for snapshot in environment.snapshots}


def _has_transactions(adapter: EngineAdapter) -> bool:
    """Whether tables of an engine, and what SQLMesh notes of them, can be changed at once."""
    return adapter.dialect == "duckdb"


def _is_one_database(adapter: EngineAdapter, naming: EnvironmentNamingInfo) -> bool:
    """Whether views of an environment and SQLMesh's record of them can be changed at once.

    DuckDB's transactions change one database each, and `environment_catalog_mapping` may put the
    views into another.
    """
    return _has_transactions(adapter) and naming.catalog_name_override in (
        None,
        adapter.default_catalog,
    )


@contextmanager
def transaction(adapter: EngineAdapter) -> Iterator[None]:
    """All of the block or none of it, where the engine can; SQLMesh does nothing on DuckDB."""
    if not _has_transactions(adapter):
        yield
        return
    adapter.execute("BEGIN TRANSACTION")
    try:
        yield
        adapter.execute("COMMIT")
    except BaseException:
        with suppress(Exception):
            adapter.execute("ROLLBACK")
        raise


def plan_evaluator(context: Context) -> DeliveryPlanEvaluator:
    """What applies the plans of a project."""
    evaluator = DeliveryPlanEvaluator(
        state_sync=context.state_sync,
        snapshot_evaluator=context.snapshot_evaluator,
        create_scheduler=context.create_scheduler,
        default_catalog=context.default_catalog,
        console=context.console,
    )
    evaluator.delivered = delivered_to(context)
    evaluator.database = database_of(context)
    return evaluator
