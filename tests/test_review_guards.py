"""Changes of what would stop a mistake, and what a review says of each.

The table, tests/fixtures/review/guards.yaml, is a law, as that of the changes of models.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from mesh.project import Project
from mesh.review.codeowners import brought_up, codeowners
from mesh.review.guards import base_tests, lint
from mesh.review.guards.checks import _finds_the_same
from mesh.review.models.both import Both
from mesh.review.models.review_worker.facts import Models
from mesh.review.rules import Place
from mesh.review.run import Personal, Review, compare_projects
from tests.project_copy import ROOT
from tests.review_projects import FIXTURES, ORDERS, TODAY, described, shop

CASES = yaml.safe_load((FIXTURES / "review" / "guards.yaml").read_text())
# What `mesh init` sets up in each project.
SET_UP = ("audits/contract.sql", "linter/__init__.py", "linter/contracts.py", "macros/contract.py")


def guarded(target: Path) -> Path:
    """The shop, with all that this project has to guard it."""
    shop(target, FIXTURES / "review" / "guarded")
    for name in SET_UP:
        (target / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return guarded(tmp_path_factory.mktemp("guards") / "base")


@cache
def _described(root: Path) -> Models:
    return described(root)


def load(base: Project | None, head: Project, personal: Personal) -> tuple[Models, Models]:
    """As `load_here`: the base of all cases is the same."""
    del personal
    assert base
    before = _described(base.root)
    return before, described(head.root, before)


def changed(base: Path, after: Path, case: dict[str, Any]) -> Review:
    guarded(after)
    for edit in case["edits"]:
        file = after / edit["file"]
        if edit.get("gone"):
            file.unlink()
            continue
        text = file.read_text()
        assert edit["old"] in text, edit["old"]
        file.write_text(text.replace(edit["old"], edit["new"], 1))
    return compare_projects(Project(base), Project(after), load, TODAY)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_guard_that_goes_is_seen_where_it_went(
    case: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    review = changed(base, tmp_path / "head", case)
    found = [one for one in review.findings if one.rule != "VERSION_TOO_SMALL"]
    assert [f"{one.rule} {one.where} {one.level}" for one in found] == case["found"]


def test_a_project_compared_with_itself_has_all_its_guards(base: Path, tmp_path: Path) -> None:
    assert not changed(base, tmp_path / "head", {"edits": []}).findings


def test_no_version_is_asked_for_because_a_guard_goes(base: Path, tmp_path: Path) -> None:
    case = next(case for case in CASES if case["case"] == "the contract taken out of a model")
    review = changed(base, tmp_path / "head", case)
    assert review.breaking and not review.verdicts and not review.impact.hits


def test_what_one_model_says_of_another_stands_at_the_other() -> None:
    said = ("rulesareinforce: shop.b: leaves out the rule explicitcolumns.",)
    models = {
        name: SimpleNamespace(refused=refused, path=f"{name}.sql")
        for name, refused in (("shop.a", said), ("shop.b", ()))
    }
    files = SimpleNamespace(
        made_in=lambda path, *_: None, place=lambda name, _: Place(f"{name}.sql", 4)
    )
    base = {name: SimpleNamespace(refused=()) for name in models}
    both = SimpleNamespace(
        base=SimpleNamespace(models=base), head=SimpleNamespace(models=models), files=files
    )
    (found,) = lint.model_passes_lint.find(cast("Both", both))
    assert (found.product, str(found.where)) == ("shop.b", "shop.b.sql:4")


def test_who_mends_what_a_rule_complains_of_has_not_silenced_it(tmp_path: Path) -> None:
    """A cast that lint asks for, and a setting beside it, leave the rule as it was."""
    before, after = guarded(tmp_path / "before"), guarded(tmp_path / "after")
    orders = before / "models" / "shop" / "orders.sql"
    orders.write_text(
        orders.read_text().replace("channel::STRING AS channel", "channel AS channel")
    )
    config = after / "config.yaml"
    config.write_text(config.read_text() + "\n# A word more.\n")
    found = compare_projects(Project(before), Project(after), load, TODAY).findings
    assert "LINT_NO_SILENCE" not in {one.rule for one in found}


def test_of_a_folder_of_guards_each_file_counts(tmp_path: Path) -> None:
    for side, role in (("old", "viewer"), ("new", "owner")):
        for name in ("access/who.py", "other/who.py"):
            file = tmp_path / side / name
            file.parent.mkdir(parents=True)
            file.write_text(f"ROLE = '{role}'\n")
    old, new = (Project(tmp_path / side) for side in ("old", "new"))
    old.contracts.mkdir()
    (old.contracts / "review.yaml").write_text("guards: [access/]\n")
    edited = {"access/who.py": 1, "other/who.py": 1}
    files = SimpleNamespace(edited=edited)
    both = SimpleNamespace(old=old, new=new, files=files, brought_up={})
    found = base_tests.guard_file_same.find(cast("Both", both))
    assert [one.message for one in found] == [
        "What stood in access/who.py and is gone: ROLE = 'viewer'; what is new: ROLE = 'owner'"
    ]


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (
            [("macros/euros.py", "number(100)", "number(1000)")],
            "The unit test test_till_lines_are_in_euros of the base no longer holds: euros "
            "should be 2.5 and is 0.25.",
        ),
        (
            [("models/shop/orders.sql", "FROM", "FROM (SELECT 1 LIMIT 0) AS none CROSS JOIN")],
            "The unit test test_orders_add_up of the base no longer holds: the row order_id 1, "
            "customer 7, channel web, amount 4 should come and does not.",
        ),
    ],
)
def test_a_test_of_the_base_that_fails_is_told_in_a_sentence(
    base: Path, tmp_path: Path, edits: list[tuple[str, str, str]], said: str
) -> None:
    case = {"edits": [{"file": file, "old": old, "new": new} for file, old, new in edits]}
    review = changed(base, tmp_path / "head", case)
    assert said in [f.message for f in review.findings if f.rule == "TEST_OF_BASE_HOLDS"]


def test_lines_that_follow_from_contracts_are_no_change_of_a_guard(tmp_path: Path) -> None:
    for side, owner in (("old", "shop"), ("new", "market")):
        root = tmp_path / side
        shop(root)
        (root / "contracts" / "review.yaml").write_text("guards: [.github/CODEOWNERS]\n")
        order = root / ORDERS
        order.write_text(order.read_text().replace("{name: shop}", f"{{name: {owner}}}"))
        written = root / ".github" / "CODEOWNERS"
        written.parent.mkdir()
        written.write_text(f"*.py @org/{owner}\n")
        written.write_text(codeowners(Project(root))[written])
    old, new = (Project(tmp_path / side) for side in ("old", "new"))
    files = SimpleNamespace(edited={".github/CODEOWNERS": 1})
    sides = SimpleNamespace(old=old, new=new, files=files, brought_up=brought_up(old, new))
    both = cast("Both", sides)
    told = [one.message for one in base_tests.guard_file_same.find(both)]
    assert told == [
        "What stood in .github/CODEOWNERS and is gone: *.py @org/shop; what is new: "
        "*.py @org/market"
    ]
    # What is written by hand between the marks follows from nothing.
    written = new.root / ".github" / "CODEOWNERS"
    written.write_text(
        written.read_text().replace("# The end", "/contracts/ @org/nobody\n# The end")
    )
    (told,) = (one.message for one in base_tests.guard_file_same.find(both))
    assert "; what is new: *.py @org/market /contracts/ @org/nobody" in told


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (
            "SELECT * FROM @this_model WHERE NOT x > 1",
            "WITH low AS (SELECT * FROM @this_model) SELECT x FROM low WHERE x <= 1",
            True,
        ),
        ("SELECT * FROM @this_model WHERE x > @most", "SELECT * FROM @this_model", False),
        ("SELECT * FROM @this_model LIMIT 1", "SELECT * FROM @this_model", False),
        # A name that the query gives is known by what it stands for.
        (
            "SELECT k, COUNT(*) AS n FROM @this_model GROUP BY k HAVING n > 1",
            "SELECT k FROM @this_model GROUP BY 1 HAVING COUNT(*) > 1",
            True,
        ),
        (
            "SELECT k, COUNT(*) AS n FROM @this_model GROUP BY k HAVING n > 1",
            "SELECT k, COUNT(DISTINCT x) AS n FROM @this_model GROUP BY k HAVING n > 1",
            False,
        ),
        (
            "SELECT *, ROW_NUMBER() OVER (PARTITION BY k) AS n FROM @this_model QUALIFY n > 1",
            "SELECT *, ROW_NUMBER() OVER (PARTITION BY k, x) AS n FROM @this_model QUALIFY n > 1",
            False,
        ),
        (
            "WITH a AS (SELECT * FROM @this_model) SELECT * FROM a WHERE x > 1",
            "WITH a AS (SELECT * REPLACE (0 AS x) FROM @this_model) SELECT * FROM a WHERE x > 1",
            False,
        ),
        # Of another table the columns are not known.
        (
            "SELECT * FROM @this_model WHERE k IN (SELECT k FROM shop.k WHERE y > 1)",
            "SELECT * FROM @this_model WHERE k IN (SELECT k FROM shop.k WHERE y > 2)",
            False,
        ),
        # What a macro makes of its arguments is not known.
        (
            "WITH a AS (@broken(@this_model, 1)) SELECT * FROM a",
            "WITH a AS (@broken(@this_model, 2)) SELECT * FROM a",
            False,
        ),
        ("SELECT @m(x) FROM @this_model", "SELECT @m(x) FROM @this_model", True),
        ("JINJA_QUERY_BEGIN; SELECT 1; JINJA_END;", "SELECT 1", False),
    ],
)
def test_audits_are_the_same_that_find_the_same_rows(before: str, after: str, same: bool) -> None:
    assert _finds_the_same(before, after, {"k": "STRING", "x": "INT64"}) is same


def test_an_audit_of_a_model_whose_columns_are_not_known_is_read_by_their_names() -> None:
    less, no_less, least = (
        f"SELECT * FROM @this_model WHERE {one}" for one in ("x > 1", "NOT x <= 1", "x >= 1")
    )
    assert _finds_the_same(less, no_less, {})
    assert not _finds_the_same(less, least, {})


def test_unit_tests_of_one_name_are_told_apart_by_their_models(tmp_path: Path) -> None:
    one, other = guarded(tmp_path / "base"), guarded(tmp_path / "head")
    for root in (one, other):
        tests = root / "tests" / "test_shop.yaml"
        text = tests.read_text().replace("test_till_lines_are_in_euros", "test_orders_add_up")
        orders, _, till = text.rpartition("test_orders_add_up")
        tests.write_text(orders)
        tests.with_name("test_till.yaml").write_text(f"test_orders_add_up{till}")
    macro = other / "macros" / "euros.py"
    macro.write_text(macro.read_text().replace("number(100)", "number(1000)"))
    review = compare_projects(Project(one), Project(other), load, TODAY)
    found = [f.product for f in review.findings if f.rule == "TEST_OF_BASE_HOLDS"]
    assert found == ["shop_internal.till_lines"]
