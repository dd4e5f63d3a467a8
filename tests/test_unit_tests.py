"""SQLMesh's unit tests render a model's query once, and judge each test by its own rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlmesh import Context
from sqlmesh.core.model import SqlModel

from mesh.environments.hooks import install

CONFIG = """
gateways: {local: {connection: {type: duckdb}, test_connection: {type: duckdb}}}
model_defaults: {dialect: bigquery, start: 2020-01-01}
disable_anonymized_analytics: true
"""
MODEL = """
MODEL (name a.doubled, kind INCREMENTAL_BY_TIME_RANGE (time_column d));

WITH doubled AS (
  SELECT n::INT64 * 2 AS n, d::DATE AS d FROM raw.numbers WHERE d BETWEEN @start_date AND @end_date
)
SELECT n::INT64 AS n, d::DATE AS d FROM doubled
"""
EXTERNAL = "- {name: raw.numbers, columns: {n: INT64, d: DATE}}\n"
TEST = """
{name}:
  model: a.doubled
  vars: {{start: {month}-01, end: {month}-28}}
  inputs:
    raw.numbers:
      rows: [{{n: {given}, d: 2020-01-05}}, {{n: 7, d: 2020-02-05}}]
  outputs:
    ctes: {{doubled: {{rows: [{{n: {expected}, d: {month}-05}}]}}}}
    query: {{rows: [{{n: {expected}, d: {month}-05}}]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "config.yaml": CONFIG,
        "models/doubled.sql": MODEL,
        "external_models.yaml": EXTERNAL,
        "tests/test_doubled.yaml": "".join(
            TEST.format(name=f"test_{name}", month=month, given=given, expected=expected)
            for name, month, given, expected in (
                ("one", "2020-01", 1, 2),
                ("three", "2020-01", 3, 6),
                ("wrong", "2020-01", 3, 5),
                ("february", "2020-02", 3, 14),
            )
        ),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_tests_of_a_model_share_what_is_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install()
    context, rendered = Context(paths=[str(project)]), []
    render = SqlModel.render_query

    def counted(model: SqlModel, *args: Any, **kwargs: Any) -> Any:
        if "table_mapping" in kwargs:
            rendered.append((model.name, kwargs.get("start")))
        return render(model, *args, **kwargs)

    monkeypatch.setattr(SqlModel, "render_query", counted)
    result = context.test()
    assert result.testsRun == 4
    assert {test.test_name for test, _ in result.failures} == {"test_wrong"}
    assert [name for name, _ in rendered] == ["a.doubled", "a.doubled"]
    context.test()
    assert len(rendered) == 4
