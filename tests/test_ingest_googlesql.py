"""Every statement that an ingest sends to BigQuery is one that Google's own analyzer accepts.

The emulator reads more than BigQuery does: it took `new` for a name, which GoogleSQL reserves.
"""

from __future__ import annotations

import re

import pytest

from mesh.movielens.ingest.schema import (
    ALL_TABLES,
    INGESTS,
    Table,
    add_columns_sql,
    create_operational_tables_sql,
)
from mesh.movielens.ingest.targets.bigquery_sql import STAGING, Statements, create_staging_sql, undo
from mesh.movielens.ingest.targets.undo_sql import logged_sql, months_sql
from mesh.prove.analyzer import Analyzer
from tests.project_copy import PROJECT

MONTHS = "ARRAY<DATE>[DATE '2001-01-01']"
VALUES = {
    "source": "'x'",
    "checksum": "'x'",
    "mode": "'x'",
    "started_at": "TIMESTAMP '2001-01-01 00:00:00+00'",
}


@pytest.fixture(scope="module")
def analyzer():
    made = Analyzer(PROJECT.cache / "googlesql")
    for table in ALL_TABLES:
        shape = {column.name: column.bigquery for column in table.columns}
        made.add_table(("p", "operational", table.name), shape)
        staged = {name: kind for name, kind in shape.items() if name != "ingest_id"}
        made.add_table(("p", STAGING, table.name), staged)
    yield made
    made.close()


def _name(table: Table) -> str:
    return f"`p`.`operational`.`{table.name}`"


def _staged(table: Table) -> str:
    return f"`p`.`{STAGING}`.`{table.name}`"


def _value(parameter: re.Match[str]) -> str:
    name = parameter[1]
    return VALUES.get(name) or (MONTHS if "months" in name else "1")


def _refusals(analyzer: Analyzer, script: str) -> list[str]:
    parts = [part for part in re.split(r";\n|;$", script) if part.strip()]
    texts = [re.sub(r"@(\w+)", _value, part) for part in parts]
    found = [(text, analyzer.analyze(text).refusal) for text in texts]
    return [f"{refusal.message}: {text}" for text, refusal in found if refusal]


@pytest.mark.parametrize("mode", ["snapshot", "append"])
def test_google_accepts_what_is_asked_and_what_is_published(analyzer, mode):
    statements = Statements(_name, _staged, mode)
    asked = analyzer.analyze(statements.changed_months())
    assert asked.refusal is None
    assert [column.type for column in asked.columns] == ["STRING", "DATE"]
    script = statements.publish(rejected=True, kept=[2, 3])
    assert _refusals(analyzer, script) == []


def test_google_accepts_what_an_undo_asks_and_does(analyzer):
    asked = [analyzer.analyze(ask(_name, 7)) for ask in (logged_sql, months_sql)]
    assert [answer.refusal for answer in asked] == [None, None]
    assert [[c.type for c in answer.columns] for answer in asked] == [
        ["STRING"],
        ["STRING", "DATE"],
    ]
    assert _refusals(analyzer, undo(_name, 7, emptied={"tags"})) == []


def test_google_accepts_what_brings_an_older_table_up_to_date(analyzer):
    (statement,) = add_columns_sql(INGESTS, "bigquery", _name(INGESTS))
    assert _refusals(analyzer, statement.replace("ADD COLUMN `", "ADD COLUMN `newer_")) == []


def test_google_accepts_what_makes_the_tables(analyzer):
    script = ";\n".join([*create_operational_tables_sql("bigquery"), create_staging_sql(2)])
    assert _refusals(analyzer, script) == []


def test_a_word_that_googlesql_reserves_is_refused(analyzer):
    assert _refusals(analyzer, f"SELECT new.movieId FROM {_name(ALL_TABLES[0])} AS new")


def test_nothing_that_defines_a_table_stands_in_the_transaction():
    published = [
        Statements(_name, _staged, mode).publish(rejected=True, kept=[2, 3])
        for mode in ("snapshot", "append")
    ]
    for script in (*published, undo(_name, 7, emptied={"tags"})):
        assert script.startswith("BEGIN TRANSACTION;")
        assert script.endswith("COMMIT TRANSACTION;")
        assert not re.search(r"\b(CREATE|DROP|ALTER)\b", script)
