"""Every statement that an ingest sends to BigQuery is one that Google's own analyzer accepts.

The emulator reads more than BigQuery does: it took `new` for a name, which GoogleSQL reserves.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from mesh.movielens.ingest.history import History
from mesh.movielens.ingest.schema import (
    ALL_TABLES,
    DELIVERED,
    INGESTS,
    Table,
    create_operational_tables_sql,
)
from mesh.movielens.ingest.targets import statements
from mesh.movielens.ingest.targets.bigquery import (
    CREATE_STAGING,
    ENGINE,
    STAGING,
    BigQueryTarget,
)
from mesh.movielens.ingest.targets.statements import Statements, logged_sql, months_sql
from mesh.prove.analyzer import Analyzer
from tests.project_copy import PROJECT

MONTHS = (date(2001, 1, 1), date(2001, 2, 1))
ENTRY = {
    **dict.fromkeys((c.name for c in INGESTS.columns if c.bigquery == "INT64"), 1),
    "source": "a'b",
    "checksum": "c",
    "mode": "append",
    "changed_months": (),
    "started_at": datetime(2001, 1, 1, tzinfo=UTC),
    "undoes": None,
}


@pytest.fixture(scope="module")
def analyzer():
    made = Analyzer(PROJECT.cache / "googlesql")
    for table in ALL_TABLES:
        shape = {column.name: column.bigquery for column in table.columns}
        made.add_table(("p", "operational", table.name), shape)
        made.add_table(("p", STAGING, table.name), {**shape, "place": "INT64"})
    for table in DELIVERED:
        kinds = dict(table.shape("bigquery"))
        old = {f"old_{name}": kinds[name] for name in table.values}
        flags = {"place": "INT64", "was_there": "BOOL", "counts": "BOOL"}
        made.add_table(("p", STAGING, f"{table.name}_compared"), {**kinds, **old, **flags})
    yield made
    made.close()


def _name(table: Table) -> str:
    return f"`p`.`operational`.`{table.name}`"


def _staged(table: Table) -> str:
    return f"`p`.`{STAGING}`.`{table.name}`"


def _compared(table: Table) -> str:
    return f"`p`.`{STAGING}`.`{table.name}_compared`"


def _statements(mode: str, filled: frozenset[Table] = frozenset(DELIVERED)) -> Statements:
    return Statements(ENGINE, _name, _staged, _compared, filled, mode == "snapshot")


def _recorded() -> list[str]:
    months = {table.name: MONTHS for table in DELIVERED}
    return statements.record(ENGINE, _name, ENTRY, months)


def _published(mode: str) -> list[str]:
    months = {table.name: MONTHS for table in DELIVERED}
    made = _statements(mode)
    return [*made.publish(2, months, kept=[2, 3]), made.reject(2), *_recorded()]


def _script(steps: list[str]) -> str:
    target = BigQueryTarget()
    target.client = SimpleNamespace(project="p")
    target.past = History()
    target.prepare("job", steps, "a'b")
    assert target.script
    return target.script[1]


def _refusals(analyzer: Analyzer, script: str) -> list[str]:
    parts = [part for part in re.split(r";\n|;$", script) if part.strip()]
    texts = [part.replace("@source", "'x'") for part in parts]
    found = [(text, analyzer.analyze(text).refusal) for text in texts]
    return [f"{refusal.message}: {text}" for text, refusal in found if refusal]


@pytest.mark.parametrize("filled", [DELIVERED, ()], ids=["filled", "empty"])
@pytest.mark.parametrize("mode", ["snapshot", "append"])
def test_google_accepts_what_is_asked_and_what_is_published(analyzer, mode, filled):
    made = _statements(mode, frozenset(filled))
    asked = analyzer.analyze(made.changed_months())
    assert asked.refusal is None
    assert [column.type for column in asked.columns] == ["STRING", "DATE"]
    compared = [made.compare(table, MONTHS if table.month_of else ()) for table in DELIVERED]
    if mode == "append":
        compared += [made.compare(table) for table in DELIVERED]
        compared += [made.settled(table) for table in DELIVERED]
    assert [_refusals(analyzer, statement) for statement in compared] == [[]] * len(compared)
    assert _refusals(analyzer, _script(_published(mode))) == []


def test_google_accepts_what_an_undo_asks_and_does(analyzer):
    asked = [analyzer.analyze(ask(_name, 7)) for ask in (logged_sql, months_sql)]
    assert [answer.refusal for answer in asked] == [None, None]
    assert [[c.type for c in answer.columns] for answer in asked] == [
        ["STRING"],
        ["STRING", "DATE"],
    ]
    undone = [*statements.undo(_name, 7, emptied={"tags"}), *_recorded()]
    assert _refusals(analyzer, _script(undone)) == []


def test_google_accepts_what_brings_an_older_table_up_to_date(analyzer):
    older = INGESTS.shape("bigquery")[: -INGESTS.newest_columns]
    missing = ", ".join(INGESTS.missing("bigquery", older) or [])
    assert missing.count("ADD COLUMN") == INGESTS.newest_columns
    newer = missing.replace("ADD COLUMN `", "ADD COLUMN `newer_")
    assert _refusals(analyzer, f"ALTER TABLE {_name(INGESTS)} {newer}") == []


def test_google_accepts_what_makes_the_tables(analyzer):
    script = ";\n".join([*create_operational_tables_sql("bigquery"), CREATE_STAGING])
    assert _refusals(analyzer, script) == []


def test_a_word_that_googlesql_reserves_is_refused(analyzer):
    assert _refusals(analyzer, f"SELECT new.movieId FROM {_name(ALL_TABLES[0])} AS new")


def test_nothing_that_defines_a_table_stands_in_the_transaction():
    undone = [*statements.undo(_name, 7, emptied={"tags"}), *_recorded()]
    for steps in (_published("snapshot"), _published("append"), undone):
        script = _script(steps)
        assert script.startswith("BEGIN TRANSACTION;")
        assert script.endswith("COMMIT TRANSACTION;")
        assert not re.search(r"\b(CREATE|DROP|ALTER)\b", script)
