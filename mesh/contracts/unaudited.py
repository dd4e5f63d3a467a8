"""Versions whose promises alone are other ones, and which no environment shows yet.

They share the table of an earlier version, so nothing of them is built. SQLMesh audits them when it
sees them first, and notes them before it does: after a plan that an audit stopped, or that was
killed, it takes them for audited; so it does where the table has got rows since under the promises
of another version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmesh.core.plan.evaluator import BuiltInPlanEvaluator
from sqlmesh.core.plan.stages import (
    AuditOnlyRunStage,
    BackfillStage,
    EnvironmentRecordUpdateStage,
    PlanStagesBuilder,
)
from sqlmesh.utils.errors import PlanError

from mesh.wrapping import wrap

if TYPE_CHECKING:
    from sqlmesh.core.plan import EvaluatablePlan
    from sqlmesh.core.plan.stages import PlanStage
    from sqlmesh.core.snapshot import Snapshot
    from sqlmesh.core.state_sync import StateReader

INSTALLED = "_audits_what_is_noted"
SHOWN_BEFORE = "shown_before"
"""The flag of a plan that goes back to what an environment has shown: it passed then."""


def install() -> None:
    """Let SQLMesh audit these versions too, once per process."""
    if getattr(PlanStagesBuilder, INSTALLED, False):
        return
    setattr(PlanStagesBuilder, INSTALLED, True)
    wrap(PlanStagesBuilder, "build", _with_audits)
    wrap(BuiltInPlanEvaluator, "visit_audit_only_run_stage", _among_all)


def _with_audits(
    original: Any, builder: PlanStagesBuilder, plan: EvaluatablePlan
) -> list[PlanStage]:
    """The stages of a plan, whose audits of promises alone are of more than it has just noted."""
    waiting = _unaudited(builder.state_reader, plan)
    stages: list[PlanStage] = []
    for stage in original(builder, plan):
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
    )
    if done.is_failure:
        raise PlanError("Plan application failed.")


def _unaudited(state: StateReader, plan: EvaluatablePlan) -> list[Snapshot]:
    """The versions of a plan whose table no environment shows under the same audits."""
    if (plan.user_provided_flags or {}).get(SHOWN_BEFORE):
        return []
    stored = state.get_snapshots(plan.environment.snapshots).values()
    known = {snapshot.snapshot_id: snapshot for snapshot in (*plan.new_snapshots, *stored)}
    shared = [one for one in known.values() if _is_audited(one)]
    shown = [info for one in state.get_environments() for info in one.snapshots] if shared else []
    ids = {info.snapshot_id for info in shown}
    waiting = [one for one in shared if one.snapshot_id not in ids]
    tables = {one.name_version for one in waiting}
    of_them = state.get_snapshots([info for info in shown if info.name_version in tables])
    passed = {_table_and_audits(one) for one in of_them.values()}
    return [one for one in waiting if _table_and_audits(one) not in passed]


def _is_audited(snapshot: Snapshot) -> bool:
    """Whether nothing of a version is built, since its metadata alone is another, and it has
    audits: what is built is audited then."""
    evaluated = snapshot.is_model and snapshot.is_metadata and snapshot.evaluatable
    return evaluated and bool(snapshot.model.audits)


def _table_and_audits(snapshot: Snapshot) -> tuple[Any, str]:
    return snapshot.name_version, snapshot.model.audit_metadata_hash()
