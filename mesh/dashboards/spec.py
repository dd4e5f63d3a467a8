"""A dashboard's YAML as strict models: what may stand in `looker/<dashboard>.yaml`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mesh.dashboards.kinds import AnyKind, Board


class Dashboard(Board):
    """One dashboard: sources, metrics that are defined once, and charts."""

    charts: Annotated[Sequence[AnyKind], Field(min_length=1)]
