"""`mesh review` in real git repositories: what it reads, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.errors import WrongUse
from mesh.git import find_checkout
from mesh.project import Project, find_project
from mesh.review import run as report
from mesh.review.models.changes import place_in
from mesh.review.models.load import load_both
from mesh.review.report.machine import sarif
from mesh.review.report.markdown import MARKER
from mesh.review.run import Review, review
from mesh.revision import lay_out
from tests.project_copy import PROJECT
from tests.review_projects import ORDERS, SHOP, change, git, repository, shop

pytest_plugins = ["tests.cloned_shop"]


def rules(made: Review) -> list[str]:
    return [found.rule for found in made.findings]


def state_of(folder: Path) -> tuple[str, ...]:
    """All that a review must leave as it is."""
    index = (folder / ".git" / "index").read_bytes().hex()
    return (git(folder, "status", "--porcelain=v2"), git(folder, "rev-parse", "HEAD"), index)


def test_the_whole_review_in_a_process_of_its_own(clone: Path, tmp_path: Path) -> None:
    change(clone, ORDERS, "name: amount\n", "name: total\n")
    change(clone, "models/shop/orders.sql", "amount::FLOAT64 AS amount", "amount::FLOAT64 AS total")
    git(clone, "commit", "-qam", "rename amount")
    (clone / "notes.txt").write_text("not committed")
    # Where SQLMesh cannot keep what it has read, as in a checkout that may only be read.
    (clone / ".cache").write_text("no folder")
    before = state_of(clone)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from mesh.cli.main import run; run()",
            *("review", "--base", "main", "--json"),
            *("--markdown", str(tmp_path / "report.md"), "--sarif", str(tmp_path / "report.sarif")),
        ],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer["breaking"] is True
    found = {item["rule"]: item for item in answer["findings"]}
    assert found["COLUMN_NO_RENAME"]["file"] == ORDERS
    assert "PROJECT_NO_LOAD" not in found
    assert "Unknown column: amount" in found["CONSUMER_NO_BREAK"]["message"]
    assert found["CHART_NO_BREAK"]["file"] == "looker/sales.yaml"
    assert {hit["name"] for hit in answer["hit"]} >= {"reporting.customers", "sales/by_channel"}
    assert answer["ask"] == ["reporting", "shop"]
    assert answer["plan"]["against"] == "base"
    planned = {item["model"]: item["how"] for item in answer["plan"]["models"]}
    assert planned == {
        "shop.orders": "directly modified",
        "reporting.customers": "indirectly modified",
    }
    comment = (tmp_path / "report.md").read_text()
    assert comment.startswith(MARKER) and "```mermaid" in comment
    assert "COLUMN_NO_RENAME" in comment and "SQLMesh's plan" in comment
    log = json.loads((tmp_path / "report.sarif").read_text())
    assert log["version"] == "2.1.0"
    assert state_of(clone) == before
    assert not (clone / "data").exists(), "a review makes no database"


def test_the_base_is_where_the_branch_left_main(clone: Path, without_models: None) -> None:
    """What main did since is not this branch's doing."""
    git(clone, "switch", "-q", "main")
    change(clone, ORDERS, "{minimum: 0}", "{minimum: -5}")
    git(clone, "commit", "-qam", "main goes on")
    git(clone, "switch", "-q", "change")
    assert review(Project(clone), "main").findings == ()


def test_without_a_base_the_main_branch_is_taken(clone: Path, without_models: None) -> None:
    change(clone, ORDERS, "{minimum: 0}", "{minimum: -5}")
    git(clone, "commit", "-qam", "wider")
    assert rules(review(Project(clone))) == ["RANGE_NO_WIDEN"]


def test_uncommitted_changes_count(clone: Path, without_models: None) -> None:
    change(clone, ORDERS, "{minimum: 0}", "{minimum: -5}")
    assert "RANGE_NO_WIDEN" in rules(review(Project(clone), "main"))


def test_a_deleted_file_counts_committed_or_not(clone: Path, without_models: None) -> None:
    (clone / ORDERS).unlink()
    found = review(Project(clone), "main").findings
    assert {f.rule for f in found} == {"PRODUCT_NO_DELETE", "CHART_NO_BREAK"}
    git(clone, "commit", "-qam", "gone")
    assert "PRODUCT_NO_DELETE" in rules(review(Project(clone), "main"))


def test_an_untracked_contract_counts(clone: Path, without_models: None) -> None:
    text = (clone / ORDERS).read_text().replace("shop.orders", "shop.sales")
    text = text.replace("name: orders", "name: sales").replace("id: amount", "id: sum")
    text = text.replace("id: customer", "id: buyer")
    (clone / "contracts/shop/sales.odcs.yaml").write_text(text)
    assert rules(review(Project(clone), "main")) == ["PRODUCT_ADDED"]


def test_a_renamed_contract_is_a_renamed_product(clone: Path, without_models: None) -> None:
    git(clone, "mv", ORDERS, "contracts/shop/sales.odcs.yaml")
    file = clone / "contracts/shop/sales.odcs.yaml"
    text = file.read_text().replace("shop.orders", "shop.sales")
    file.write_text(text.replace("name: orders", "name: sales"))
    assert "PRODUCT_NO_RENAME" in rules(review(Project(clone), "main"))


def test_a_contract_that_no_longer_parses_is_a_finding(clone: Path, without_models: None) -> None:
    (clone / ORDERS).write_text("kind: [DataContract\n")
    (found,) = (f for f in review(Project(clone), "main").findings if f.product == "shop.orders")
    assert found.rule == "CONTRACT_INVALID" and "is no YAML" in found.message
    assert found.where.path == ORDERS and found.breaking


def test_a_contract_of_the_base_that_does_not_parse_is_told(
    tmp_path: Path, without_models: None
) -> None:
    folder = shop(tmp_path / "clone")
    good = (folder / ORDERS).read_text()
    (folder / ORDERS).write_text("kind: [DataContract\n")
    repository(folder)
    (folder / ORDERS).write_text(good)
    made = review(Project(folder), "main")
    assert rules(made) == ["BASE_CONTRACT_INVALID"] and not made.breaking


def test_a_base_without_contracts_makes_everything_new(
    tmp_path: Path, without_models: None
) -> None:
    folder = shop(tmp_path / "clone")
    contracts = folder / "contracts"
    contracts.rename(tmp_path / "later")
    repository(folder)
    shutil.copytree(tmp_path / "later", contracts)
    made = review(Project(folder), "main")
    assert set(rules(made)) == {"PRODUCT_ADDED"} and not made.breaking
    assert "The base has no contracts yet: everything here is new." in made.notes


def test_a_base_without_a_project_makes_everything_new(
    tmp_path: Path, without_models: None
) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "README.md").write_text("soon")
    repository(folder)
    shutil.copytree(SHOP, folder, dirs_exist_ok=True)
    assert not review(Project(folder), "main").breaking


def test_a_project_below_the_top_of_the_repository(tmp_path: Path, without_models: None) -> None:
    top = tmp_path / "clone"
    shop(top / "mesh")
    repository(top)
    change(top, f"mesh/{ORDERS}", "{minimum: 0}", "{minimum: -5}")
    made = review(Project(top / "mesh"), "main")
    (found,) = (f for f in made.findings if f.rule == "RANGE_NO_WIDEN")
    assert found.where.path == ORDERS
    (result,) = sarif([found], made.prefix)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == f"mesh/{ORDERS}"


def test_names_of_files_may_be_anything(clone: Path, without_models: None, tmp_path: Path) -> None:
    for name in ("with space.txt", "ünï.txt", "line\nend.txt", "-rf"):
        (clone / name).write_text(name)
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "odd names")
    checkout = find_checkout(Project(clone))
    lay_out(checkout, checkout.commit("HEAD"), tmp_path / "out")
    assert (tmp_path / "out" / "line\nend.txt").read_text() == "line\nend.txt"
    assert (tmp_path / "out" / "ünï.txt").exists()


def refused(folder: Path, base: str | None) -> str:
    with pytest.raises(WrongUse) as caught:
        review(Project(folder), base)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_outside_of_git_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    folder = shop(tmp_path / "plain")
    said = refused(folder, "main")
    assert "is no git checkout" in said and "clone" in said


def test_an_unknown_revision_is_said_with_a_near_name(clone: Path) -> None:
    said = refused(clone, "mian")
    assert "There is no revision `mian` here." in said and "Did you mean `main`?" in said


@pytest.mark.parametrize("base", ["--upload-pack=touch", "HEAD~9", "main:README", "", "a b"])
def test_a_revision_that_is_none_is_refused(clone: Path, base: str) -> None:
    assert "There is no revision" in refused(clone, base)


def test_a_shallow_clone_is_told_how_to_get_the_base(clone: Path, tmp_path: Path) -> None:
    git(clone, "commit", "-q", "--allow-empty", "-m", "one")
    git(clone, "commit", "-q", "--allow-empty", "-m", "two")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", f"file://{clone}", str(shallow))
    said = refused(shallow, "origin/main")
    assert "shallow" in said and "git fetch --unshallow" in said
    assert "fetch --unshallow" in refused(shallow, "v1")


def test_no_common_history_is_said(clone: Path) -> None:
    git(clone, "switch", "-q", "--orphan", "other")
    git(clone, "commit", "-q", "--allow-empty", "-m", "alone")
    git(clone, "checkout", "-q", "main", "--", ".")
    assert "no history in common" in refused(clone, "main")


def test_a_repository_without_commits_is_said(tmp_path: Path) -> None:
    folder = shop(tmp_path / "new")
    git(folder, "init", "-q")
    assert "Nothing is committed here yet." in refused(folder, "main")


def test_a_repository_without_a_project_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "README.md").write_text("another project")
    repository(folder)
    with pytest.raises(WrongUse, match="no SQLMesh project"):
        find_project(folder)


def test_without_a_main_branch_one_has_to_be_named(clone: Path) -> None:
    git(clone, "branch", "-q", "-D", "main")
    assert "There is no main branch to compare with." in refused(clone, None)


def test_what_was_personal_on_either_side_is_in_no_sample(clone: Path, tmp_path: Path) -> None:
    from mesh.review.run import personal_columns

    folder = clone / "contracts"
    before = report.read_contracts(folder.rglob("*.yaml"), clone)
    change(clone, ORDERS, "classification: personal", "classification: internal")
    after = report.read_contracts(folder.rglob("*.yaml"), clone)
    for sides in ((before, after), (after, before)):
        assert personal_columns(*sides)["shop.orders"] == ("customer",)
    assert personal_columns(after)["shop.orders"] == ()


def test_an_error_of_sqlmeshs_is_shown_at_the_line_that_it_names() -> None:
    said = "Failed to load model from file 'models/a/b.sql': Unexpected token. Line 9, Col: 10."
    assert str(place_in(said, "config.py")) == "models/a/b.sql:9"
    said = "models/a/b.sql:4: There is no contract for nothing."
    assert str(place_in(said, "config.py")) == "models/a/b.sql:4"
    assert (
        str(place_in("tests/a/test_b.yaml:1: There is no", "config.py")) == "tests/a/test_b.yaml:1"
    )
    assert str(place_in("Something else.", "config.py")) == "config.py:1"


def test_a_base_whose_process_dies_does_not_keep_its_head_waiting(tmp_path: Path) -> None:
    head, base = (Project(shop(tmp_path / side)) for side in ("head", "base"))
    (base.root / "macros").mkdir(exist_ok=True)
    (base.root / "macros" / "dies.py").write_text("import os\n\nos._exit(9)\n")
    (tmp_path / "scratch").mkdir()
    before, after = load_both(base, head, {}, scratch=tmp_path / "scratch")
    assert before.problem == "the process that loads it ended without an answer"
    assert after.models and not after.problem


def test_a_base_has_the_folders_of_its_databases(tmp_path: Path) -> None:
    """They are ignored by git, as a rule, so that they are not laid out with the rest."""
    base, head = shop(tmp_path / "base"), shop(tmp_path / "head")
    for side in (base, head):
        config = side / "config.yaml"
        stated = config.read_text()
        begin, end = stated.index("      catalogs:"), stated.index("model_defaults:")
        lying = "      database: data/local/shop.duckdb\n"
        config.write_text(stated[:begin] + lying + stated[end:])
    (head / "data" / "local").mkdir(parents=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    told = load_both(Project(base), Project(head), {}, scratch=scratch)
    assert [side.problem for side in told] == ["", ""]


def test_a_project_without_its_configuration_does_not_load(clone: Path) -> None:
    (clone / "config.yaml").unlink()
    found = review(Project(clone), "main").findings
    assert [(f.rule, f.message) for f in found] == [
        ("PROJECT_NO_LOAD", "The project does not load: there is no config.yaml any more")
    ]


@pytest.mark.parametrize(
    ("old", "new", "below", "said"),
    [
        ("field: user_group, equals: raters", "field: usergroup, equals: raters", 0, "no column"),
        ("field: user_group, equals: raters", "field: user_group, equals: rater", 0, "is never"),
        ("'>=1.0.0 <2.0.0'", "'>=2.0.0 <3.0.0'", 0, "which is not in"),
        # The parser sees it at the first field of the first source.
        ("sources:", "sources: [", 2, "is no YAML"),
    ],
)
def test_an_edited_dashboard_is_held_against_the_contracts(
    old: str, new: str, below: int, said: str, tmp_path: Path
) -> None:
    from mesh.contracts import load_contracts
    from mesh.review.models.readers import chart_no_break, edited_dashboards

    root, name = Path(__file__).parent.parent, "looker/user_360.yaml"
    for side in ("before", "after"):
        shutil.copytree(root / "looker", tmp_path / side / "looker")
    lines = (root / name).read_text().splitlines()
    line = below + next(i for i, text in enumerate(lines, start=1) if old in text)
    change(tmp_path / "after", name, old, new)
    sides, contracts = (
        (Project(tmp_path / "before"), Project(tmp_path / "after")),
        load_contracts(PROJECT.contracts),
    )
    found = [chart_no_break.of(one) for one in edited_dashboards(*sides, contracts)]
    assert {(f.rule, f.breaking) for f in found} == {("CHART_NO_BREAK", True)}
    assert any(said in f.message and str(f.where) == f"{name}:{line}" for f in found), found
    assert list(edited_dashboards(*reversed(sides), contracts)) == []


def test_charts_of_a_dashboard_that_cannot_be_read_are_not_called_deleted(
    clone: Path, without_models: None
) -> None:
    (clone / "looker/sales.yaml").write_text("id: [sales\n")
    made = review(Project(clone), "main")
    assert "CHART_NO_DELETE" not in rules(made)
    assert "looker/sales.yaml is no YAML, so its charts are not looked at." in made.notes
