"""Tests in Python that ask for less, or are left out, and what a review says of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from mesh.project import Project
from mesh.review.guards import python_tests
from mesh.review.models.both import Both
from mesh.review.rules import Finding


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("tests/conftest.py", "", "collect_ignore_glob = ['test_*.py']\n", "collect_ignore_glob"),
        ("tests/conftest.py", "collect_ignore = ['a.py']\n", "", None),
        ("conftest.py", "collect_ignore: list = []\n", "collect_ignore = 1\n", "collect_ignore"),
        ("conftest.py", "", "def pytest_ignore_collect():\n    1\n", "pytest_ignore_collect"),
        ("conftest.py", "", "def browser():\n    return 1\n", None),
        ("pyproject.toml", "", "[tool.pytest.ini_options]\naddopts = '-k nothing'\n", "addopts"),
        ("pyproject.toml", "[tool.ruff]\n", "[tool.ruff]\nline-length = 90\n", None),
        ("pytest.ini", "[pytest]\n", "[pytest]\ntestpaths = one\n", "testpaths"),
        ("pytest.ini", None, "[pytest]\n", "pytest.ini"),
        ("tests/pytest.ini", "[pytest]\n", "[pytest]\ntestpaths = one\n", "testpaths"),
    ],
)  # fmt: skip
def test_what_leaves_tests_out_is_told(
    name: str, before: str | None, after: str, told: str | None, tmp_path: Path
) -> None:
    found = of_file(tmp_path, name, before, after)
    assert [f"{one.rule} {one.message}" for one in found] == (
        [f"PYTHON_TEST_NO_LEAVE_OUT Which tests pytest runs is told otherwise: {told}."]
        if told
        else []
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("assert a\n    assert b", "assert a", "2 things before, and for 1 now"),
        ("assert a", "assert True", "1 thing before, and for nothing now"),
        ("assert a", "assert a or True", "1 thing before, and for nothing now"),
        ("assert a or b", "assert b or a", ""),
        ("assert a\n    assert b", "assert a\n    return\n    assert b", "for 1 now"),
        ("with raises(X):\n        a()", "a()", "for nothing now"),
        ("self.assertEqual(a, b)", "a == b", "for nothing now"),
        ("assert a\n    assert b", "assert a and b", ""),
        ("assert a", "assert a\n    assert b", ""),
        ("assert a\n    assert b", "holds(a)\n\ndef holds(a):\n    assert a\n    assert b", ""),
        ("assert a\n    assert b", "holds(a)\n\ndef holds(a):\n    assert a", "for 1 now"),
        ("assert a", "again(a)\n\ndef again(a):\n    again(a)", "for nothing now"),
    ],
)
def test_a_test_that_asks_for_less_is_told(
    before: str, after: str, told: str, tmp_path: Path
) -> None:
    start = "def test_a(self):\n    "
    check_test(tmp_path, start + before, start + after, told)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("('a', [1, 2, 3])", "('a', [1, 3])", "with 3 cases before, and with 2 now"),
        ("('a', (1,))", "('a', [])", "with 1 case before, and with none now"),
        ("('a', argvalues=[1, 2])", "('a', argvalues=[1])", "with 2 cases before, and with 1 now"),
        ("('a', [1, 2])", "('a', [3, 1, 2])", ""),
        ("('a', FIVE)", "('a', FIVE[:2])", "with 5 cases before, and with 2 now"),
        ("('a', range(1, 10))", "('a', range(1, 2))", "with 9 cases before, and with 1 now"),
        ("('a', FIVE)", "('a', [1, 2, 3, 4, 5])", ""),
        # How many these are is not written there.
        ("('a', [1, 2])", "('a', made())", ""),
        ("('a', made())", "('a', [1])", ""),
        ("('a', FIVE)", "('a', FIVE[:made()])", ""),
    ],
)
def test_a_test_that_runs_with_less_is_told(
    before: str, after: str, told: str, tmp_path: Path
) -> None:
    end = "\ndef test_a(a):\n    assert a"
    mark = "FIVE = [1, 2, 3, 4, 5]\n@pytest.mark.parametrize"
    check_test(tmp_path, f"{mark}{before}{end}", f"{mark}{after}{end}", told)


def check_test(folder: Path, before: str, after: str, told: str) -> None:
    """A file of tests that became another is told so, or not at all."""
    found = of_file(folder, "test_a.py", f"{before}\n", f"{after}\n")
    assert len(found) == bool(told)
    assert all(told in one.message for one in found)


def of_file(folder: Path, name: str, before: str | None, after: str) -> list[Finding]:
    """What the rules on tests in Python find where a file became another, or is new."""
    sides = {"old": before, "new": after}
    for side, text in sides.items():
        file = folder / side / name
        file.parent.mkdir(parents=True)
        if text is not None:
            file.write_text(text)
    old, new = (Project(folder / side) for side in sides)
    both = SimpleNamespace(old=old, new=new, files=SimpleNamespace(edited={name: 1}))
    return [*python_tests.rule.findings(cast("Both", both))]
