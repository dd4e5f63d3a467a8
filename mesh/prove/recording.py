"""SQLMesh's BigQuery adapter with nobody at the other end: it writes down what would be run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp, parse_one
from sqlmesh.core.engine_adapter import BigQueryEngineAdapter

if TYPE_CHECKING:
    from sqlmesh import Model

Columns = dict[str, exp.DataType]


class RecordingAdapter(BigQueryEngineAdapter):
    """Every statement goes to `statements`; tables have the columns that `columns_of` says.

    Nothing is asked of BigQuery: no table exists yet, and a count is 0.
    """

    def __init__(self, project: str, columns_of: Callable[[exp.Table], Columns]) -> None:
        super().__init__(
            lambda *_: None,
            default_catalog=project,
            register_comments=True,
            job_retries=1,
        )
        self.statements: list[str] = []
        self._columns_of = columns_of

    def take(self) -> list[str]:
        """The statements since the last time."""
        taken, self.statements = self.statements, []
        return taken

    def partition(self, model: Model) -> exp.Expr | None:
        """What stands behind PARTITION BY, to which SQLMesh adds the unit of a column."""
        if len(model.partitioned_by) != 1:
            return None
        built = self._build_partitioned_by_exp(
            model.partitioned_by,
            partition_interval_unit=model.partition_interval_unit,
            target_columns_to_types=model.columns_to_types,
        )
        return parse_one(built.this.sql("bigquery"), dialect="bigquery") if built else None

    def with_settings(self, **kwargs: Any) -> RecordingAdapter:
        """The same, whatever is set: there is one record."""
        return self

    def _execute(self, sql: str, track_rows_processed: bool = False, **kwargs: Any) -> None:
        self.statements.append(sql)

    def fetchone(self, query: exp.Expr | str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        self.execute(query, **{"quote_identifiers": False, **kwargs})
        return (0,)

    def fetchall(self, query: exp.Expr | str, *args: Any, **kwargs: Any) -> list[tuple[Any, ...]]:
        self.execute(query, **{"quote_identifiers": False, **kwargs})
        return []

    def table_exists(self, table_name: Any) -> bool:
        return False

    def columns(self, table_name: Any, include_pseudo_columns: bool = False) -> Columns:
        return self._columns_of(exp.to_table(table_name, dialect="bigquery"))

    def get_current_catalog(self) -> str | None:
        return self.default_catalog

    def _begin_session(self, properties: Any) -> None:
        self._session_id = "recording"

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        """There is no connection, data sets are there, and nothing was made that could be dropped.

        Comments are part of a table's creation, or of the client's own calls; who may read is
        proved by the infrastructure's own tests.
        """

    set_current_catalog = create_schema = drop_table = close = _nothing
    _create_column_comments = sync_grants_config = _nothing

    def _none(self, *args: Any, **kwargs: Any) -> list:
        return []

    _get_data_objects = _apply_grants_config_expr = _none
