"""What the proof finds, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mesh.errors import Location
from mesh.project import display


@dataclass(frozen=True)
class Finding:
    """Something that BigQuery would refuse, or answer otherwise than the contract says or DuckDB.

    subject: the model, or dashboard and chart. rule: refused, output, partition_filter, function,
    engines, planner, limit, audit, or not_rendered. path, line: the place that has to be changed.
    """

    subject: str
    rule: str
    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{Location(display(self.path), self.line)}: {self.subject}: {self.message}"


@dataclass(frozen=True)
class Proof:
    """The result of a run: what was looked at, and all that was found.

    statements: how many were analyzed.
    """

    subjects: tuple[str, ...]
    statements: int
    findings: tuple[Finding, ...]
