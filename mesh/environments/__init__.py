"""Environments as SQLMesh keeps them: opened, brought up to date, and told of."""

from mesh.environments.project import Project, open_project
from mesh.environments.refresh import RefreshResult, refresh
from mesh.environments.status import EnvironmentStatus, ProductStatus, status

__all__ = [
    "EnvironmentStatus",
    "ProductStatus",
    "Project",
    "RefreshResult",
    "open_project",
    "refresh",
    "status",
]
