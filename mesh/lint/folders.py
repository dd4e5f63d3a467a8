"""Where models lie by domain: a name that says another domain than the folder is likely a slip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlmesh.core.model import Model

from mesh.environments.names import domain_of, short_name
from mesh.project import Project, real


def domain_by_folder(model: Model, models: Mapping[str, Model], project: Project) -> str | None:
    """The domain whose folder below `models/` a model lies in, where another of that domain does.

    None as well where that is the model's own domain, and where folders are of something else.
    """
    folder = _folder(model, project)
    if folder is None or domain_of(folder) == domain_of(short_name(model.fqn)):
        return None
    beside = (one for one in models.values() if _folder(one, project) == folder)
    named = {domain_of(short_name(one.fqn)) for one in beside}
    return domain_of(folder) if domain_of(folder) in named else None


def _folder(model: Model, project: Project) -> str | None:
    path = real(Path(model._path or ""))
    if not path.is_relative_to(project.models):
        return None
    inside = path.relative_to(project.models).parts
    return inside[0] if len(inside) > 1 else None
