"""The GoogleSQL proof finds what SQLGlot accepts and BigQuery refuses.

All broken models stand beside the real ones in one copy of the project, so that one load and one
start of the analyzer serve every test here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.errors import WrongUse
from mesh.project import Project
from mesh.prove import ChartQuery, Proof, prove
from tests.broken_models import BROKEN, PREFERENCES, Broken
from tests.own_models import EXPORTS, OWN
from tests.own_models import text as own_text
from tests.project_copy import OF_GROUPS, OF_USERS, PROJECT, ROOT, copy_project, share_analyzer

# Real products, changed where they stand: the contract says something else.
PRODUCT_CHANGES = {
    "a count that became a float": (
        "interactions/user_actions.sql",
        "action_monthly_count::INT64",
        "action_monthly_count::FLOAT64",
    ),
    "two columns that changed places": (
        PREFERENCES,
        "  ratings.genre::STRING AS genre,\n  ratings.reporting_month::DATE AS reporting_month,",
        "  ratings.reporting_month::DATE AS reporting_month,\n  ratings.genre::STRING AS genre,",
    ),
    "a column that was renamed": (
        "interactions/user_period_ratings.sql",
        "AS rating_monthly_count",
        "AS monthly_ratings",
    ),
}
RIGHT = {
    "in_a_catalog": (
        "MODEL (name lake.interactions_internal.in_a_catalog, kind VIEW);\n"
        "SELECT movieid::INT64 AS movieid, title::STRING AS title FROM operational.movies\n"
    ),
    "reads_a_catalog": (
        "MODEL (name interactions_internal.reads_a_catalog, kind VIEW);\n"
        "SELECT MAX_BY(title, movieid)::STRING AS last, MIN_BY(title, movieid)::STRING AS first "
        "FROM interactions_internal.in_a_catalog WHERE CONTAINS_SUBSTR(title, 'a')\n"
    ),
}
DEEPEST = 17
OF_PERIODS = ("user_period_ratings", "user_period_ratings_monthly")


def change(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, f"{old!r} is not in the model any more"
    return text.replace(old, new, 1)


def mutated(name: str, broken: Broken) -> str:
    """The model under a name of its own, without the header of a contract."""
    text = (ROOT / "models" / broken.base).read_text()
    text = change(text, broken.old, broken.new)
    text = re.sub(r"name [\w.]+,", f"name interactions_internal.{name},", text, count=1)
    return re.sub(r",\s*@(source_)?contract\(\w+\)", "", text)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of few models with all that is broken in it; `tools/checks.py` proves all models."""
    copy = copy_project(tmp_path_factory.mktemp("proved") / "project")
    copy.keep_few(*OF_USERS, *OF_GROUPS, "user_genre_preferences", *OF_PERIODS)
    root = copy.root
    share_analyzer(root)
    (root / "models" / "broken").mkdir()
    for name, broken in BROKEN.items():
        (root / "models" / "broken" / f"{name}.sql").write_text(mutated(name, broken))
    with (root / "external_models.yaml").open("a") as sources:
        sources.write(EXPORTS)
    for name, own in OWN.items():
        (root / "models" / "broken" / f"{name}.sql").write_text(own_text(name, own))
    for name, text in RIGHT.items():
        (root / "models" / "broken" / f"{name}.sql").write_text(text)
    for depth in range(1, DEEPEST + 1):
        source = f"interactions_internal.nested_{depth - 1}" if depth > 1 else "operational.movies"
        (root / "models" / "broken" / f"nested_{depth}.sql").write_text(
            f"MODEL (name interactions_internal.nested_{depth}, kind VIEW);\n"
            f"SELECT movieid::INT64 AS movieid FROM {source}\n"
        )
    (root / "audits" / "odd.sql").write_text(
        "AUDIT (name odd);\n\nSELECT * FROM @this_model\nWHERE movieid = 'a'\n"
    )
    (root / "models" / "broken" / "audited.sql").write_text(
        "MODEL (name interactions_internal.audited, kind VIEW, audits (odd));\n"
        "SELECT movieid::INT64 AS movieid FROM operational.movies\n"
    )
    for file, old, new in PRODUCT_CHANGES.values():
        path = root / "models" / file
        path.write_text(change(path.read_text(), old, new))
    return root.resolve()


CHARTS = [
    ChartQuery("dashboard/fine", Path("looker/d.yaml"), 3,
               "SELECT genre, SUM(rating_count) AS n FROM engagement.user_genre_preferences "
               "GROUP BY genre"),
    ChartQuery("dashboard/typo", Path("looker/d.yaml"), 9,
               "SELECT genres FROM engagement.user_genre_preferences"),
    ChartQuery("dashboard/unfiltered", Path("looker/d.yaml"), 12,
               "SELECT COUNT(*) AS n FROM interactions_internal.rating_events"),
    ChartQuery("dashboard/deep", Path("looker/d.yaml"), 15, f"SELECT {' + '.join(200 * '1')} AS n"),
]  # fmt: skip


@pytest.fixture(scope="session")
def proof(project: Path) -> Proof:
    return prove(Project(project), charts=CHARTS)


def of(proof: Proof, subject: str) -> list:
    return [finding for finding in proof.findings if finding.subject == subject]


@pytest.mark.parametrize("name", BROKEN)
def test_what_sqlglot_accepts_and_bigquery_refuses_is_found(
    proof: Proof, project: Path, name: str
) -> None:
    broken = BROKEN[name]
    found = of(proof, f"interactions_internal.{name}")
    assert [f for f in found if f.rule == broken.rule], [str(f) for f in found]
    finding = next(f for f in found if f.rule == broken.rule)
    assert broken.said in finding.message
    assert finding.path == project / "models" / "broken" / f"{name}.sql"
    if broken.marker:
        lines = finding.path.read_text().splitlines()
        near = "\n".join(lines[max(finding.line - 2, 0) : finding.line + 1])
        assert broken.marker in near, f"line {finding.line}: {near}"


@pytest.mark.parametrize("name", OWN)
def test_what_bigquery_says_of_how_a_model_is_kept_and_typed(
    proof: Proof, project: Path, name: str
) -> None:
    own, found = OWN[name], of(proof, f"interactions_internal.{name}")
    if not own.said:
        assert [str(one) for one in found] == []
        return
    finding = next((one for one in found if own.said in one.message), None)
    assert finding is not None, [str(one) for one in found]
    assert (finding.rule, finding.line) == (own.rule, own.line)
    assert finding.path == project / "models" / "broken" / f"{name}.sql"


def test_no_model_that_is_right_has_a_finding(proof: Proof) -> None:
    changed = {file.split("/")[-1].removesuffix(".sql") for file, *_ in PRODUCT_CHANGES.values()}
    wrong = [
        str(finding)
        for finding in proof.findings
        if finding.subject.split(".")[-1] not in {*BROKEN, *OWN, *changed, "audited"}
        and "nested" not in finding.subject
        and not finding.subject.startswith("dashboard/")
    ]
    assert wrong == []


def test_functions_of_bigquery_and_tables_without_their_catalog_are_known(proof: Proof) -> None:
    subjects = {f"interactions_internal.{name}" for name in RIGHT}
    assert subjects <= {*proof.subjects}
    assert [str(one) for one in proof.findings if one.subject in subjects] == []


def test_a_type_that_is_not_the_contracts_is_found_at_its_line(proof: Proof) -> None:
    finding = next(f for f in of(proof, "interactions.user_actions") if f.rule == "output")
    assert (
        "column action_monthly_count is FLOAT64 in BigQuery, and INT64 by the contract: "
        "cast it, or promise FLOAT64." in finding.message
    )
    assert "FLOAT64" in finding.path.read_text().splitlines()[finding.line - 1]


def test_an_audit_that_bigquery_refuses_is_found_in_its_own_file(proof: Proof) -> None:
    (finding,) = of(proof, "interactions_internal.audited")
    assert (finding.path.name, finding.line, finding.rule) == ("odd.sql", 4, "audit")
    assert "BigQuery refuses the audit odd: No matching signature for operator =" in finding.message


def test_columns_in_another_order_than_the_contracts_are_found(proof: Proof) -> None:
    messages = [f.message for f in of(proof, "engagement.user_genre_preferences")]
    assert any("the columns are in another order than in the contract" in m for m in messages)


def test_a_renamed_column_is_missing_and_one_too_many(proof: Proof) -> None:
    messages = [f.message for f in of(proof, "interactions.user_period_ratings")]
    assert any("missing rating_monthly_count; too many monthly_ratings" in m for m in messages)


def test_views_nested_deeper_than_bigquery_allows_are_found(proof: Proof) -> None:
    deepest = of(proof, f"interactions_internal.nested_{DEEPEST}")
    assert "views are nested 18 deep here, and BigQuery allows 16" in deepest[0].message
    assert of(proof, "interactions_internal.nested_15") == []


def test_the_queries_of_dashboards_are_proved_too(proof: Proof) -> None:
    assert of(proof, "dashboard/fine") == []
    assert "Unrecognized name: genres" in of(proof, "dashboard/typo")[0].message
    assert "filter on its partition column" in of(proof, "dashboard/unfiltered")[0].message
    assert "too deep in each other" in of(proof, "dashboard/deep")[0].message
    assert str(of(proof, "dashboard/typo")[0]).startswith("looker/d.yaml:9: dashboard/typo: ")


def test_one_model_can_be_proved_alone_and_an_unknown_one_is_refused() -> None:
    alone = prove(PROJECT, ["thresholds"])
    assert alone.subjects == ("engagement_internal.thresholds",)
    assert alone.findings == ()
    with pytest.raises(WrongUse, match=r"there is no model 'thresholdz'\. `sqlmesh dag` shows"):
        prove(PROJECT, ["thresholdz"])
    file = PROJECT.models / "engagement" / "internal" / "thresholds.sql"
    held = r"\. That is a file; the model in it is engagement_internal\.thresholds\."
    with pytest.raises(WrongUse, match=held):
        prove(PROJECT, [str(file)])


def test_the_command_says_what_it_read_and_exits_by_what_it_found(
    monkeypatch: pytest.MonkeyPatch, proof: Proof
) -> None:
    import mesh.prove
    from mesh.cli.contracts import app

    monkeypatch.setattr(mesh.prove, "prove", lambda *args, **kwargs: proof)
    told = CliRunner().invoke(app, ["prove"])
    assert told.exit_code == 1
    assert "unknown_function: BigQuery refuses this: Function not found: MEDIAN" in told.output
    data = json.loads(CliRunner().invoke(app, ["prove", "--json"]).output)
    assert len(data["findings"]) == len(proof.findings)
    assert {"subject", "rule", "path", "line", "message"} == set(data["findings"][0])
    fine = Proof(("a",), 1, ())
    monkeypatch.setattr(mesh.prove, "prove", lambda *args, **kwargs: fine)
    told = CliRunner().invoke(app, ["prove"])
    assert told.exit_code == 0
    assert "1 models and charts, 1 statements: BigQuery takes them all" in " ".join(
        told.output.split()
    )
