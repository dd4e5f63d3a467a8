"""What `mesh contracts verify` prints and writes: a table, JSON and JUnit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from mesh.cli.contracts_verify import _show_product, as_document
from mesh.cli.main import app
from mesh.cli.main import run as run_mesh
from mesh.environments import Opened
from mesh.errors import Location
from mesh.verify import Status, VerifyReport, verify
from mesh.verify.junit import write_junit
from mesh.verify.report import Outcome, ProductReport
from tests.broken_promises import ACTIONS, BROKEN, RATINGS
from tests.verify_project import ENVIRONMENT, tampered

pytest_plugins = ["tests.verify_project"]


@pytest.mark.parametrize(
    ("path", "said"),
    [("nowhere/report.xml", "there is no folder"), (".", "it is a folder")],
)
@pytest.mark.parametrize(
    "command",
    [
        ("contracts", "verify", "nowhere", "--junit"),
        ("review", "--base", "nowhere", "--markdown"),
        ("review", "--base", "nowhere", "--sarif"),
    ],
    ids=" ".join,
)
def test_a_report_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, path: str, said: str, command: tuple[str, ...], capfd: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as end:
        run_mesh([*command, str(tmp_path / path)])
    assert end.value.code == 2
    assert f"The report cannot be written: {said}" in " ".join(capfd.readouterr().err.split())


def test_the_junit_file_names_rule_and_line_of_what_is_broken(
    built: Opened, tmp_path: Path
) -> None:
    with tampered(built, ACTIONS, BROKEN["a value that is not allowed"][1]):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    write_junit(report, tmp_path / "report.xml")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()[0]
    assert suite.get("name") == ACTIONS
    assert int(suite.get("tests")) == len(report.products[0].outcomes)
    failed = {case.get("name"): case for case in suite if len(case)}
    case = failed["action_type.enum"]
    assert case.get("file") == "contracts/interactions/user_actions.odcs.yaml"
    assert "action_type is one of rate, tag" in case[0].get("message")
    assert "action_type='liked'" in case[0].text


def test_the_json_holds_counts_and_samples(built: Opened) -> None:
    with tampered(built, RATINGS, BROKEN["a number out of its range and off its steps"][1]):
        report = verify(built, ENVIRONMENT, [RATINGS], date(2030, 1, 1))
    data = json.loads(json.dumps(as_document(report), default=str))
    assert data["ok"] is False and data["as_of"].startswith("2030-01-01")
    rule = next(one for one in data["products"][0]["rules"] if one["rule"] == "rating.range")
    assert rule["failing"] > 0 and rule["sample"][0]["rating"] == 7.3
    assert rule["status"] == "broken" and rule["file"].endswith("user_movie_ratings.odcs.yaml")


def test_what_is_no_number_is_text_in_the_json() -> None:
    sample = ({"rating": float("nan"), "count": 3}, {"rating": float("-inf"), "count": None})
    where = Location(Path("contracts/x.odcs.yaml"), 7)
    broken = Outcome("r.range", "range", "r", "conformity", Status.BROKEN, where, 2, 2, sample)
    product = ProductReport("x.y", "1.0.0", None, 2, (broken,), 0.1)
    report = VerifyReport("dev", datetime.now(UTC), "given", (product,), (), 0.1)
    text = json.dumps(as_document(report), allow_nan=False, default=str)
    assert json.loads(text)["products"][0]["rules"][0]["sample"] == [
        {"rating": "nan", "count": 3},
        {"rating": "-inf", "count": None},
    ]


def test_what_is_only_late_does_not_hide_what_is_wrong() -> None:
    where = Location(Path("x.yaml"))

    def product(name: str, *kinds: str) -> ProductReport:
        broken = [Outcome(k, k, "", "", Status.BROKEN, where) for k in kinds]
        return ProductReport(name, "1.0.0", None, 2, tuple(broken), 0.1)

    def summary(*products: ProductReport) -> str:
        return VerifyReport("prod", datetime.now(UTC), "given", products, (), 0.1).summary

    late = [product(name, "freshness", "frequency") for name in ("x.a", "x.b")]
    assert summary(*late, product("x.c", "range", "unique", "freshness")) == (
        "7 broken promises among 7 promises of 3 products in prod: x.c; "
        "5 of freshness or frequency, of 3 products."
    )
    assert summary(late[0]) == (
        "2 broken promises among 2 promises of 1 product in prod: "
        "2 of freshness or frequency, of 1 product."
    )


def test_the_command_prints_a_table_and_ends_with_1(
    built: Opened, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("mesh.environments.open_project", lambda *_, **__: built)
    with tampered(built, RATINGS, BROKEN["a number out of its range and off its steps"][1]):
        result = CliRunner().invoke(app, ["contracts", "verify", "dev", RATINGS])
    said = " ".join(capfd.readouterr().out.split()) + " ".join(result.output.split())
    assert result.exit_code == 1
    assert "✗ rating.range" in said and "rating=7.3" in said
    assert "contracts/interactions/user_movie_ratings.odcs.yaml:" in said
    assert "broken promises among" in said
    whole = CliRunner().invoke(app, ["contracts", "verify", "dev", RATINGS])
    assert whole.exit_code == 0


@pytest.mark.parametrize(("rows", "text"), [(1, "(1 row, "), (1200, "(1,200 rows, ")])
def test_one_row_is_told_as_one(rows: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    _show_product(ProductReport("interactions.plays", "1.0.0", "prod.plays", rows, (), 0.1))
    assert text.strip() in " ".join(capsys.readouterr().out.split())
