"""Serve the BigQuery emulator until the process is told to end.

Runs in the emulator's own environment (Python 3.13), started by `tests/servers/bigquery-emulator`.
Both servers take the ports the system gives them, so instances never race for one; the ports go
to the ready file once requests are answered.

usage: bigquery_emulator_server.py DATA_DIR GCS_ROOT READY_FILE
"""

import json
import sys
import threading
from pathlib import Path

import uvicorn
from local_bigquery import app
from local_bigquery.engine import database
from local_bigquery.grpc import server as grpc_server
from local_bigquery.settings import settings

# The bridges lie with the tests: what the emulator does otherwise is the tests' business.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bigquery"))
import quick_catalog
from bridges import install_in_emulator


def main(data_dir: str, gcs_root: str, ready_file: str) -> None:
    """Serve REST and gRPC on loopback; returns after SIGTERM or SIGINT."""
    settings.data_dir = Path(data_dir)
    settings.gcs_local_root = Path(gcs_root)
    install_in_emulator()
    quick_catalog.install()
    # DuckDB looks for pandas at each parameter of a query: it is told at once that there is none.
    sys.modules["pandas"] = None
    # Its queries are tiny: to share one out over cores costs more than it saves.
    database.connection().execute("SET threads = 1")
    storage, grpc_port = grpc_server.start("127.0.0.1", 0)
    rest = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))

    def announce() -> None:
        while not rest.started:
            threading.Event().wait(0.02)
        rest_port = rest.servers[0].sockets[0].getsockname()[1]
        ready = Path(ready_file)
        scratch = ready.with_suffix(".part")
        scratch.write_text(json.dumps({"rest_port": rest_port, "grpc_port": grpc_port}))
        scratch.rename(ready)

    threading.Thread(target=announce, daemon=True).start()
    rest.run()
    storage.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
