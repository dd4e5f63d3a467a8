"""Tests that run models in memory see this project's macros, whatever was loaded before them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from rendered import ROOT, on_duckdb, own_macros
from sqlmesh.core.macros import macro
from sqlmesh.utils import sys_path
from sqlmesh.utils.metaprogramming import import_python_file

FEW = "WITH one AS (SELECT 5 AS histogram_low) SELECT @ratings_of(one, 0.5) AS few FROM one"


@pytest.fixture
def other(tmp_path) -> Iterator[Path]:
    """Another project's macros, loaded as SQLMesh does: its `ratings_of` counts one more."""
    modules, registry = dict(sys.modules), macro.get_registry()
    file = Path(shutil.copytree(ROOT / "macros", tmp_path / "macros")) / "half_stars.py"
    file.write_text(file.read_text().replace("+ below,", "+ below + ' + 1',"))
    with sys_path(tmp_path):
        macro.set_registry({})
        import_python_file(file, tmp_path)
        yield file
    macro.set_registry(registry)
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]
    sys.modules.update(modules)


def test_the_macros_of_a_project_that_was_loaded_last_are_not_taken(other):
    assert sys.modules["macros.half_stars"].__file__ == str(other)
    assert duckdb.sql(on_duckdb(FEW)).fetchall() == [(5,)]


def test_what_was_loaded_stays_loaded(other):
    before, registry = sys.modules["macros.half_stars"], dict(macro.get_registry())
    with own_macros() as macros:
        assert "withheld" in macros
    assert sys.modules["macros.half_stars"] is before
    assert dict(macro.get_registry()) == registry
