"""Planning an environment from what stands in the project, as `sqlmesh plan` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmesh.utils.errors import PlanError

from mesh.environments.opened import Opened
from mesh.errors import CheckFailed


@dataclass(frozen=True)
class PlanResult:
    """What planning an environment built: the models that ran; none for a mere promotion."""

    environment: str
    models: tuple[str, ...]
    seconds: float


def plan(opened: Opened, name: str, *, now: datetime | None = None) -> PlanResult:
    """Apply the project to an environment, as of the newest delivery.

    CheckFailed names the model or the audit that stopped it; the environment is then as it was.
    """
    started = datetime.now(UTC)
    record = opened.new_record()
    with opened.readable_errors():
        try:
            opened.context.plan(
                name, auto_apply=True, no_prompts=True, skip_tests=True, execution_time=now
            )
        except PlanError as error:
            raise CheckFailed(
                f"{name} could not be planned and is as it was. {record.failure}",
                fix=f"Mend it and run `sqlmesh plan {name}` again.",
            ) from error
    return PlanResult(name, tuple(record.models), (datetime.now(UTC) - started).total_seconds())
