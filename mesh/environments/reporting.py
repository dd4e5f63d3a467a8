"""What SQLMesh says while it works: on a terminal as it is, in a pipe only what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlmesh.core.console import Console, NoopConsole, TerminalConsole, set_console

from mesh.console import err
from mesh.environments.names import short_name
from mesh.errors import MeshError, causes

# DuckDB of every statement in a transaction after one that failed.
ABORTED = "Current transaction is aborted"


@dataclass
class Record:
    """The models that ran, in order, and why some of them failed."""

    models: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def failure(self) -> str:
        return " ".join(self.failures) or "SQLMesh gave no reason."


class _Recording:
    """Mixed into a console of SQLMesh's: notes what ran and what failed."""

    record: Record

    def start_snapshot_evaluation_progress(self, snapshot: Any, *args: Any, **kwargs: Any) -> None:
        self.record.models.append(short_name(snapshot.name))
        super().start_snapshot_evaluation_progress(snapshot, *args, **kwargs)  # type: ignore[misc]

    def log_failed_models(self, errors: list[Any]) -> None:
        reasons = [_reason(error) for error in errors]
        # What ran beside the model that failed was stopped with it.
        causes = [reason for reason in reasons if ABORTED not in reason]
        self.record.failures.extend(causes or reasons)

    def log_error(self, message: str, *args: Any, **kwargs: Any) -> None:
        self.record.failures.append(" ".join(message.split()))


class _Quiet(_Recording, NoopConsole):
    pass


class _Loud(_Recording, TerminalConsole):
    pass


def _reason(error: Any) -> str:
    """Model and cause of a failed node, in one sentence."""
    node = error.node
    named = getattr(node, "snapshot_name", None) or getattr(node, "name", None)
    name = short_name(str(named or node))
    # SQLMesh tells of a macro's error the code that raised it; of ours the sentence is enough.
    ours = next((one for one in causes(error) if isinstance(one, MeshError)), None)
    return f"{name}: {' '.join(str(ours or error.__cause__ or error).split())}"


def recording_console() -> Console:
    """Make SQLMesh speak through a console that draws only on a terminal, and keeps a `record`."""
    console: Any = _Loud(console=err) if err.is_terminal else _Quiet()
    console.record = Record()
    set_console(console)
    return console
