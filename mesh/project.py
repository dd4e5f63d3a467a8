"""The project in which a command works: found from the working directory upwards, handed down.

Nothing here knows where `mesh` itself is installed. A project is a folder with SQLMesh's
configuration; where its parts lie, what its database is called and what it tells `mesh` in the
configuration's variables is asked of one object.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from mesh.errors import Location, WrongUse

CONFIGS = ("config.yaml", "config.yml", "config.py")
EXTERNAL_MODELS = ("external_models.yaml", "external_models.yml", "schema.yaml")
DATABASE_VARIABLE = "MESH_DUCKDB"
DEFAULT_DATABASE = Path("data") / "mesh.duckdb"


@dataclass(frozen=True)
class Project:
    """A SQLMesh project by its root, an absolute path without links."""

    root: Path

    @property
    def config(self) -> Path:
        """SQLMesh's configuration file."""
        return next(path for name in CONFIGS if (path := self.root / name).is_file())

    @property
    def contracts(self) -> Path:
        """The folder of contracts, `<domain>/<product>.odcs.yaml`; need not be there."""
        return self.root / "contracts"

    @property
    def dashboards(self) -> Path:
        """The folder of dashboards, one YAML file each; need not be there."""
        return self.root / "looker"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    @property
    def workflows(self) -> Path:
        return self.root / ".github" / "workflows"

    @property
    def cache(self) -> Path:
        """What may be deleted at any time; not in git."""
        return self.root / ".cache"

    @property
    def dotenv(self) -> Path:
        """The file of environment variables that SQLMesh reads for this project."""
        return Path(os.environ.get("SQLMESH_DOTENV_PATH") or self.root / ".env")

    @property
    def database(self) -> Path:
        """The local DuckDB file: `MESH_DUCKDB` if set, else `data/mesh.duckdb` in the project."""
        return self.root / Path(os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE)

    @cached_property
    def sources(self) -> frozenset[str]:
        """The tables that models read and this project does not build, `<schema>.<table>`.

        They are SQLMesh's external models. A contract of one of them is a contract with the source.
        """
        import yaml

        found: set[str] = set()
        files = [self.root / name for name in EXTERNAL_MODELS]
        files += sorted((self.root / "external_models").glob("*.y*ml"))
        for path in files:
            if path.is_file():
                for model in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
                    names = [part.strip('`"') for part in str(model["name"]).split(".")]
                    found.add(".".join(names[-2:]))
        return frozenset(found)

    def shown(self, path: Path) -> Path:
        """The path from the root if it lies inside, else as it is."""
        try:
            return path.resolve().relative_to(self.root)
        except ValueError:
            return path


def find_project(start: Path | None = None) -> Project:
    """The project around a folder, by default the working directory.

    With a folder that the user named, only that folder counts. Raises WrongUse if there is none.
    """
    if start is None:
        found = project_around(Path.cwd())
        if found is None:
            raise WrongUse(
                "no SQLMesh project here, nor in any folder above.",
                where=Location(Path.cwd()),
                fix="Go to a folder with a config.yaml, or name one with `--project`.",
            )
        return found
    if not start.exists():
        raise WrongUse("there is no such folder.", where=Location(start), fix="Check --project.")
    if not start.is_dir():
        raise WrongUse(
            "a project is a folder, and this is a file.",
            where=Location(start),
            fix=f"Name its folder: `--project {start.parent}`.",
        )
    if not _holds_project(start):
        raise WrongUse(
            "this folder holds no SQLMesh project: it has no config.yaml.",
            where=Location(start),
            fix="Name the folder of one, or begin one with `sqlmesh init`.",
        )
    return Project(start.resolve())


def project_around(path: Path) -> Project | None:
    """The project that a file or folder lies in, if any."""
    here = path.resolve()
    return _around(here if here.is_dir() else here.parent)


@lru_cache(maxsize=1024)
def _around(folder: Path) -> Project | None:
    for candidate in (folder, *folder.parents):
        if _holds_project(candidate):
            return Project(candidate)
    return None


def _holds_project(folder: Path) -> bool:
    return any((folder / name).is_file() for name in CONFIGS)


def display(path: Path) -> Path:
    """The path from the root of the project that it lies in, else as it is."""
    project = project_around(path)
    return project.shown(path) if project else path
