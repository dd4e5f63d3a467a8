"""The project in which a command works: found from the working directory upwards, handed down.

Nothing here knows where `mesh` itself is installed. A project is a folder with SQLMesh's
configuration; where its parts lie, what its database is called and what it tells `mesh` in the
configuration's variables is asked of one object.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from mesh.configuration import read_configuration, read_yaml
from mesh.errors import Location, WrongUse
from mesh.settings import Settings, Source, settings_of, sources_in

CONFIGS = ("config.yaml", "config.yml", "config.py", "sqlmesh.yaml", "sqlmesh.yml")
EXTERNAL_MODELS = ("external_models.yaml", "external_models.yml", "schema.yaml")
# What `mesh init` writes into a project; raised when macros and lint rules ask for other functions.
SET_UP = 2
LOCAL_GATEWAY = "duckdb"
BIGQUERY_GATEWAY = "bigquery"
DATABASE_VARIABLE = "MESH_DUCKDB"
# The project of all else on BigQuery.
PROJECT_VARIABLE = "MESH_BIGQUERY_PROJECT"
# The project of prod's views on BigQuery; their catalog is then a second file on DuckDB.
PROD_VARIABLE = "MESH_BIGQUERY_PROD_PROJECT"
DEFAULT_DATABASE = "data/mesh.duckdb"
# `no`: nothing that is printed shows rows of the data, which are about people; for logs that stay.
EXAMPLES_VARIABLE = "MESH_EXAMPLES"
# The day that freshness is measured against, where config.yaml reads it.
AS_OF_VARIABLE = "MESH_AS_OF"
# The copies that this process writes to, by the database whose place each will take.
_copies: dict[Path, Path] = {}


def moment(text: str) -> datetime:
    """A day, or a moment, as ISO text; in UTC where it does not say. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def examples_shown() -> bool:
    """Whether messages may show some of the rows that they are about."""
    return os.environ.get(EXAMPLES_VARIABLE, "").strip().lower() not in ("no", "0", "false")


@dataclass(frozen=True)
class Project:
    """A SQLMesh project by its root, an absolute path without links."""

    root: Path

    @property
    def config(self) -> Path:
        """SQLMesh's configuration file."""
        return next(path for name in CONFIGS if (path := self.root / name).is_file())

    @property
    def loads(self) -> bool:
        """Whether there is a configuration: the base of a change need not have one."""
        return _holds_project(self.root)

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

    def read_dotenv(self) -> list[str]:
        """Set the variables of that file, as SQLMesh does when it loads the project.

        Returned are those that the environment had with another value: the file wins, there too.
        """
        if not self.dotenv.is_file():
            return []
        from dotenv import dotenv_values, load_dotenv

        values = dotenv_values(self.dotenv)
        other = [name for name, value in values.items() if os.environ.get(name, value) != value]
        load_dotenv(self.dotenv, override=True)
        return sorted(other)

    @property
    def database(self) -> Path:
        """The local DuckDB file, of several the first. Within `written_to` it is the copy."""
        return next(iter(self.databases.values()), self.place(DEFAULT_DATABASE))

    @property
    def databases(self) -> Mapping[str, Path]:
        """The local DuckDB files by catalog: of SQLMesh's default gateway, else of the first one on
        DuckDB.
        """
        stated = self.configuration()
        gateways = self.connections
        default = gateways.pop(stated.get("default_gateway", ""), {})
        for connection in (default, *gateways.values(), stated.get("default_connection") or {}):
            if connection.get("type") == LOCAL_GATEWAY:
                if named := connection.get("database"):
                    return {Path(named).stem: self.place(named)}
                attached = (connection.get("catalogs") or {}).items()
                paths = {name: at["path"] if isinstance(at, dict) else at for name, at in attached}
                return {name: self.place(at.replace("''", "'")) for name, at in paths.items()}
        return {}

    @property
    def connections(self) -> dict[str, Mapping[str, Any]]:
        """The connections of the stated gateways, by their names."""
        return {
            name: gateway.get("connection") or {} if isinstance(gateway, dict) else {}
            for name, gateway in self.stated("gateways").items()
        }

    def connection(self, gateway: str | None = None) -> Mapping[str, Any]:
        """The connection of a gateway, by default of SQLMesh's default one; empty if none is
        stated here, as where it stands in the home of who works in it."""
        stated, known = self.configuration(), self.connections
        name = gateway or stated.get("default_gateway") or next(iter(known), "")
        return known.get(name) or ({} if gateway else stated.get("default_connection") or {})

    def is_on_bigquery(self, gateway: str | None = None) -> bool:
        """Whether a gateway, by default the usual one, leads to BigQuery."""
        kind = self.connection(gateway).get("type")
        return (kind or gateway) == BIGQUERY_GATEWAY

    def reads_variable(self, name: str) -> bool:
        """Whether its configuration asks for a variable of the environment."""
        asked: set[str] = set()

        def env_var(name: str, *default: str | None) -> str | None:
            asked.add(name)
            return os.environ.get(name, *default)

        self.configuration(env_var)
        return name in asked

    def place(self, named: str) -> Path:
        """Where a database lies that the configuration names: a path counts from the root."""
        path = self.root / Path(named).expanduser()
        return _copies.get(real(path), path)

    def configuration(
        self, env_var: Callable[..., str | None] = os.environ.get
    ) -> Mapping[str, Any]:
        """SQLMesh's configuration as it reads it: a template, with the environment's variables.

        One in Python is run, and what it sets is as it would stand in YAML.
        """
        if not self.loads:
            return {}
        return read_configuration(self.config, self.shown(self.config), env_var)

    def stated(self, *keys: str) -> Mapping[str, Any]:
        """The mapping at these keys of the configuration. Raises WrongUse for what is none."""
        found = self.configuration()
        for depth, key in enumerate(keys, 1):
            found = found.get(key) or {}
            if not isinstance(found, Mapping):
                raise WrongUse(
                    f"`{': '.join(keys[:depth])}` is no mapping: {found!r}.",
                    where=Location(self.shown(self.config)),
                    fix="Write keys and values below it, or leave it out.",
                )
        return found

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The tables that are not built here, by `<schema>.<table>`.

        A contract of one of them is a contract with the source.
        """
        found: dict[str, Source] = {}
        for path in self.source_files:
            shown = self.shown(path)
            found |= sources_in(read_yaml(path, shown), shown)
        return found

    @property
    def source_files(self) -> list[Path]:
        """Where those are stated."""
        files = [path for name in EXTERNAL_MODELS if (path := self.root / name).is_file()]
        return files + sorted((self.root / "external_models").glob("*.y*ml"))

    @cached_property
    def settings(self) -> Settings:
        """Raises WrongUse when the configuration is not YAML, or says what `mesh` cannot use."""
        stated = self.stated("variables", "mesh")
        return settings_of(stated, self.shown(self.config)) if stated else Settings()

    def no_gateway(self, name: str) -> WrongUse:
        """What is said when SQLMesh knows no gateway of that name, from this project or the home
        of who works in it."""
        known = ", ".join(self.stated("gateways"))
        return WrongUse(
            f"there is no gateway {name!r}.",
            where=Location(self.shown(self.config)),
            fix=f"Known are {known}." if known else "It states none by a name.",
        )

    @property
    def day_of_use(self) -> datetime | None:
        """The moment that whoever owns the data states for freshness; None for today.

        Raises WrongUse when it is no date.
        """
        try:
            return moment(self.settings.as_of) if self.settings.as_of else None
        except ValueError:
            there = self.day_is_stated_by
            raise WrongUse(
                f"`variables: mesh: as_of` is no date: {self.settings.as_of}.",
                where=Location(self.shown(self.config)),
                fix=f"Write YYYY-MM-DD, by {there}, or leave it empty for today.",
            ) from None

    @property
    def day_is_stated_by(self) -> str:
        """By what whoever owns the data states the day: the variable, if it is asked for.

        Of a setting with its quotes, without which SQLMesh refuses it.
        """
        setting = f"`as_of: 'YYYY-MM-DD'` under `variables: mesh` in {self.shown(self.config)}"
        return AS_OF_VARIABLE if self.reads_variable(AS_OF_VARIABLE) else setting

    def check_set_up(self) -> None:
        """WrongUse if the project was set up in part, or for another version of `mesh`."""
        version = self.settings.version
        if version is None and not (self.root / "macros" / "contract.py").exists():
            return
        if version == SET_UP:
            return
        fix = "Run `mesh init`: it writes what is missing, or prints it for a `config.py`."
        if version is None:
            message = "this project is set up in part: its configuration does not say so yet, by "
            message += f"the lint rules and `variables: mesh: version: {SET_UP}`."
        else:
            older = version < SET_UP
            message = f"this project was set up for {'an older' if older else 'a newer'} version "
            message += "of `mesh` than the one that is installed."
            fix = fix if older else "Install the newer one."
        raise WrongUse(message, where=Location(self.config), fix=fix)

    def shown(self, path: Path) -> Path:
        """The path from the root if it lies inside, else as it is."""
        try:
            return real(path).relative_to(self.root)
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


@contextmanager
def written_to(copy: Path, database: Path) -> Iterator[None]:
    """Within, whoever asks a project for this database is told the copy."""
    _copies[database] = copy
    try:
        yield
    finally:
        del _copies[database]


def project_around(path: Path) -> Project | None:
    """The project that a file or folder lies in, if any."""
    here = real(path)
    return _around(here if here.is_dir() else here.parent)


@lru_cache(maxsize=1024)
def _around(folder: Path) -> Project | None:
    for candidate in (folder, *folder.parents):
        if _holds_project(candidate):
            return Project(candidate)
        if _is_repository(candidate):
            return None  # What is around it is somebody else's.
    return None


def _is_repository(folder: Path) -> bool:
    """Whether a folder is the root of a repository, and not a part of the one around it."""
    git = folder / ".git"
    return git.is_dir() or (git.is_file() and "/modules/" not in git.read_text(errors="replace"))


def real(path: Path) -> Path:
    """The path without links. Of links in a circle there is none, and they stay as they are."""
    return Path(os.path.realpath(path))


def _holds_project(folder: Path) -> bool:
    return any((folder / name).is_file() for name in CONFIGS)


def from_here(path: Path) -> Path:
    """The path from the working directory if it lies in it, else as it is."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def display(path: Path) -> Path:
    """The path from the root of the project that it lies in, else as it is."""
    project = project_around(path)
    return project.shown(path) if project else path
