"""All files of a project that are drawn from it, so that they cannot be wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mesh.catalogue import architecture, data_model
from mesh.catalogue.schemas import schemas
from mesh.contracts import ContractInvalid
from mesh.dashboards.looker.sheet import sheet
from mesh.dashboards.read import dashboard_files
from mesh.environments import Opened
from mesh.review.codeowners import codeowners
from mesh.review.levels import read_levels


def generated(opened: Opened) -> dict[Path, str]:
    """Their texts: pages on models and architecture, owners, JSON schemas and the files that name
    them, and in a project with dashboards the sheet by which they are built.

    Owners stay as they are while a contract cannot be read: who has to agree is never left out.
    Raises FileInvalid for dashboards and review levels that are not in order.
    """
    project = opened.project
    texts = {
        project.docs / "data-model.md": data_model.render(opened),
        project.docs / "architecture.md": architecture.render(opened),
        **schemas(project),
    }
    read_levels(project.contracts)  # Not in order it hides no less than a contract.
    with suppress(ContractInvalid):
        texts |= codeowners(project)
    if dashboard_files(project.dashboards):
        texts |= sheet(project)
    return texts
