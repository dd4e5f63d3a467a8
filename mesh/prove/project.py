"""The project as production sees it: the same models, rendered by SQLMesh for BigQuery.

No account is needed. The project is opened with a BigQuery gateway that never connects and with a
state of its own in memory, so that what is proved is what the files say.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlglot import exp
from sqlmesh import Context, Model
from sqlmesh.core.config import (
    BigQueryConnectionConfig,
    Config,
    DuckDBConnectionConfig,
    GatewayConfig,
)
from sqlmesh.core.config.loader import load_configs
from sqlmesh.core.environment import EnvironmentNamingInfo
from sqlmesh.core.snapshot import Snapshot, SnapshotChangeCategory, SnapshotEvaluator

from mesh.contracts.types import bigquery_type
from mesh.environments.hooks import WITHOUT_DELIVERIES
from mesh.environments.names import short_name
from mesh.environments.opened import keep_what_is_parsed, load_without_tests, readable_errors
from mesh.environments.reporting import recording_console
from mesh.errors import WrongUse
from mesh.project import Project
from mesh.prove.recording import RecordingAdapter

GATEWAY = "bigquery"
# Stands for the production project: in the proof, names are what matters, not whose they are.
PROJECT = "proof"
# A month that is built again: what an incremental model is rendered for.
START, END = "2018-09-01", "2018-09-30"
ENVIRONMENT = "prod"


@dataclass(frozen=True)
class BigQueryProject:
    """The loaded project, its models by `schema.name`, and what SQLMesh would run.

    on_duckdb: whether it has a gateway for DuckDB too.
    """

    context: Context
    project: Project
    on_duckdb: bool

    @cached_property
    def models(self) -> dict[str, Model]:
        """In the order in which they are built."""
        order = self.context.dag.sorted
        known = {model.fqn: model for model in self.context.models.values()}
        return {short_name(fqn): known[fqn] for fqn in order if fqn in known}

    @cached_property
    def snapshots(self) -> dict[str, Snapshot]:
        """Full name of a model -> its snapshot, as if planned for the first time."""
        snapshots = self.context.snapshots
        for snapshot in snapshots.values():
            if not snapshot.version:
                snapshot.categorize_as(SnapshotChangeCategory.BREAKING)
        return snapshots

    def columns(self, name: str) -> dict[str, str]:
        """A model's columns with the types that SQLMesh infers, as BigQuery writes them."""
        types = self.models[name].columns_to_types or {}
        return {column: bigquery_type(type_) for column, type_ in types.items()}

    def parents(self, name: str) -> list[str]:
        return sorted(short_name(fqn) for fqn in self.models[name].depends_on)

    def path(self, name: str) -> Path:
        path = self.models[name]._path
        return Path(path) if path else self.project.root

    def audit_source(self, name: str, audit: str) -> tuple[Path, str]:
        """The file that an audit of a model stands in, and its text; else the model's."""
        found = self.context._audits.get(audit)
        path = Path(found._path) if found is not None and found._path else self.path(name)
        return path, path.read_text(encoding="utf-8") if path.is_file() else ""

    def query(
        self, name: str, *, start: str = START, end: str = END, plain: bool = False
    ) -> exp.Expr | None:
        """The model's query with plain names, for a span of days from `start` to `end`.

        plain: as its file writes it once macros are expanded, not as SQLMesh would rewrite it.
        """
        model = self.models[name]
        if not model.is_sql:
            return None
        return model.render_query_or_raise(
            start=start,
            end=end,
            execution_time=end,
            engine_adapter=self._adapter,
            needs_optimization=not plain,
        )

    def wrapped(self, name: str) -> list[str]:
        """All that SQLMesh runs for the model: created, filled with a month, and shown in prod."""
        snapshot = self.snapshots[self.models[name].fqn]
        adapter = self._adapter
        evaluator = SnapshotEvaluator(adapter)
        adapter.take()
        by_id = {one.snapshot_id: one for one in self.snapshots.values()}
        if snapshot.is_incremental:
            evaluator.create([snapshot], by_id)
        evaluator.evaluate(
            snapshot,
            start=START,
            end=END,
            execution_time=END,
            snapshots=self.snapshots,
            target_table_exists=snapshot.is_incremental,
        )
        evaluator.promote(
            [snapshot],
            EnvironmentNamingInfo(name=ENVIRONMENT),
            start=START,
            end=END,
            execution_time=END,
            snapshots=by_id,
        )
        return adapter.take()

    def audits(
        self, name: str, *, start: str = START, end: str = END, plain: bool = False
    ) -> dict[str, exp.Expr]:
        """The model's audits as SQLMesh runs them: their name, numbered if there are several.

        plain: with the names of models instead of those of their physical tables.
        """
        model = self.models[name]
        found: dict[str, exp.Expr] = {}
        for audit, arguments in model.audits_with_args:
            stated: dict[str, Any] = {k: v for k, v in arguments.items() if k != "blocking"}
            query = model.render_audit_query(
                audit,
                start=start,
                end=end,
                execution_time=end,
                snapshots=None if plain else self.snapshots,
                engine_adapter=self._adapter,
                needs_optimization=not plain,
                **stated,
            )
            name_ = audit.name
            while name_ in found:
                name_ += "_again"
            counted = query.subquery("audit", copy=False)
            found[name_] = exp.select("COUNT(*)").from_(counted, copy=False)
        return found

    def table(self, name: str) -> exp.Table:
        """The physical table or view of a model."""
        return exp.to_table(self.snapshots[self.models[name].fqn].table_name(), dialect="bigquery")

    def partition(self, name: str) -> exp.Expr | None:
        """By what SQLMesh partitions a model's table."""
        return self._adapter.partition(self.models[name])

    @cached_property
    def _adapter(self) -> RecordingAdapter:
        by_table = {self.table(name).name: model for name, model in self.models.items()}

        def columns_of(table: exp.Table) -> dict[str, exp.DataType]:
            named = self.models.get(f"{table.db}.{table.name}") or by_table.get(table.name)
            of = (model for full, model in by_table.items() if full in table.name)
            model = named or next(of, None)
            return dict(model.columns_to_types or {}) if model else {}

        return RecordingAdapter(PROJECT, columns_of)


class _Nobody(BigQueryConnectionConfig):
    """Never connects, so that Google's library need not be imported."""

    def create_engine_adapter(self, *args: Any, **kwargs: Any) -> RecordingAdapter:
        return RecordingAdapter(PROJECT, lambda _: {})


def open_for_bigquery(project: Project) -> BigQueryProject:
    """Load a project; CheckFailed if SQLMesh cannot."""
    gateway = GatewayConfig(
        connection=_Nobody.model_validate({"project": PROJECT, "check_import": False}),
        state_connection=DuckDBConnectionConfig(database=":memory:"),
    )
    recording_console()
    # It would advise against the state in memory, which nobody keeps.
    logging.getLogger("sqlmesh.core.console").setLevel(logging.ERROR)
    keep_what_is_parsed(project)
    with readable_errors(project.database):
        config = load_configs(None, Config, [project.root], dotenv_path=project.dotenv)[
            project.root
        ]
        alone = config.copy(
            update={
                "gateways": {GATEWAY: gateway},
                "default_gateway": GATEWAY,
                "environment_catalog_mapping": {},
            }
        )
        connections = [config.default_connection]
        if isinstance(config.gateways, dict):
            connections += [one.connection for one in config.gateways.values()]
        on_duckdb = any(isinstance(one, DuckDBConnectionConfig) for one in connections)
        context = Context(paths=[str(project.root)], config=alone, load=False)
        load_without_tests(context)
        # There is no warehouse to ask for deliveries.
        setattr(context, WITHOUT_DELIVERIES, True)
        return BigQueryProject(context, project, on_duckdb)


def chosen_models(project: BigQueryProject, names: Sequence[str]) -> list[str]:
    """The models of these names, with or without schema; all, if none is named."""
    if not names:
        return list(project.models)
    chosen = []
    for name in names:
        found = [known for known in project.models if name in (known, known.split(".")[1])]
        if not found:
            raise WrongUse(f"there is no model {name!r}.", fix=_by_name(project, name))
        chosen += found
    return chosen


def _by_name(project: BigQueryProject, path: str) -> str:
    """How the model is called that a file holds, where somebody named that."""
    file = Path(path)
    held = [name for name in project.models if file.is_file() and file.samefile(project.path(name))]
    if held:
        return f"That is a file; the model in it is {', '.join(held)}."
    return "`sqlmesh dag` shows the models there are."
