"""What a month of runs scans, by the cron and the kind of each model, of a project on DuckDB."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from sqlmesh import Context
from sqlmesh.core.node import IntervalUnit

from mesh.cost import ModelCost, cost
from mesh.cost.runs import days_of_run, runs_a_month
from mesh.cost.statistics import partition_column
from mesh.project import Project
from tests.project_copy import PROJECT

CONFIG = """
gateways:
  duckdb: {connection: {type: duckdb, database: DATABASE, connector_config: {TimeZone: UTC}}}
default_gateway: duckdb
model_defaults: {dialect: bigquery, start: '2024-01-01'}
disable_anonymized_analytics: true
"""
SOURCES = """
- name: raw.events
  columns: {id: INT64, d: DATE}
"""
DAYS = (
    "SELECT id::INT64 AS id, d::DATE AS d FROM raw.events WHERE d BETWEEN @start_date AND @end_date"
)
MODELS = {
    "monthly": "kind FULL, cron '@monthly'|SELECT id::INT64 AS id FROM raw.events",
    "daily": "kind FULL|SELECT id::INT64 AS id FROM raw.events",
    "checked": "kind VIEW, audits not_null(columns := id)|SELECT id::INT64 AS id FROM raw.events",
    "keyed": f"kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id), cron '@monthly'|{DAYS}",
    "history": "kind SCD_TYPE_2_BY_COLUMN (unique_key id, columns [d]), cron '@monthly'"
    "|SELECT id::INT64 AS id, d::DATE AS d FROM raw.events",
    "added": f"kind INCREMENTAL_UNMANAGED, cron '@monthly'|{DAYS}",
    "dated": f"kind INCREMENTAL_BY_TIME_RANGE (time_column d), partitioned_by d|{DAYS}",
    "late": f"kind INCREMENTAL_BY_TIME_RANGE (time_column d, lookback 2), partitioned_by d|{DAYS}",
}
# January, February and March 2024, 310 rows on each of 91 days; 8 bytes a value.
ROWS = 91 * 310
A_DAY, A_COLUMN = 310 * 8, ROWS * 8


def filled(root: Path) -> Project:
    """The project, with all of its models built."""
    (root / "models").mkdir(parents=True)
    (root / "config.yaml").write_text(CONFIG.replace("DATABASE", str(root / "data.duckdb")))
    (root / "external_models.yaml").write_text(SOURCES)
    for name, text in MODELS.items():
        header, query = text.split("|")
        (root / "models" / f"{name}.sql").write_text(
            f"MODEL (name shop.{name}, {header});\n{query}"
        )
    with duckdb.connect(str(root / "data.duckdb")) as database:
        database.execute(
            "CREATE SCHEMA raw; CREATE TABLE raw.events AS SELECT i AS id, "
            f"DATE '2024-01-01' + (i // 310)::INT AS d FROM range({ROWS}) AS r(i)"
        )
    context = Context(paths=[str(root)])
    context.plan("prod", auto_apply=True, no_prompts=True)
    context.plan("dev", auto_apply=True, no_prompts=True, include_unmodified=True)
    context.close()
    return Project(root)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return filled(tmp_path_factory.mktemp("cost") / "shop")


@pytest.fixture(scope="module")
def models(project: Project) -> dict[str, ModelCost]:
    told = cost(project, lambda _: ())
    return {one.model.removeprefix("shop."): one for one in told.models}


def test_any_environment_reads_the_sources_where_they_are(
    project: Project, models: dict[str, ModelCost]
) -> None:
    assert cost(project, lambda _: (), environment="dev").models == tuple(models.values())


@pytest.mark.parametrize(
    ("cron", "runs"),
    [
        ("@monthly", 1),
        ("@daily", 365.25 / 12),
        ("@hourly", 365.25 * 2),
        ("*/5 * * * *", 365.25 * 24),
        ("@yearly", 1 / 12),
        ("0 6 1 */3 *", 1 / 3),
    ],
)
def test_a_month_has_as_many_runs_as_the_cron_says(cron: str, runs: float) -> None:
    assert runs_a_month(cron) == pytest.approx(runs)


@pytest.mark.parametrize(
    ("cron", "lookback", "first", "last"),
    [
        ("@monthly", 0, date(2018, 9, 1), date(2018, 9, 30)),
        ("0 6 2 * *", 1, date(2018, 8, 1), date(2018, 9, 30)),
        ("0 0 1 */3 *", 0, date(2018, 7, 1), date(2018, 9, 30)),
        ("@weekly", 0, date(2018, 9, 23), date(2018, 9, 29)),
        ("@daily", 2, date(2018, 9, 28), date(2018, 9, 30)),
        ("@hourly", 0, date(2018, 9, 30), date(2018, 9, 30)),
    ],
)
def test_a_run_is_about_its_intervals_and_those_before_that_may_be_late(
    cron: str, lookback: int, first: date, last: date
) -> None:
    unit = IntervalUnit.from_cron(cron)
    model = SimpleNamespace(cron=cron, interval_unit=unit, lookback=lookback)
    assert days_of_run(model, date(2018, 9, 1)) == (first, last)


def test_what_is_built_whole_is_built_in_each_run(models: dict[str, ModelCost]) -> None:
    assert (models["monthly"].runs, models["monthly"].monthly) == (1, A_COLUMN)
    assert models["daily"].monthly == pytest.approx(A_COLUMN * 365.25 / 12)
    assert models["daily"].full == A_COLUMN


def test_views_are_audited_in_each_run(models: dict[str, ModelCost]) -> None:
    assert models["checked"].monthly_audits == pytest.approx(A_COLUMN * 365.25 / 12)


def test_a_merge_by_key_and_a_history_read_all_that_is_there(
    models: dict[str, ModelCost],
) -> None:
    assert models["keyed"].monthly == 2 * A_COLUMN + 2 * A_COLUMN
    # The history has two columns more, from when to when.
    assert models["history"].monthly == 2 * A_COLUMN + 3 * A_COLUMN
    assert models["added"].monthly == models["keyed"].full == 2 * A_COLUMN


def test_a_day_of_facts_is_built_once_and_again_where_it_may_be_late(
    models: dict[str, ModelCost],
) -> None:
    # Nobody says that the source is partitioned, so each run reads all of it.
    reads = 2 * A_COLUMN
    assert models["dated"].monthly == pytest.approx((reads + 2 * A_DAY) * 365.25 / 12)
    assert models["late"].monthly == pytest.approx((reads + 6 * A_DAY) * 365.25 / 12)


def test_a_source_is_partitioned_where_its_contract_says_so() -> None:
    names = ("operational.ratings", "operational.movies", "raw.events")
    models = dict.fromkeys(names, SimpleNamespace(partitioned_by=[]))
    files = SimpleNamespace(models=models, project=PROJECT)
    found = [partition_column(files, name) for name in names]
    assert found == ["timestamp", None, None]
