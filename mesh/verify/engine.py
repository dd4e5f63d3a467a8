"""The engine that holds the data, through ibis, on the connection that SQLMesh has open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
from ibis.common.exceptions import IbisError, TableNotFound
from pyarrow import ArrowException
from sqlglot import exp

from mesh.environments import Opened
from mesh.errors import WrongUse
from mesh.signals import undisguised
from mesh.verify.values import python_rows

if TYPE_CHECKING:
    from ibis import BaseBackend
    from ibis.expr.datatypes import DataType

Row = dict[str, Any]
# The process around DuckDB needs some too; together they stay below 2 GB.
MEMORY_LIMIT = "1400MB"
# DuckDB has several names for a type; ibis knows others than contracts do.
_SPELLING = {
    "INT": "INTEGER",
    "REAL": "FLOAT",
    "TEXT": "VARCHAR",
    "TIMESTAMP(6)": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
}


class EngineRefuses(Exception):
    """The engine cannot run a query; the text is its reason in one line."""


@dataclass(frozen=True)
class Engine:
    """An ibis backend and the dialect it speaks: `duckdb` or `bigquery`."""

    backend: BaseBackend
    dialect: str

    def table(self, name: exp.Table) -> ibis.Table:
        """A table or view. Raises EngineRefuses when it is not there or cannot be read."""
        database = tuple(part for part in (name.catalog, name.db) if part)
        return self._guarded(lambda: self.backend.table(name.name, database=database))

    def rows(self, query: exp.Query, schema: dict[str, DataType | str] | None = None) -> list[Row]:
        """The few rows of a query in the BigQuery dialect; schema: spares the engine a question.

        A time that Python's calendar does not reach is its text. Raises EngineRefuses.
        """
        # Quoted, so that a column called `timestamp` or `order` is a column on both engines.
        sql = query.sql(dialect=self.dialect, identify=True)
        return self._guarded(lambda: python_rows(self.backend.sql(sql, schema=schema).to_pyarrow()))

    def type_of(self, text: str) -> DataType:
        """The ibis type of a type as it stands in DDL."""
        return self.backend.compiler.type_mapper.from_string(text)

    def type_text(self, kind: DataType) -> str:
        """A type as it stands in DDL, spelt as contracts spell it."""
        text = self.backend.compiler.type_mapper.to_string(kind)
        return _SPELLING.get(text, text) if self.dialect == "duckdb" else text

    def _guarded(self, work: Any) -> Any:
        from google.api_core.exceptions import GoogleAPIError

        try:
            with undisguised(getattr(self.backend, "con", None)):
                return work()
        except (duckdb.Error, GoogleAPIError, IbisError, TableNotFound, ArrowException) as error:
            text = " ".join(str(error).split())
            if isinstance(error, TableNotFound):
                text = f"there is no table or view {text}"
            raise EngineRefuses(text.partition(" LINE 1:")[0] or type(error).__name__) from error


def modest_memory(engine: Engine) -> AbstractContextManager[None]:
    """Hold DuckDB to less memory for a while: proving that millions of rows differ can take all.

    What does not fit goes to the disk. BigQuery has its own memory.
    """
    if engine.dialect != "duckdb":
        return nullcontext()
    return setting(engine.backend.con, "memory_limit", MEMORY_LIMIT)


@contextmanager
def setting(connection: duckdb.DuckDBPyConnection, name: str, value: str | int) -> Iterator[None]:
    """A setting of DuckDB for a while."""
    (before,) = connection.execute(f"SELECT current_setting('{name}')").fetchone()  # type: ignore
    connection.execute(f"SET {name} = '{value}'")
    try:
        yield
    finally:
        connection.execute(f"SET {name} = '{before}'")


def open_engine(opened: Opened) -> Engine:
    """ibis on the connection of the project's gateway, so that both see the same session."""
    adapter = opened.context.engine_adapter
    if adapter.dialect == "duckdb":
        return Engine(ibis.duckdb.from_connection(adapter.connection), "duckdb")
    if adapter.dialect == "bigquery":
        from google.cloud.bigquery_storage import BigQueryReadClient

        client = adapter.client  # type: ignore[attr-defined]
        # ibis asks the machine for credentials unless it gets both clients.
        storage = BigQueryReadClient(credentials=client._credentials)
        return Engine(ibis.bigquery.connect(client=client, storage_client=storage), "bigquery")
    raise WrongUse(
        f"Contracts cannot be verified on {adapter.dialect}.",
        fix="Use a gateway of DuckDB or BigQuery.",
    )
