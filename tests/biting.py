"""The made-up plays of the fixtures, which tests damage beside a contract of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from project_copy import ROOT
from sqlglot import exp

from mesh.bite.copy import Copy, memory
from mesh.bite.run import Bitten, bitten
from mesh.contracts import Contract, load_contract

FIXTURES = ROOT / "tests" / "fixtures" / "contracts" / "valid"
# By the order of the key: the second row is the middle one, `tv` the rarest device.
PLAYS = """
    (1, DATE '2018-01-01', 'phone', 3.0, 2),
    (1, DATE '2018-02-01', 'tv', 4.0, 5),
    (2, DATE '2018-01-01', 'phone', 2.5, 1),
    (2, DATE '2018-03-01', NULL, 5.0, 4)
"""
COLUMNS = ("user_id", "month", "device", "score", "plays")


@dataclass(frozen=True)
class Plays:
    """The made-up product of the fixtures, with a contract of a test's own."""

    path: Path

    def edit(self, change: Callable[[dict[str, Any]], None]) -> Contract:
        document = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        change(document)
        self.path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return load_contract(self.path)

    def only(self, *rules: str) -> Contract:
        """The contract with these rules alone, and no bounds of values."""

        def change(document: dict[str, Any]) -> None:
            (table,) = document["schema"]
            table["quality"] = [rule for rule in table["quality"] if rule["id"] in rules]
            for column in table["properties"]:
                column.pop("logicalTypeOptions", None)
                column["required"] = bool(column.get("primaryKey"))

        return self.edit(change)

    def state(self, **properties: Any) -> Contract:
        stated = [{"property": key, "value": value} for key, value in properties.items()]
        return self.edit(lambda document: document.update(customProperties=stated))


def plays_in(folder: Path) -> Plays:
    """The product in a copy of the fixtures' contracts."""
    shutil.copytree(FIXTURES, folder / "contracts")
    return Plays(folder / "contracts" / "interactions" / "plays.odcs.yaml")


@contextmanager
def copied(contract: Contract, rows: str = PLAYS) -> Iterator[Copy]:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA interactions")
    connection.execute("CREATE SCHEMA operational")
    types = ", ".join(f"{c.name} {c.duckdb_type}" for c in contract.columns)
    connection.execute(f"CREATE TABLE interactions.plays ({types})")
    if rows:
        connection.execute(f"INSERT INTO interactions.plays VALUES {rows}")
    connection.execute(
        "CREATE TABLE operational.users AS SELECT * FROM (VALUES (1::BIGINT, TRUE), (2, TRUE)) "
        "AS users(userId, active)"
    )
    with memory(connection, exp.to_table) as copies:
        yield Copy(copies, contract)


def bite_plays(contract: Contract, rows: str = PLAYS) -> Bitten:
    with copied(contract, rows) as copy:
        return bitten(copy.memory, contract, None, {}, [])
