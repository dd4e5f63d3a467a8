"""Changes that people make, breaking and harmless, and the verdict of a review on each.

The table, tests/fixtures/review/cases.yaml, is a law: whoever makes the review smaller keeps it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.project import Project
from mesh.review.models.review_worker.facts import Models
from mesh.review.rules import Finding
from mesh.review.run import Personal, compare_projects
from tests.review_projects import FIXTURES, TODAY, described, shop

CASES = yaml.safe_load((FIXTURES / "review" / "cases.yaml").read_text())
VISITS = FIXTURES / "review" / "visits"
ALL = [(sort, case) for sort, cases in CASES.items() for case in cases]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("cases") / "base", VISITS)


@cache
def _described(root: Path) -> Models:
    return described(root)


def load_before_once(
    base: Project | None, head: Project, personal: Personal
) -> tuple[Models, Models]:
    """As `load_here`: the base of all cases is the same."""
    del personal
    assert base
    before = _described(base.root)
    return before, described(head.root, before)


def changed(base: Path, after: Path, case: dict[str, Any]) -> list[Finding]:
    """What a review finds after the edits of a case, but for the version."""
    shop(after, VISITS)
    for edit in case["edits"]:
        file = after / edit["file"]
        assert edit["old"] in file.read_text(), edit["old"]
        file.write_text(file.read_text().replace(edit["old"], edit["new"], 1))
    found = compare_projects(Project(base), Project(after), load_before_once, TODAY).findings
    return [one for one in found if one.rule != "VERSION_TOO_SMALL"]


@pytest.mark.parametrize(("sort", "case"), ALL, ids=[case["case"] for _, case in ALL])
def test_a_change_gets_its_verdict(
    sort: str, case: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    found = changed(base, tmp_path / "head", case)
    said = sorted(f"{one.rule} {one.product} {one.column or ''}".strip() for one in found)
    assert said == case["found"]
    wrong = "false_alarm" in case or "missed" in case
    assert any(one.breaking for one in found) == ((sort == "breaking") != wrong)


def test_few_verdicts_are_wrong() -> None:
    """Counted, so that a case cannot be called an exception unseen."""
    assert sum("missed" in case for case in CASES["breaking"]) == 0
    assert sum("false_alarm" in case for case in CASES["harmless"]) == 0
