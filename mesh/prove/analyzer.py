"""Google's own SQL analyzer, started in a moment and told to be BigQuery.

The analyzer is a WebAssembly module. Turning it into machine code takes 15 to 40 seconds, so the
result is kept in a folder and read back in milliseconds; another version of the analyzer or of
the runtime makes a new one.
"""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mesh.environments.names import is_of_many_tables
from mesh.prove.dialect import FEATURES_NOT_IN_BIGQUERY, FEATURES_OF_BIGQUERY
from mesh.prove.functions import of_bigquery
from mesh.prove.types import analyzer_type, bigquery_type

_LOCATION = re.compile(r"\s*\[at (\d+):(\d+)\]")
_START = threading.Lock()
# Of a row of many tables under one name: what the name of its table ends with.
_SUFFIX = "_TABLE_SUFFIX"


@dataclass(frozen=True)
class Refusal:
    """Why a statement is no good, in Google's words.

    line, column: where in the statement, from 1; None where Google does not say.
    """

    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class OutputColumn:
    """A column of a query's result, its type as BigQuery writes it."""

    name: str
    type: str


@dataclass(frozen=True)
class Analysis:
    """What the analyzer says of one statement: refused, or accepted with these columns."""

    refusal: Refusal | None
    columns: tuple[OutputColumn, ...] = ()


Schema = Mapping[str, str]
"""Name of a column -> its type as BigQuery writes it, in the table's order."""


class Analyzer:
    """Analyzes statements against the tables that were added.

    Tables are named by their parts, (`dataset`, `table`) or with a project before them.
    cache: the folder that keeps the analyzer in machine code.
    """

    def __init__(self, cache: Path) -> None:
        self._service = _service(cache)
        self._language = _language()
        self._tables: dict[tuple[str, ...], Any] = {}
        self._registered: int | None = None

    def add_table(self, name: Iterable[str], schema: Schema) -> None:
        """Let statements read a table; one that is there under the name is replaced.

        A column of a type that BigQuery does not have is left out. Of many tables under one name,
        as `events_*`, a query may ask for the end of the name of each.
        """
        from zetasql.types import SimpleColumn, SimpleTable

        parts = tuple(name)
        pseudo = {_SUFFIX: "STRING"} if is_of_many_tables(parts[-1]) else {}
        own = {column: kind for column, kind in schema.items() if column.upper() not in pseudo}
        columns = [
            SimpleColumn(
                name=column, type=type_, is_writable_column=True, is_pseudo_column=column in pseudo
            )
            for column, kind in {**own, **pseudo}.items()
            if (type_ := analyzer_type(kind)) is not None
        ]
        self._tables[parts] = SimpleTable(name=parts[-1], column=columns)
        # BigQuery reads `a.b` in one pair of quotes as `a`.`b`.
        joined = ".".join(parts)
        self._tables[(joined,)] = SimpleTable(name=joined, column=columns)
        self.close()

    def analyze(self, sql: str) -> Analysis:
        """One statement: what its result looks like, or why it is refused."""
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from zetasql.core.exceptions import ServerError
        from zetasql.types import AnalyzeRequest, AnalyzerOptions
        from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2

        options = AnalyzerOptions(
            language_options=self._language, default_timezone="UTC", error_message_mode=1
        )
        request = AnalyzeRequest(
            sql_statement=sql, options=options, registered_catalog_id=self._catalog()
        )
        try:
            answer = self._service.wasm_client.call_grpc_func(
                "ZetaSqlLocalService_Analyze",
                request.to_proto(),
                local_service_pb2.AnalyzeResponse,
            )
        except ServerError as error:
            return Analysis(_refusal(error))
        except DecodeError:
            # Its answer lies a hundred messages deep.
            return Analysis(Refusal("Its expressions lie too deep in each other: add in halves."))
        return Analysis(None, tuple(_outputs(answer.resolved_statement)))

    def _catalog(self) -> int:
        if self._registered is None:
            from zetasql.types import SimpleCatalog, ZetaSQLBuiltinFunctionOptions

            root = SimpleCatalog(
                name="bigquery", table=[], catalog=[], custom_function=of_bigquery()
            )
            root.builtin_function_options = ZetaSQLBuiltinFunctionOptions(
                language_options=self._language
            )
            folders: dict[tuple[str, ...], Any] = {(): root}
            for parts, table in self._tables.items():
                for depth in range(1, len(parts)):
                    if parts[:depth] not in folders:
                        folder = SimpleCatalog(name=parts[depth - 1], table=[], catalog=[])
                        folders[parts[: depth - 1]].catalog.append(folder)
                        folders[parts[:depth]] = folder
                folders[parts[:-1]].table.append(table)
            answer = self._service.register_catalog(simple_catalog=root)
            self._registered = answer.registered_id
        return self._registered

    def close(self) -> None:
        """Forget the tables as the analyzer knows them; it is told anew when it is asked next."""
        if self._registered is not None:
            self._service.unregister_catalog(registered_id=self._registered)
            self._registered = None


def _outputs(statement: Any) -> Iterator[OutputColumn]:
    """The columns of an analyzed statement, as the message that the analyzer sent.

    The package's own objects for it would take ten times as long as the analysis.
    """
    kind = statement.WhichOneof("node")
    while kind is not None:
        statement = getattr(statement, kind)
        names = [field.name for field in statement.DESCRIPTOR.fields]
        if "output_column_list" in names:
            for column in statement.output_column_list:
                yield OutputColumn(column.name, bigquery_type(column.column.type))
            return
        kind = (
            statement.WhichOneof("node") if "node" in statement.DESCRIPTOR.oneofs_by_name else None
        )


def _refusal(error: Any) -> Refusal:
    text = " ".join(error.raw_error.split())
    text = re.sub(r"^Code: \d+, Message: ", "", text)
    found = _LOCATION.search(text)
    message = _LOCATION.sub("", text).strip()
    if found is None:
        return Refusal(message)
    return Refusal(message, int(found.group(1)), int(found.group(2)))


def _language() -> Any:
    """GoogleSQL without what BigQuery leaves out."""
    from zetasql.types import LanguageFeature, LanguageOptions, ProductMode, ResolvedNodeKind

    language = LanguageOptions.maximum_features()
    language.product_mode = ProductMode.PRODUCT_EXTERNAL
    language.reserved_keywords = ["QUALIFY"]
    features = {
        number: re.sub(r"^FEATURE_(V_\d_\d_)?", "", name)
        for name, number in LanguageFeature.__members__.items()
    }
    language.enabled_language_features = [
        feature
        for feature in {*language.enabled_language_features, *features}
        if (
            feature in language.enabled_language_features
            or features[feature] in FEATURES_OF_BIGQUERY
        )
        and features.get(feature) not in FEATURES_NOT_IN_BIGQUERY
    ]
    language.supported_statement_kinds = [
        kind for name, kind in ResolvedNodeKind.__members__.items() if name.endswith("_STMT")
    ]
    return language


def _service(cache: Path) -> Any:
    """The analyzer's one instance of this process."""
    from zetasql.core.local_service import ZetaSqlLocalService

    with _START:
        if not hasattr(ZetaSqlLocalService, "_instance"):
            service = ZetaSqlLocalService.__new__(ZetaSqlLocalService)
            service.wasm_client = _client(cache)
            ZetaSqlLocalService._instance = service
    return ZetaSqlLocalService._instance


def _client(cache: Path) -> Any:
    """As zetasql's own client, with the compiled module kept and memory copied whole."""
    from wasmtime import Config, Engine, Linker, Store, WasiConfig
    from zetasql.core.wasm_client import WasmClient, get_tzinfo_dir

    class Client(WasmClient):
        def __init__(self) -> None:
            wasi = WasiConfig()
            wasi.inherit_stderr()
            if zones := get_tzinfo_dir():
                wasi.preopen_dir(zones, "/usr/share/zoneinfo")
            config = Config()
            config.shared_memory = True
            engine = Engine(config)
            self.store = Store(engine)
            self.store.set_wasi(wasi)
            self.module = _module(engine, cache)
            linker = Linker(engine)
            linker.define_wasi()
            self.instance = linker.instantiate(self.store, self.module)
            exports: Any = self.instance.exports(self.store)
            self.exports = exports
            if "_initialize" in exports:
                exports["_initialize"](self.store)
            self.memory = exports["memory"]

        def write_bytes(self, ptr: int, data: bytes) -> None:
            ctypes.memmove(self._address() + ptr, data, len(data))

        def read_bytes(self, ptr: int, size: int) -> bytes:
            return ctypes.string_at(self._address() + ptr, size)

        def _address(self) -> int:
            return ctypes.cast(self.memory.data_ptr(), ctypes.c_void_p).value or 0

    return Client()


def _module(engine: Any, cache: Path) -> Any:
    """The compiled analyzer, from the cache if it is there and fits."""
    import wasmtime
    from zetasql.wasi import get_wasm_path

    kept = cache / f"zetasql-{version('zetasql')}-wasmtime-{version('wasmtime')}.bin"
    if kept.exists():
        with suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize_file(engine, str(kept))
    module = wasmtime.Module.from_file(engine, str(get_wasm_path()))
    with suppress(OSError):
        _write(kept, bytes(module.serialize()))
    return module


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: another process may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)
