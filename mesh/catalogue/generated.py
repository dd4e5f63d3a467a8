"""All files of a project that are drawn from it, so that they cannot be wrong."""

from __future__ import annotations

from pathlib import Path

from mesh.catalogue import architecture, data_model
from mesh.catalogue.schemas import write_schemas
from mesh.dashboards.looker.sheet import write_sheet
from mesh.environments import Opened
from mesh.review.codeowners import codeowners


def write_generated(opened: Opened, *, only_check: bool = False) -> list[Path]:
    """Bring them up to date; the paths of those that were not.

    Pages on models and architecture, owners, JSON schemas, and in a project with a README of its
    dashboards the sheet by which they are built. only_check: change nothing.
    """
    project = opened.project
    texts = {
        project.docs / "data-model.md": data_model.render(opened),
        project.docs / "architecture.md": architecture.render(opened),
        **{project.root / path: text for path, text in codeowners(project).items()},
    }
    changed = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in () if only_check else changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    changed += write_schemas(project, only_check=only_check)
    sheet = project.dashboards / "README.md"
    if sheet.is_file() and write_sheet(project, only_check=only_check):
        changed.append(sheet)
    return changed
