"""Environments as SQLMesh keeps them: opened, brought up to date, and told of."""

from mesh.environments.opened import Opened, open_project
from mesh.environments.plan import PlanResult, plan
from mesh.environments.refresh import RefreshResult, promote, refresh, rollback
from mesh.environments.status import EnvironmentStatus, ProductStatus, status

__all__ = [
    "EnvironmentStatus",
    "Opened",
    "PlanResult",
    "ProductStatus",
    "RefreshResult",
    "open_project",
    "plan",
    "promote",
    "refresh",
    "rollback",
    "status",
]
