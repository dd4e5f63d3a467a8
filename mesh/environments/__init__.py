"""Environments as SQLMesh keeps them: opened, brought up to date, and told of."""

from mesh.environments.plan import PlanResult, plan
from mesh.environments.project import Project, open_project
from mesh.environments.refresh import RefreshResult, promote, refresh, rollback
from mesh.environments.status import EnvironmentStatus, ProductStatus, status

__all__ = [
    "EnvironmentStatus",
    "PlanResult",
    "ProductStatus",
    "Project",
    "RefreshResult",
    "open_project",
    "plan",
    "promote",
    "refresh",
    "rollback",
    "status",
]
