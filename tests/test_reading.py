"""docs/reading.md: what stands there is run, on a database with an environment."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from audience import small_audience
from built import built
from project_copy import ROOT, copy_project

PAGE = (ROOT / "docs" / "reading.md").read_text()


def snippets(language: str) -> list[str]:
    """Those of the page, on the environment dev instead of prod."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return [re.sub(r"\b(engagement|interactions)\.", r"\1__dev.", text) for text in found]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = copy_project(tmp_path / "project")
    (tmp_path / "data").mkdir()
    shutil.copy2(built(copy, small_audience(), "dev"), tmp_path / "data" / "mesh.duckdb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_as_it_stands_gives_data_frames(folder: Path) -> None:
    names: dict[str, Any] = {}
    for text in snippets("python"):
        exec(text, names)
    assert list(names["genres"].columns) == ["genre", "user_count"] and len(names["genres"])
    assert "user_group" in names["rows"].columns


def test_the_sparse_matrix_as_it_stands_holds_each_rating_once(folder: Path) -> None:
    names: dict[str, Any] = {}
    for text in snippets("python"):
        exec(text, names)
    ratings, matrix = small_audience().ratings, names["matrix"]
    assert matrix.nnz == len(ratings)
    for row, column in zip(*matrix.nonzero(), strict=True):
        user, movie = names["users"][row], names["movies"][column]
        assert matrix[row, column] == ratings[user, movie][0]
    high = {key for key, (stars, _) in ratings.items() if stars > 4}
    one, two = names["movies"][:2]
    both = {user for user, movie in high if movie == one} & {u for u, m in high if m == two}
    assert names["both_like"][0, 1] == len(both)


def test_sql_as_it_stands_runs(folder: Path) -> None:
    attached, copied = snippets("sql")
    with duckdb.connect() as connection:
        assert connection.execute(attached).fetchone() is not None
    with duckdb.connect("data/mesh.duckdb", read_only=True) as connection:
        connection.execute(copied)
    rows = duckdb.sql("SELECT COUNT(*) FROM 'groups.parquet'").fetchone()
    assert rows == duckdb.sql("SELECT COUNT(*) FROM 'groups.csv'").fetchone() != (0,)


def test_under_another_name_the_views_find_nothing(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("ATTACH 'data/mesh.duckdb' AS other (READ_ONLY)")
        with pytest.raises(duckdb.BinderException, match='"mesh" does not exist'):
            connection.execute("SELECT * FROM other.engagement__dev.audience_groups")
