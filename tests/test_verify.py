"""`mesh contracts verify`: every kind of broken promise, made by hand, is found and told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesh.cli.main import run as run_mesh
from mesh.contracts import load_contracts
from mesh.environments import Opened
from mesh.errors import MeshError, WrongUse
from mesh.verify import Status, VerifyReport, verify
from mesh.verify.text import finding
from tests.broken_promises import ACTIONS, BROKEN, GROUPS, RATINGS, rules
from tests.project_copy import PROJECT
from tests.verify_project import ENVIRONMENT, place, tampered

pytest_plugins = ["tests.verify_project"]


@pytest.fixture(scope="module")
def kept(built: Opened) -> VerifyReport:
    return verify(built, ENVIRONMENT)


def test_what_the_models_build_keeps_every_promise_of_every_contract(kept: VerifyReport) -> None:
    assert kept.ok, kept.broken
    assert {one.product for one in kept.products} == set(load_contracts(PROJECT.contracts))
    promises = sum(len(one.outcomes) for one in kept.products)
    assert promises > 1000
    assert kept.summary.startswith(
        f"{promises:,} promises of {len(kept.products)} products are kept"
    )


def test_every_rule_of_every_contract_has_an_outcome(kept: VerifyReport) -> None:
    for product, contract in load_contracts(PROJECT.contracts).items():
        asked = {rule.id for rule in (*contract.row_rules(), *contract.table_rules())}
        asked |= {f"columns.{what}" for what in ("present", "types", "extra", "order")}
        asked |= {
            f"level.{level.id}"
            for level in contract.service_levels
            if level.property in ("freshness", "completeness")
        }
        assert asked <= set(rules(kept, product)), product


def test_the_operational_tables_are_verified_too(kept: VerifyReport, built: Opened) -> None:
    rows = built.context.engine_adapter.connection.execute(
        "SELECT COUNT(*) FROM mesh.operational.ratings"
    ).fetchone()[0]
    assert rules(kept, "operational.ratings")["rating.range"].checked == rows > 0


@pytest.mark.parametrize("name", BROKEN)
def test_it_finds(built: Opened, name: str) -> None:
    product, query, expected = BROKEN[name]
    with tampered(built, product, query):
        report = verify(built, ENVIRONMENT, [product])
    found = rules(report, product)
    assert not report.ok
    for rule, said in expected.items():
        assert not found[rule].ok, f"{rule} is kept"
        assert found[rule].failing or found[rule].status is Status.UNCHECKED
        assert said in finding(found[rule])
        assert found[rule].where.line


def test_a_sample_shows_the_grain_and_the_columns_of_the_rule_alone(built: Opened) -> None:
    with tampered(built, ACTIONS, BROKEN["a value that is not allowed"][1]):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    sample = rules(report, ACTIONS)["action_type.enum"].sample
    assert 1 <= len(sample) <= 5
    assert {tuple(row) for row in sample} == {("user_id", "action_type", "reporting_month")}
    assert {row["action_type"] for row in sample} == {"liked"}


def test_no_row_is_shown_where_the_output_is_kept(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_EXAMPLES", "no")
    with tampered(built, ACTIONS, BROKEN["a value that is not allowed"][1]):
        report = verify(built, ENVIRONMENT, [ACTIONS])
    broken = rules(report, ACTIONS)["action_type.enum"]
    assert broken.failing and broken.sample == ()


def test_it_counts_every_failing_row_and_shows_five(built: Opened) -> None:
    with tampered(built, RATINGS, "SELECT * REPLACE (9.0::DOUBLE AS rating) FROM {rows}"):
        report = verify(built, ENVIRONMENT, [RATINGS])
    broken = rules(report, RATINGS)["rating.range"]
    assert broken.failing == broken.checked == report.products[0].rows
    assert len(broken.sample) == 5


def test_a_rule_that_the_engine_cannot_run_hides_no_other(built: Opened) -> None:
    query = "SELECT * REPLACE ('often' AS action_count, 'x' AS action_type) FROM {rows}"
    with tampered(built, ACTIONS, query):
        found = rules(verify(built, ENVIRONMENT, [ACTIONS]), ACTIONS)
    assert found["action_count.range"].status is Status.UNCHECKED
    assert "could not be checked" in found["action_count.range"].message
    assert found["action_type.enum"].failing
    assert found["user_id.required"].ok


def test_a_view_that_cannot_be_read_is_a_broken_promise(built: Opened) -> None:
    name = place(built, ACTIONS).sql(dialect="duckdb")
    with tampered(built, ACTIONS, "SELECT * FROM {rows}"):
        built.context.engine_adapter.connection.execute(f"DROP VIEW {name}")
        report = verify(built, ENVIRONMENT, [ACTIONS])
    absent = rules(report, ACTIONS)["product.present"]
    assert not report.ok and report.products[0].rows is None
    assert "plan dev again" in absent.message


def test_rules_across_products_look_into_the_same_environment(built: Opened) -> None:
    with tampered(built, ACTIONS, "SELECT * FROM {rows} WHERE user_id > 1"):
        report = verify(built, ENVIRONMENT, [GROUPS])
    assert not rules(report, GROUPS)["nothing_is_lost"].ok


def test_a_contract_without_its_product_is_a_broken_promise(built: Opened, tmp_path: Path) -> None:
    with_one_more(tmp_path, "active")
    report = verify(built, ENVIRONMENT, contracts=tmp_path)
    absent = rules(report, "interactions.user_moods")["product.present"]
    assert "user_moods is not in the environment: plan dev again" in absent.message


def test_a_proposed_contract_needs_no_product(built: Opened, tmp_path: Path) -> None:
    with_one_more(tmp_path, "proposed")
    report = verify(built, ENVIRONMENT, contracts=tmp_path)
    assert "interactions.user_moods" not in {one.product for one in report.products}


def with_one_more(root: Path, status: str) -> None:
    """The contract of a product that nobody has built, and those that the environment has."""
    for path in PROJECT.contracts.rglob("user_actions.odcs.yaml"):
        text = path.read_text().replace("user_actions", "user_moods")
        text = text.replace("status: active", f"status: {status}")
        target = root / "interactions" / "user_moods.odcs.yaml"
        target.parent.mkdir(parents=True)
        target.write_text(text)


def test_a_product_that_the_environment_lacks_is_told(built: Opened, tmp_path: Path) -> None:
    with_one_more(tmp_path, "active")
    with pytest.raises(WrongUse, match=r"is not in dev\. Bring it there with `sqlmesh plan dev`"):
        verify(built, ENVIRONMENT, ["user_moods"], contracts=tmp_path)


def test_a_misspelt_environment_gets_a_suggestion(built: Opened) -> None:
    with pytest.raises(WrongUse, match=r"there is no environment 'devv' \(dev\)\. Did you mean"):
        verify(built, "devv")


def test_a_misspelt_product_gets_a_suggestion(built: Opened) -> None:
    with pytest.raises(MeshError, match=r"no contract for user_action\. Did you mean `user_actio"):
        verify(built, ENVIRONMENT, ["user_action"])


def test_a_day_that_is_none_is_refused(capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        run_mesh(["contracts", "verify", "dev", "--as-of", "yesterday"])
    assert end.value.code == 2
    said = " ".join(capfd.readouterr().err.split())
    assert "--as-of 'yesterday' is no date. Write it as YYYY-MM-DD" in said


def test_no_row_is_pulled_into_pandas(built: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    import ibis

    pulled: list[object] = []

    # Pandera takes what a check raises for bad data, so that nobody would see it.
    def forbidden(table: object, *_: object, **__: object) -> None:
        pulled.append(table)
        raise AssertionError("a table was pulled into pandas")

    monkeypatch.setattr(ibis.expr.types.Table, "to_pandas", forbidden)
    monkeypatch.setattr(ibis.expr.types.Table, "execute", forbidden)
    monkeypatch.setattr(ibis.expr.types.Column, "to_pandas", forbidden)
    with tampered(built, RATINGS, "SELECT * REPLACE (9.0::DOUBLE AS rating) FROM {rows}"):
        assert not verify(built, ENVIRONMENT, [RATINGS]).ok
    assert not pulled


def test_an_environment_without_data_breaks_its_promises_and_is_called_empty(
    built: Opened,
) -> None:
    with tampered(built, ACTIONS, "SELECT * FROM {rows} WHERE FALSE"):
        report = verify(built, ENVIRONMENT, [ACTIONS], datetime(2020, 1, 1, tzinfo=UTC))
    assert report.empty and not report.ok


def test_the_memory_of_the_engine_is_as_it_was_afterwards(built: Opened) -> None:
    query = "SELECT current_setting('memory_limit')"
    connection = built.context.engine_adapter.connection
    before = connection.execute(query).fetchone()
    verify(built, ENVIRONMENT, [ACTIONS])
    assert connection.execute(query).fetchone() == before
