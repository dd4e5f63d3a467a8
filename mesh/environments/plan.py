"""Planning an environment from what stands in the project, as `sqlmesh plan` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlglot import exp

from mesh.environments.names import execution_time
from mesh.environments.project import Project, collector_paused, readable_errors
from mesh.environments.refresh import newest_month, refresh
from mesh.errors import CheckFailed


@dataclass(frozen=True)
class PlanResult:
    """What planning an environment built: the models that ran; none for a mere promotion."""

    environment: str
    models: tuple[str, ...]
    seconds: float


def plan(project: Project, name: str, *, now: datetime | None = None) -> PlanResult:
    """Apply the project to an environment, and bring it up to date with all that was ingested.

    CheckFailed names the model or the audit that stopped it; the environment is then as it was.
    """
    from sqlmesh.utils.errors import PlanError

    started = datetime.now(UTC)
    record = project.new_record()
    with readable_errors(), collector_paused():
        try:
            project.context.plan(
                name,
                auto_apply=True,
                no_prompts=True,
                skip_tests=True,
                execution_time=execution_time(_newest(project), now),
            )
        except PlanError as error:
            raise CheckFailed(
                f"{name} could not be planned and is as it was. {record.failure}",
                fix=f"Mend it and run `sqlmesh plan {name}` again.",
            ) from error
    models = (*record.models, *refresh(project, name, now=now).models)
    return PlanResult(name, models, (datetime.now(UTC) - started).total_seconds())


def _newest(project: Project) -> date | None:
    """The newest delivered month; None where nothing was ever ingested, not even an empty table."""
    table = exp.to_table("operational.changed_months")
    return newest_month(project) if project.context.engine_adapter.table_exists(table) else None
