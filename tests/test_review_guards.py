"""Changes of what would stop a mistake, and what a review says of each.

The table, tests/fixtures/review/guards.yaml, is a law, as that of the changes of models.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.project import Project
from mesh.review.models.review_worker.facts import Models
from mesh.review.run import Personal, Review, compare_projects
from tests.project_copy import ROOT
from tests.review_projects import FIXTURES, TODAY, described, shop

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
