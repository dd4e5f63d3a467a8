"""What `mesh review` prints and writes: its exit code, comment and SARIF, whatever texts say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesh.cli.main import app
from mesh.errors import WrongUse
from mesh.files.markdown import code, escape, escape_html
from mesh.project import Project
from mesh.review import run as report
from mesh.review.models.review_worker.facts import Models
from mesh.review.report.machine import review_json, sarif
from mesh.review.report.markdown import LIMIT, markdown
from mesh.review.run import Review, review
from tests.review_projects import ORDERS, change, git

pytest_plugins = ["tests.cloned_shop"]


def run(*words: str):
    return CliRunner().invoke(app, ["review", *words])


def test_exit_codes_say_how_it_went(
    clone: Path, without_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    same = run("--base", "main")
    assert same.exit_code == 0 and "Nothing is broken." in same.stdout
    change(clone, ORDERS, "{minimum: 0}", "{minimum: 1}")
    assert run("--base", "main").exit_code == 0
    change(clone, ORDERS, "{minimum: 1}", "{minimum: -1}")
    broken = run("--base", "main")
    assert broken.exit_code == 1 and "RANGE_NO_WIDEN" in broken.stdout
    nowhere = run("--base", "main", "--markdown", "no/such/folder/report.md")
    assert isinstance(nowhere.exception, WrongUse)


def test_where_the_base_does_not_load_nobody_is_told_that_nothing_is_broken(
    clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whether a contract is broken is not known then, and a pipeline has to notice."""
    monkeypatch.chdir(clone)
    problem = Models(problem="no such file: 'models/s.csv'")
    monkeypatch.setattr(report, "load_both", lambda *_, **__: (problem, Models()))
    said = run("--base", "main", "--markdown", str(tmp_path / "report.md"))
    assert said.exit_code == 2
    assert "Nothing is broken" not in said.stdout and "keep it" not in said.stdout
    unknown = "Not compared, since the base could not be read: all models."
    assert said.stdout.splitlines()[-1] == unknown
    assert "Compare with a revision that loads, by `--base`." in " ".join(said.stdout.split())
    title, first, *_ = [*filter(None, (tmp_path / "report.md").read_text().splitlines())][1:]
    assert title == "### ⚠️ Contract review: not all could be compared" and unknown in first
    assert json.loads(run("--base", "main", "--json").stdout)["unread"] == ["all models"]
    # What is known to be broken is told all the same.
    change(clone, ORDERS, "{minimum: 0}", "{minimum: -1}")
    assert run("--base", "main").exit_code == 1


def test_a_contract_that_the_base_holds_unreadable_is_not_called_whole(
    clone: Path, without_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    text = (clone / ORDERS).read_text()
    (clone / ORDERS).write_text("kind: [")
    git(clone, "commit", "-qam", "torn")
    (clone / ORDERS).write_text(text)
    said = run("--base", "HEAD")
    assert said.exit_code == 2 and "could not be read: shop.orders." in said.stdout


def test_all_rules_can_be_listed() -> None:
    listed = json.loads(run("--rules", "--json").stdout)
    assert {"COLUMN_NO_DELETE", "GRAIN_SAME", "COLUMN_SAME_TYPE"} <= {r["rule"] for r in listed}
    assert "COLUMN_NO_DELETE" in run("--rules").stdout


def test_a_change_that_hits_no_one_says_so(
    clone: Path, without_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "contracts/reporting/customers.odcs.yaml"
    git(clone, "checkout", "-q", "main")
    change(clone, file, "roles:\n  - {role: marketing, access: read, description: May read.}", "")
    git(clone, "commit", "-qam", "nobody else reads it")
    git(clone, "checkout", "-qB", "change")
    change(clone, file, "web shop in euros", "web shop in cents")
    text = markdown(review(Project(clone), "main"))
    assert "No one: no model, product, rule or chart" in text and "hits no one ·" in text
    assert "may read it" not in text
    monkeypatch.chdir(clone)
    assert "it hits no one" in run("--base", "main").stdout


def test_who_reads_from_elsewhere_is_named_everywhere(
    clone: Path, without_models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "contracts/reporting/customers.odcs.yaml"
    change(clone, file, "web shop in euros", "web shop in cents")
    text = markdown(review(Project(clone), "main"))
    assert "Here no one: no model" in text and "hits no one in this project" in text
    assert "Others may read it too: `marketing`." in text
    monkeypatch.chdir(clone)
    told = run("--base", "main").stdout
    assert "hits no one" not in told and "Others may read it too: marketing." in told


HOSTILE = (
    "<script>alert(1)</script> | @everyone [x](javascript:1) `a` ``` \n# big #12 https://x.org"
)


def test_hostile_text_shows_as_text(clone: Path, without_models: None) -> None:
    quoted = json.dumps(HOSTILE)
    change(clone, ORDERS, "The price in euros.", quoted)
    change(clone, "looker/sales.yaml", "title: Sold at the counter", f"title: {quoted}")
    made = review(Project(clone), "main")
    assert "](" not in json.dumps(sarif(made.findings)["runs"][0]["results"])
    text = markdown(made)
    assert "ʼʼʼ" in text, "a fence in a text cannot end the code that it stands in"
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert "<script>" not in outside and "](javascript" not in outside
    assert not any(line.startswith("# ") for line in text.splitlines())
    assert "@everyone" not in outside
    for row in (line for line in text.splitlines() if line.startswith("| `")):
        assert row.replace("\\|", "").count("|") == 4, row


def test_escaped_text_does_nothing() -> None:
    shown = escape(HOSTILE)
    for live in ("<script", "@everyone", "](", " #12", "https://", "\n"):
        assert live not in shown
    assert "`" not in code("a`b\nc")[1:-1] and "\n" not in code("a\nb") and code(" ") == ""


def test_text_inside_of_html_shows_as_text() -> None:

    assert escape_html("moving to shop.orders_v2") == "moving to shop.orders_v2"
    assert not set("<>&@`[]|") & set(re.sub(r"&#\d+;", "", escape_html(HOSTILE)))


def test_a_comment_never_exceeds_its_limit(clone: Path, without_models: None) -> None:
    text = (clone / ORDERS).read_text()
    start, end = text.index("      - id: customer"), text.index("    quality:")
    block = text[start : text.index("      - id: channel")]
    many = "".join(
        block.replace("customer", f"column_{n}")
        .replace("personal", "internal")
        .replace("Who ordered.", "Wer bestellte – größer, schöner, 注文した人.")
        for n in range(90)
    )
    assert start < end
    (clone / ORDERS).write_text(text[:end] + many + text[end:])
    git(clone, "commit", "-qam", "wide")
    base = git(clone, "rev-parse", "HEAD")
    (clone / ORDERS).write_text(text[:end] + many.replace("größer", "kühner") + text[end:])
    made = review(Project(clone), base)
    assert len(made.findings) >= 90
    assert LIMIT <= 65_536  # What GitHub takes.
    limit = 9_000
    assert len(markdown(made).encode()) > limit
    comment = markdown(made, limit)
    assert limit - 2_000 < len(comment.encode()) <= limit + 500
    assert "Left out because a comment has a limit" in comment
    assert comment.count("<details>") == comment.count("</details>")
    assert "#### Versions" in comment or "Versions (" in comment
    small = markdown(made, 3_000)
    assert len(small) < 3_500 and small.count("```") % 2 == 0


def test_sarif_points_at_lines_that_are_there(clone: Path, without_models: None) -> None:
    change(clone, ORDERS, "{minimum: 0}", "{minimum: -5}")
    change(clone, ORDERS, "purpose: What was ordered.", "purpose: What was sold.")
    made = review(Project(clone), "main")
    (one,) = sarif(made.findings)["runs"]
    assert [r["level"] for r in one["results"]] == sorted(
        (r["level"] for r in one["results"]), key=["error", "warning", "note"].index
    )
    for result in one["results"]:
        (place,) = result["locations"]
        place = place["physicalLocation"]
        lines = (clone / place["artifactLocation"]["uri"]).read_text().splitlines()
        assert 1 <= place["region"]["startLine"] <= len(lines)
        assert one["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    range_line = next(r for r in one["results"] if r["ruleId"] == "RANGE_NO_WIDEN")
    start = range_line["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert "minimum: -5" in (clone / ORDERS).read_text().splitlines()[start - 1]


def test_rows_that_could_not_be_compared_are_said_first() -> None:
    why = "The rows of dev were not compared with prod. No data diff: another process has it."
    made = Review((), not_compared=why)
    title, first, *_ = [line for line in markdown(made).splitlines() if line][1:]
    assert title.startswith("###") and why.split(".")[0] in first
    assert "counts as breaking, even where its rows are the same" in first
    assert review_json(made)["not_compared"] == why


def test_a_database_that_is_held_is_why_no_rows_were_compared(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "No plan against prod: the database cannot be opened. It is held."

    def load(*_: object, **__: object) -> tuple[Models, Models]:
        return Models(), Models(notes=(note,))

    monkeypatch.setattr(report, "load_both", load)
    made = review(Project(clone), "main", environment="dev")
    assert made.not_compared == f"The rows of dev were not compared with prod. {note}"
    assert note not in made.notes
