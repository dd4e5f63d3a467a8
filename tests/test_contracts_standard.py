"""Contracts as other people write them: what the standard has is never called misspelt."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import open_data_contract_standard.model as odcs
import pytest
import yaml
from pydantic import BaseModel
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import load_sql_based_model

from mesh.contracts import Contract, load_contract
from mesh.contracts.constraints.row_count import RowCount
from mesh.contracts.lint import lint
from mesh.contracts.types import bigquery_type, span, stored_types
from mesh.files.annotations import is_model, members
from tests.project_copy import ROOT
from tests.review_projects import edited, rules_of

VALID = ROOT / "tests" / "fixtures" / "contracts" / "valid"
OPTIONS = "exclusiveMaximum format maxItems maxProperties minItems minProperties pattern required"
OPTIONS += " timezone defaultTimezone uniqueItems dimensions elementType normalized"


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    shutil.copytree(VALID, tmp_path / "contracts")
    return tmp_path / "contracts" / "interactions" / "plays.odcs.yaml"


def rewritten(path: Path, *edits: tuple[str, str]) -> Path:
    text = path.read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def loaded(path: Path) -> Contract:
    assert [str(problem) for problem in lint([path.parents[1]]).problems] == []
    return load_contract(path)


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.2", "v3.1", "v3.1.0", "v3.2.0"])
def test_each_third_version_of_the_standard_is_read(plays: Path, version: str) -> None:
    loaded(rewritten(plays, ("apiVersion: v3.2.0", f"apiVersion: {version}")))


def test_what_is_meant_is_taken(plays: Path) -> None:
    contract = loaded(
        rewritten(
            plays,
            ("value: 31, unit: d, element: month", "value: 31, unit: Days, element: plays.month"),
            ("value: 10, unit: y", "value: P10Y"),
            ("value: 100\n    unit: percent", "value: 100\n    unit: '%'"),
            ("physicalType: INT64", "physicalType: int64"),
            ("mustBeBetween: [1, 1000]", "mustBeGreaterThan: 1000000"),
            (
                "team: {name",
                "  - {id: up, property: timeOfAvailability, value: '09:00', description: Up.}\n"
                "  - {id: end, property: endOfLife, value: '2042-05-12T09:30:10-08:00',"
                " description: The end.}\nteam: {name",
            ),
        )
    )
    fresh, _, kept, _, _ = contract.service_levels
    assert (fresh.value, fresh.unit, fresh.element, fresh.days) == (31, "d", "month", 31)
    assert (kept.value, kept.unit) == (10, "y")
    assert contract.end_of_life == datetime.date(2042, 5, 12)
    assert contract.columns[0].bigquery_type == "INT64"
    count = contract.rules[-1].promise
    assert isinstance(count, RowCount) and (count.minimum, count.maximum) == (1_000_001, None)


@pytest.mark.parametrize(
    ("stated", "least", "most"),
    [
        ("mustBe: 5", 5, 5),
        ("mustBeLessThan: 10", None, 9),
        ("mustBeGreaterOrEqualTo: 3", 3, None),
        ("mustBeLessOrEqualTo: 7", None, 7),
        ("mustBeBetween: [2, 4]", 2, 4),
    ],
)
def test_each_way_to_bound_the_rows_is_read(
    plays: Path, stated: str, least: int | None, most: int | None
) -> None:
    count = loaded(rewritten(plays, ("mustBeBetween: [1, 1000]", stated))).rules[-1].promise
    assert isinstance(count, RowCount) and (count.minimum, count.maximum) == (least, most)


@pytest.mark.parametrize(
    ("value", "unit", "meant"),
    [
        (4, "d", (4, "d")),
        (4, "day", (4, "d")),
        (4, "days", (4, "d")),
        (3, "yr", (3, "y")),
        (3, "years", (3, "y")),
        (90, "minutes", (90, "min")),
        (2, "Hours", (2, "h")),
        ("P30D", None, (30, "d")),
        ("PT36H", None, (36, "h")),
        ("P3M", None, (3, "month")),
        ("PT3M", None, (3, "min")),
        (5, "parsec", (5, "parsec")),
        ("P1Y2M", None, ("P1Y2M", None)),
    ],
)
def test_spans_of_time_mean_what_the_standard_says(
    value: Any, unit: str | None, meant: tuple[Any, str | None]
) -> None:
    assert span(value, unit) == meant


def test_properties_of_others_are_theirs(plays: Path) -> None:
    theirs = "customProperties: [{property: anonymizationStrategy, value: none, vendor: acme}, "
    contract = loaded(
        rewritten(
            plays,
            ("customProperties: [{property: duckdbType", f"{theirs}{{property: duckdbType"),
            ("customProperties: [{property: measuredBy", f"{theirs}{{property: measuredBy"),
            ("kind: DataContract", "kind: DataContract\n" + theirs.rstrip(", ") + "]"),
        )
    )
    assert contract.columns[0].duckdb_type == "BIGINT"
    assert contract.service_levels[1].measured_by == "users_are_known"


def test_properties_of_others_may_change(tmp_path: Path) -> None:
    old = "customProperties: [{property: duckdbType, value: VARCHAR}"
    changed = edited(tmp_path, (old, f"{old}, {{property: sensitivity, value: low}}"))
    assert set(rules_of(changed)) <= {"LABEL_CHANGED"}


def test_other_words_for_the_same_are_no_change(tmp_path: Path) -> None:
    again = edited(tmp_path, ("unit: d", "unit: days"), ("v3.2.0", "v3.1"))
    assert [rule for rule in rules_of(again) if rule != "LABEL_CHANGED"] == []


def everything(model: type[BaseModel], deep: int = 0) -> dict[str, Any]:
    """A mapping with each key that a published model has."""
    found = {}
    for name, field in model.model_fields.items():
        kinds = [kind for kind in members(field.annotation) if kind is not type(None)]
        if deep < 6:
            found[field.alias or name] = value_of(kinds, deep)
    return found


def value_of(kinds: list[Any], deep: int) -> Any:
    first = kinds[0]
    if is_model(first):
        return everything(first, deep + 1)
    inner = getattr(first, "__args__", None)
    if getattr(first, "__origin__", None) is list and inner:
        return [value_of(list(members(inner[0])), deep + 1)]
    if getattr(first, "__origin__", None) is dict:
        return dict.fromkeys(OPTIONS.split(), 1)
    return {bool: True, int: 1, float: 1.5}.get(first, "text")


def test_no_key_of_the_standard_is_called_unknown(plays: Path) -> None:
    document = everything(odcs.OpenDataContractStandard)
    assert document["schema"][0]["properties"][0]["logicalTypeOptions"]["minItems"]
    plays.write_text(yaml.safe_dump(document))
    said = [str(problem) for problem in lint([plays]).problems]
    assert any("`price` is part of the standard, not enforced here." in one for one in said)
    assert any("`minItems` is part of the standard, not enforced here." in one for one in said)
    assert [one for one in said if "There is no key" in one or "Did you mean" in one] == []


def test_no_value_that_the_standard_lists_is_called_unknown(plays: Path) -> None:
    listed = json.loads(odcs.OpenDataContractStandard.json_schema())["$defs"]["Server"]
    original = plays.read_text()
    for value in listed["properties"]["type"]["enum"]:
        plays.write_text(original.replace("type: duckdb", f"type: {value}", 1))
        for problem in lint([plays]).problems:
            if "`type" in problem.message:
                assert f"`type: {value}` is part of the standard" in problem.message


@pytest.mark.parametrize("time_type", ["", ", time_data_type TIMESTAMP"])
def test_a_history_by_time_is_stated_as_it_is_stored(time_type: str) -> None:
    """SQLMesh keeps the time of a change as its own times, whatever the query casts it to."""
    written = f"""
        MODEL (
          name crm.history,
          kind SCD_TYPE_2_BY_TIME (unique_key id, updated_at_name changed_at{time_type}),
          dialect bigquery
        );
        SELECT id::INT64 AS id, changed_at::TIMESTAMP AS changed_at FROM crm.raw
    """
    model = load_sql_based_model(parse(written, default_dialect="bigquery"), dialect="bigquery")
    own = "TIMESTAMP" if time_type else "DATETIME"
    assert {name: bigquery_type(kind) for name, kind in stored_types(model).items()} == {
        "id": "INT64",
        "changed_at": own,
        "valid_from": own,
        "valid_to": own,
    }
