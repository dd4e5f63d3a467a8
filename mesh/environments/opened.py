"""The SQLMesh project, opened once per command, with its failures in words."""

from __future__ import annotations

import atexit
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp, generator
from sqlglot.errors import SqlglotError
from sqlmesh import Context
from sqlmesh.core.constants import PROD
from sqlmesh.utils.errors import ConfigError, SQLMeshError

from mesh.bigquery import explained, explanation, warehouse
from mesh.database import HELD, OPENING, cannot_open, check_attached, is_full, when_let_go
from mesh.environments.apply import environment_snapshots
from mesh.environments.hooks import install
from mesh.environments.names import is_public, short_name
from mesh.environments.reporting import Record, recording_console
from mesh.environments.sources import Delivered, delivered
from mesh.errors import CheckFailed, Location, WrongUse
from mesh.files.problems import nearest
from mesh.files.scratch import can_be_written, scratch
from mesh.project import BIGQUERY_GATEWAY, PROJECT_VARIABLE, Project, display

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model
    from sqlmesh.core.snapshot import Snapshot, SnapshotTableInfo

_EMPTY = re.compile(r"YAML source '(.+)' can't be empty")
# Where SQLMesh keeps what it has parsed, if not in the project.
CACHE_VARIABLE = "SQLMESH__CACHE_DIR"
ENVIRONMENT_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Opened:
    """A project as SQLMesh has loaded it, and the state of its environments."""

    project: Project
    context: Context
    console: Any

    def close(self) -> None:
        """Let go of the engine; SQLMesh does so only of what it has used."""
        self.context.close()
        self.context.engine_adapter.close()

    def readable_errors(self) -> AbstractContextManager[None]:
        """Turn what SQLMesh and the engines raise into one sentence with what to do."""
        return readable_errors(self.project.database)

    @property
    def delivered(self) -> Delivered:
        """The sources whose deliveries are logged."""
        return delivered(self.project)

    def new_record(self) -> Record:
        """Forget what SQLMesh ran so far; what it runs from now on is noted in the result."""
        self.console.record = Record()
        return self.console.record

    @cached_property
    def models(self) -> dict[str, Model]:
        """The models of the files by `schema.model`; none where they were not read."""
        found: dict[str, Model] = {}
        for model in self.context.models.values():
            other = found.setdefault(short_name(model.fqn), model)
            if other is not model:
                raise WrongUse(
                    f"{other.fqn} and {model.fqn} differ in their catalogs alone, and contracts "
                    "are found by schema and name.".replace('"', ""),
                    fix="Give one of them another schema.",
                )
        return found

    @cached_property
    def environment_names(self) -> list[str]:
        # What reads the state first is told that it cannot be reached.
        with self.readable_errors():
            summaries = self.context.state_reader.get_environments_summary()
        return sorted(environment.name for environment in summaries)

    @property
    def usual_environment(self) -> str | None:
        """The environment of a bare plan, or prod; None where neither was planned."""
        usual = (self.context.config.default_target_environment, PROD)
        return next((name for name in usual if name in self.environment_names), None)

    def environment(self, name: str) -> Environment:
        """The environment of that name as it was last planned; WrongUse if there is none."""
        found = self._stored(name)
        if found is None:
            raise self._unknown(name, self.environment_names)
        return found

    def expected(self, name: str) -> Environment | None:
        """The same; None where it was not planned yet, but the project's config speaks of it."""
        found = self._stored(name)
        config = self.context.config
        foreseen = {PROD, config.default_target_environment, *config.pinned_environments}
        if found is None and name not in foreseen:
            raise self._unknown(name, [*self.environment_names, *foreseen])
        return found

    def _unknown(self, name: str, meant: Sequence[str]) -> WrongUse:
        known = ", ".join(self.environment_names) or "there is none yet"
        near = nearest(name, meant)
        hint = f"Did you mean {near}? Otherwise create" if near else "Create"
        return WrongUse(
            f"there is no environment {name!r} ({known}).",
            fix=f"{hint} it with `sqlmesh plan {name}`.",
        )

    def _stored(self, name: str) -> Environment | None:
        if not ENVIRONMENT_NAME.fullmatch(name):
            raise WrongUse(
                f"{name!r} is no name of an environment.",
                fix="Use small letters, digits and underscores, as in prod or dev_anna.",
            )
        with self.readable_errors():
            return self.context.state_reader.get_environment(name)

    def snapshots(self, environment: Environment) -> dict[str, Snapshot]:
        """The snapshots of an environment, by the full name of their model."""
        return environment_snapshots(self.context, environment)

    def readable(self, environment: Environment) -> list[SnapshotTableInfo]:
        """Those that can be read. A plan of some models makes their views only; one that leaves
        out what is as in prod, as SQLMesh's usual plan does, means the views of prod."""
        shown = environment.promoted_snapshots
        prod = None if environment.name == PROD or self._holds_all else self._stored(PROD)
        if prod is None:
            return shown
        there = {(info.name, info.version) for info in prod.promoted_snapshots}
        seen = {info.name for info in shown}
        left = (info for info in environment.snapshots if info.name not in seen)
        return [*shown, *(info for info in left if (info.name, info.version) in there)]

    @property
    def _holds_all(self) -> bool:
        return bool(self.context.config.plan.include_unmodified)

    def there(self, environment: Environment) -> dict[str, Snapshot]:
        """The same and the external models, by short name."""
        readable = {info.snapshot_id for info in self.readable(environment)}
        return {
            short_name(name): snapshot
            for name, snapshot in sorted(self.snapshots(environment).items())
            if snapshot.is_external
            or (snapshot.snapshot_id in readable and not snapshot.is_embedded)
        }

    def products(self, environment: Environment) -> dict[str, Snapshot]:
        """The data products that an environment has, by their name without catalog."""
        return {
            name: snapshot
            for name, snapshot in self.there(environment).items()
            if snapshot.is_model and not snapshot.is_external and is_public(snapshot.name)
        }

    def view(self, snapshot: Snapshot | SnapshotTableInfo, environment: Environment) -> exp.Table:
        """Where a model is read in an environment; the name is SQLMesh's."""
        shown = {info.snapshot_id for info in environment.promoted_snapshots}
        has_view = environment if snapshot.snapshot_id in shown else self.environment(PROD)
        return snapshot.qualified_view_name.table_for_environment(
            has_view.naming_info, dialect=self.context.engine_adapter.dialect
        )

    def rows(self, query: exp.Expr) -> list[tuple]:
        """All rows of a small query, written in the BigQuery dialect."""
        return self.context.engine_adapter.fetchall(query)


@contextmanager
def readable_errors(database: Path) -> Iterator[None]:
    """Turn what SQLMesh and the engines raise into one sentence with what to do.

    database: the project's local file, which DuckDB's errors are about.
    """
    with explained():
        try:
            yield
        except duckdb.IOException as error:
            raise cannot_open(database, error) from error
        except duckdb.Error as error:
            if is_full(str(error)):
                raise cannot_open(database, error) from error
            raise WrongUse(f"DuckDB refuses: {_one_line(error)}") from error
        except (SQLMeshError, SqlglotError) as error:
            if HELD in str(error) or is_full(str(error)):
                raise cannot_open(database, error) from error
            if empty := _EMPTY.search(str(error)):
                raise WrongUse(
                    "the file is empty, and SQLMesh takes none that is.",
                    where=Location(display(Path(empty[1]))),
                    fix="Write what belongs there, or delete it.",
                ) from error
            # What cannot be read is no answer to what was asked, such as a broken promise.
            refused = WrongUse if isinstance(error, ConfigError) else CheckFailed
            meant = explanation(error) or refused(f"SQLMesh refuses: {_one_line(error)}")
            raise meant from error


def _check_database(database: Path) -> None:
    """WrongUse if the local database cannot be used: SQLMesh goes on without it, in memory."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        if database.exists():
            duckdb.connect(str(database), read_only=True, config=OPENING).close()
    except (duckdb.ConnectionException, duckdb.BinderException):
        # This process has it open already.
        return
    except (OSError, duckdb.Error) as error:
        raise cannot_open(database, error) from error


def _one_line(error: Exception) -> str:
    # SQLGlot underlines the word it stumbles over, in a terminal's own signs.
    return " ".join(re.sub(r"\x1b\[\d*m", "", str(error)).split())


def load_without_tests(context: Context) -> None:
    """Load the models, and not the unit tests, whose files take longer to read than all models."""
    for loader in context._loaders:
        vars(loader).update(load_model_tests=list)
    context.load()


def keep_what_is_parsed(project: Project) -> None:
    """In a folder of this command's own where that of the project cannot be written: SQLMesh
    would say that a model cannot be loaded."""
    if CACHE_VARIABLE in os.environ or can_be_written(project.cache):
        return
    kept = ExitStack()
    os.environ[CACHE_VARIABLE] = str(kept.enter_context(scratch("mesh-cache")))
    atexit.register(kept.close)


def open_project(
    project: Project,
    gateway: str | None = None,
    *,
    models: bool = True,
    unit_tests: bool = True,
) -> Opened:
    """Load a project with SQLMesh; on DuckDB its database is `project.database`.

    models: whether to read the models' files, which takes seconds; what environments hold is known
    without them. unit_tests: whether to read those as well; who plans needs them, or drafts them.
    """
    project.read_dotenv()
    database, is_local = project.database, not project.is_on_bigquery(gateway)
    if is_local:
        _check_database(database)

    # SQLGlot remembers from its first use what it can write, and SQLMesh adds to that on import.
    generator._DISPATCH_CACHE.clear()

    install()
    console = recording_console()
    # It warns for each model that DuckDB knows no grants; what fails comes through the console.
    logging.getLogger("sqlmesh").setLevel(logging.ERROR)
    # It warns of time zones, of which sessions here have one: UTC. What differs is told by itself.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    if gateway == BIGQUERY_GATEWAY and project.reads_variable(PROJECT_VARIABLE):
        # Says which variable is missing, where SQLMesh would say "missing gateway".
        warehouse()
    keep_what_is_parsed(project)
    with readable_errors(database):
        try:
            context = Context(
                paths=[str(project.root)],
                gateway=gateway,
                load=models and unit_tests,
                config_loader_kwargs={"dotenv_path": project.dotenv},
            )
        except ConfigError as error:
            if gateway and str(error).startswith("Missing gateway"):
                raise project.no_gateway(gateway) from error
            raise
        if models and not unit_tests:
            load_without_tests(context)
        opened = Opened(project, context, console)
        if is_local:
            check_attached(context.engine_adapter.fetchall, database)
        when_let_go(opened.close)
        return opened
