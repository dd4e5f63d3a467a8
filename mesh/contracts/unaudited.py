"""Versions whose promises alone are other ones, and which no environment shows yet.

They share the table of an earlier version, so nothing of them is built. SQLMesh audits them when it
sees them first, and notes them before it does: after a plan that an audit stopped, or that was
killed, it takes them for audited; so it does where the table has got rows since under the promises
of another version. And it audits none whose inputs have got a column more: it takes them for
versions of that change, whatever else is new of them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlmesh.core.plan.evaluator import BuiltInPlanEvaluator
from sqlmesh.core.plan.stages import (
    AuditOnlyRunStage,
    BackfillStage,
    EnvironmentRecordUpdateStage,
    PlanStagesBuilder,
)
from sqlmesh.core.snapshot import DeployabilityIndex
from sqlmesh.utils.errors import PlanError

from mesh.contracts.previews import built_of, note_built
from mesh.wrapping import wrap

if TYPE_CHECKING:
    from sqlmesh.core.plan import EvaluatablePlan
    from sqlmesh.core.plan.stages import PlanStage
    from sqlmesh.core.snapshot import Snapshot
    from sqlmesh.core.state_sync import StateReader

SHOWN_BEFORE = "shown_before"
"""The flag of a plan that goes back to what an environment has shown: it passed then."""


@cache
def install() -> None:
    """Let SQLMesh audit these versions too, once per process."""
    wrap(PlanStagesBuilder, "build", _with_audits)
    wrap(BuiltInPlanEvaluator, "visit_audit_only_run_stage", _among_all)


def _with_audits(
    original: Any, builder: PlanStagesBuilder, plan: EvaluatablePlan
) -> list[PlanStage]:
    """The stages of a plan, whose audits of promises alone are of more than it has just noted."""
    planned = original(builder, plan)
    waiting = _unaudited(builder.state_reader, plan, planned)
    stages: list[PlanStage] = []
    for stage in planned:
        if waiting and isinstance(stage, BackfillStage | EnvironmentRecordUpdateStage):
            stages.append(AuditOnlyRunStage(waiting))
            waiting = []
        if not isinstance(stage, AuditOnlyRunStage):
            stages.append(stage)
    return stages


def _among_all(
    _: Any, evaluator: BuiltInPlanEvaluator, stage: AuditOnlyRunStage, plan: EvaluatablePlan
) -> None:
    """Audit them among all models of their environment.

    SQLMesh's own scheduler of this stage knows no other models, so rules that compare would look
    for those in prod.
    """
    stored = evaluator.state_sync.get_snapshots(plan.environment.snapshots)
    index = (
        DeployabilityIndex.create(stored, start=plan.start)
        if plan.is_dev
        else DeployabilityIndex.all_deployable()
    )
    note_built(evaluator.snapshot_evaluator, stored.values(), index)
    scheduler = evaluator.create_scheduler(stored.values(), evaluator.snapshot_evaluator)
    done = scheduler.audit(
        plan.environment,
        plan.start,
        plan.end,
        execution_time=plan.execution_time,
        end_bounded=plan.end_bounded,
        start_override_per_model=plan.start_override_per_model,
        end_override_per_model=plan.end_override_per_model,
        selected_snapshots={snapshot.name for snapshot in stage.snapshots},
        deployability_index=index,
    )
    if done.is_failure:
        raise PlanError("Plan application failed.")


def _unaudited(
    state: StateReader, plan: EvaluatablePlan, stages: list[PlanStage]
) -> list[Snapshot]:
    """The versions of a plan whose table no environment shows under the same audits."""
    if (plan.user_provided_flags or {}).get(SHOWN_BEFORE):
        return []
    stored = state.get_snapshots(plan.environment.snapshots).values()
    known = {snapshot.snapshot_id: snapshot for snapshot in (*plan.new_snapshots, *stored)}
    rows = {name for stage in stages if isinstance(stage, BackfillStage) for name in _kept(stage)}
    shared = [one for one in known.values() if _is_audited(one, keeps_rows=one.name in rows)]
    shown = [info for one in state.get_environments() for info in one.snapshots] if shared else []
    ids = {info.snapshot_id for info in shown}
    waiting = [one for one in shared if one.snapshot_id not in ids]
    tables = {one.name_version for one in waiting}
    of_them = state.get_snapshots([info for info in shown if info.name_version in tables])
    passed = {_table_and_audits(one) for one in of_them.values()}
    return [one for one in waiting if _table_and_audits(one) not in passed]


def _kept(stage: BackfillStage) -> set[str]:
    """The models of whose tables something is built already when a plan begins."""
    index = stage.deployability_index
    return {one.name for one in stage.all_snapshots.values() if built_of(one, index)}


def _is_audited(snapshot: Snapshot, *, keeps_rows: bool) -> bool:
    """Whether a version keeps rows that no audit of its own has seen, and has audits: what is built
    is audited then. One that is forward-only may ask for columns that its table gets later."""
    if not (snapshot.is_model and snapshot.evaluatable and snapshot.model.audits):
        return False
    above = snapshot.is_indirect_non_breaking and not snapshot.is_forward_only
    return snapshot.is_metadata or (above and keeps_rows)


def _table_and_audits(snapshot: Snapshot) -> tuple[Any, str]:
    return snapshot.name_version, snapshot.model.audit_metadata_hash()
