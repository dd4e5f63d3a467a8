"""Where things lie: the project's root, its folders and the local database."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DATABASE_VARIABLE = "MESH_DUCKDB"
DEFAULT_DATABASE = Path("data") / "mesh.duckdb"
LOCAL_GATEWAY = "duckdb"
BIGQUERY_GATEWAY = "bigquery"
# The project of prod's views; their catalog is then a second file on DuckDB.
PROD_VARIABLE = "MESH_BIGQUERY_PROD_PROJECT"


def database_path() -> Path:
    """The local DuckDB file: `MESH_DUCKDB` if set, else `data/mesh.duckdb` in the project."""
    return PROJECT_ROOT / Path(os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE)
