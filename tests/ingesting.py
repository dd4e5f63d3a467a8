"""A database that is not there yet, and `ingest` into it; a plugin of the tests that use both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.movielens.ingest import IngestResult
from tests.deliveries import loader


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "db" / "mesh.duckdb"


@pytest.fixture
def load(database: Path) -> Callable[..., IngestResult]:
    return loader(database)
