"""What a SQLMesh project needs before `@contract(product)` means something in its models."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import Location, WrongUse
from mesh.project import Project
from mesh.setup.config import with_mesh

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Change:
    """A file as it is (None: not there) and as it has to be."""

    path: Path
    before: str | None
    after: str

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def difference(self) -> str:
        """The changed lines, as `diff -u` shows them."""
        before = (self.before or "").splitlines(keepends=True)
        lines = difflib.unified_diff(before, self.after.splitlines(keepends=True), n=1)
        return "".join(lines).partition("\n@@")[2].partition("\n")[2].rstrip()


def needed(project: Project) -> list[Change]:
    """The changes that set a project up; none when it is. Nothing is written.

    WrongUse for a project that is configured in Python: what to add there is in the message.
    """
    found = [
        _change(project.root / template.relative_to(TEMPLATES), template.read_text("utf-8"))
        for template in sorted(TEMPLATES.rglob("*.*"))
        if template.suffix in (".py", ".sql")
    ]
    if project.config.suffix == ".py":
        raise WrongUse(
            "`mesh init` edits a configuration in YAML, and this project's is in Python.",
            where=Location(project.config),
            fix="Add the lint rules of linter/contracts.py and the variable `mesh` to it by hand.",
        )
    text = project.config.read_text(encoding="utf-8")
    found.append(_change(project.config, with_mesh(text, project.config)))
    return [change for change in found if change.before != change.after]


def _change(path: Path, after: str) -> Change:
    return Change(path, path.read_text(encoding="utf-8") if path.exists() else None, after)


def apply(changes: list[Change]) -> None:
    """Write the files."""
    for change in changes:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        change.path.write_text(change.after, encoding="utf-8")
