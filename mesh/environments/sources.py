"""The sources of a project whose deliveries are logged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.project import Project, from_here
from mesh.settings import Source

if TYPE_CHECKING:
    from sqlmesh.core.context import GenericContext


@dataclass(frozen=True)
class Delivered:
    """The source tables of one schema, with its log of deliveries; none where nothing is logged."""

    schema: str = ""
    tables: tuple[Source, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    @property
    def events(self) -> frozenset[str]:
        """The tables whose rows have a time. A row of another counts as changed in each month in
        which a row of these refers to it."""
        return frozenset(table.name for table in self.tables if table.time)


def delivered(project: Project) -> Delivered:
    """What a project's configuration says is delivered."""
    schema = project.settings.deliveries
    if schema is None:
        return Delivered()
    found = [source for source in project.sources.values() if source.schema == schema]
    return Delivered(schema, tuple(found))


def project_of(context: GenericContext) -> Project:
    """The project that SQLMesh has loaded."""
    return Project(Path(context.path).resolve())


def database_of(context: GenericContext) -> str:
    """Where a project's tables lie, for people."""
    if context.engine_adapter.dialect == "duckdb":
        return str(from_here(project_of(context).database))
    return f"the {context.engine_adapter.dialect} project {context.default_catalog}"


def delivered_to(context: GenericContext) -> Delivered:
    """The same of a project that SQLMesh has loaded."""
    return delivered(project_of(context))
