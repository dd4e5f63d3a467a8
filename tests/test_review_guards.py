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
from mesh.review.guards import base_tests, lint, python_tests, workflows
from mesh.review.guards.checks import _finds_the_same
from mesh.review.models.both import Both
from mesh.review.models.review_worker.facts import Models
from mesh.review.rules import Finding, Place
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


WORKFLOW = """
on:
  pull_request:
jobs:
  lint:
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: make lint
"""
STEP, EVENT = "      - run: make lint", "  pull_request:"
LESS = {
    "a shell that goes on": (STEP, f"{STEP}\n        shell: bash {{0}}", "which goes on after"),
    "for all steps": (
        "jobs:",
        "defaults: {run: {shell: 'bash {0}'}}\njobs:",
        "which goes on after",
    ),
    "paths": (EVENT, f"{EVENT}\n    paths: [docs/**]", "with `paths: [docs/**]`"),
    "no paths": (EVENT, f"{EVENT}\n    paths-ignore: ['**']", "with `paths-ignore: [**]`"),
    "a branch": (EVENT, f"{EVENT}\n    branches: [nowhere]", "with `branches: [nowhere]`"),
    "a late event": (EVENT, f"{EVENT}\n    types: [closed]", "with `types: [closed]`"),
    "a pipe": ("make lint", "make lint | tee log", "only the last command counts"),
    "another word": ("make lint", "make lint || printf no", "its script goes on"),
    "a number that nobody asks for": ("make lint", "make lint || code=$?", "its script goes on"),
    "a process behind": ("make lint", "make lint &", "its script goes on"),
    "its contrary": ("make lint", "'! make lint'", "its script goes on"),
    "an end before it": (STEP, "      - run: |\n          exit 0\n          make lint", "goes on"),
    "nothing done": ("make lint", "make lint -n", "runs with -n"),
    "never": (STEP, f"{STEP}\n        if: false", "runs only if False"),
}


def weakened(tmp_path: Path, files: dict[str, str]) -> list[str]:
    """What is said of the steps of these files, in the place of WORKFLOW."""
    return differing(tmp_path, {"lint.yml": WORKFLOW}, files)


def differing(tmp_path: Path, before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What is said of workflows that were others before, by the names of their files."""
    for side, texts in (("old", before), ("new", after)):
        folder = tmp_path / side / ".github" / "workflows"
        folder.mkdir(parents=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
    old, new = (Project(tmp_path / side) for side in ("old", "new"))
    both = SimpleNamespace(
        old=old, new=new, workflows=new.workflows, files=SimpleNamespace(edited={})
    )
    found = workflows.rule.findings(cast("Both", both))
    return [f"{one.rule} {one.message}" for one in found]


@pytest.mark.parametrize("what", LESS)
@pytest.mark.parametrize("moved", [False, True])
def test_a_step_that_stops_less_is_seen(what: str, tmp_path: Path, *, moved: bool) -> None:
    old, new, said = LESS[what]
    assert old in WORKFLOW
    name = "other.yml" if moved else "lint.yml"
    (found,) = weakened(tmp_path, {name: WORKFLOW.replace(old, new, 1)})
    assert found.startswith("STEP_NO_WEAKEN `make lint` in the job lint ") and said in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-26.04"),
        (STEP, f"{STEP}\n        shell: bash"),
        (EVENT, f"{EVENT}\n    types: [opened, synchronize, reopened, edited]"),
        (STEP, f"{STEP}\n        name: Lint"),
        ("make lint", 'make lint || { echo "lint said no"; exit 1; }'),
        (STEP, '      - run: |\n          make lint || code=$?\n          exit "$code"'),
    ],
)
def test_a_step_that_stops_as_much_is_not_called_weaker(old: str, new: str, tmp_path: Path) -> None:
    said = weakened(tmp_path, {"lint.yml": WORKFLOW.replace(old, new, 1)})
    assert not [one for one in said if not one.startswith("STEP_CHANGED")]


def test_less_time_is_told(tmp_path: Path) -> None:
    (said,) = weakened(tmp_path, {"lint.yml": WORKFLOW.replace("minutes: 20", "minutes: 1")})
    assert said == (
        "STEP_CHANGED `make lint` in the job lint is run otherwise: without `timeout-minutes: 20`, "
        "with `timeout-minutes: 1`."
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "mesh contracts bite",
            "mesh contracts bite shop.orders",
            "STEP_NO_WEAKEN `mesh contracts bite shop.orders` in the job lint looks at shop.orders "
            "alone.",
        ),
        (
            "ruff check mesh",
            "ruff check mesh tests",
            "STEP_CHANGED `ruff check mesh tests` in the job lint is run otherwise: without "
            "`words: ruff check mesh`, with `words: ruff check mesh tests`.",
        ),
        (
            "mesh generate --users 600",
            "mesh generate --users 12",
            "STEP_CHANGED `mesh generate` in the job lint is run otherwise: without "
            "`words: mesh generate --users 600`, with `words: mesh generate --users 12`.",
        ),
    ],
)
def test_what_is_asked_otherwise_is_told(old: str, new: str, said: str, tmp_path: Path) -> None:
    before, after = (WORKFLOW.replace("make lint", one) for one in (old, new))
    assert differing(tmp_path, {"lint.yml": before}, {"lint.yml": after}) == [said]


def test_what_is_done_to_the_files_before_a_check_is_told(tmp_path: Path) -> None:
    checkout = f"      - uses: actions/checkout@v4\n{STEP}"
    newer = WORKFLOW.replace(STEP, checkout.replace("v4", "v5"))
    before = {"lint.yml": WORKFLOW.replace(STEP, checkout)}
    assert differing(tmp_path / "newer", before, {"lint.yml": newer}) == []
    other = newer.replace("checkout@v5", "checkout@v5\n        with: {ref: main}")
    assert differing(tmp_path / "other", before, {"lint.yml": other}) == [
        "STEP_CHANGED `make lint` in the job lint is run otherwise: without "
        '`step: actions/checkout`, with `step: actions/checkout with {"ref": "main"}`.'
    ]
    shown = newer.replace(STEP, f"      - run: ls models\n{STEP}")
    assert differing(tmp_path / "shown", before, {"lint.yml": shown}) == []
    back = newer.replace(STEP, f"      - run: git checkout main -- models\n{STEP}")
    assert differing(tmp_path / "back", before, {"lint.yml": back}) == [
        "STEP_CHANGED `make lint` in the job lint is run otherwise: with "
        "`step: git checkout main -- models`."
    ]


def test_another_schedule_is_told(tmp_path: Path) -> None:
    often = WORKFLOW.replace(EVENT, "  schedule:\n    - cron: 0 5 2 * *")
    seldom = often.replace("0 5 2 * *", "0 5 2 */3 *")
    assert differing(tmp_path, {"lint.yml": often}, {"lint.yml": seldom}) == [
        "STEP_CHANGED .github/workflows/lint.yml runs its checks at other times: "
        "`0 5 2 * *` became `0 5 2 */3 *`."
    ]
    # A louder change of the same step does not hide it.
    loud = seldom.replace("make lint", "make lint || true")
    said = differing(tmp_path / "loud", {"lint.yml": often}, {"lint.yml": loud})
    assert [one.split()[0] for one in said] == ["STEP_NO_WEAKEN", "STEP_CHANGED"]


@pytest.mark.parametrize(
    ("name", "words"), [("PYTEST_ADDOPTS", "-q --collect-only"), ("MAKEFLAGS", "--ignore-errors")]
)
def test_a_tool_that_is_handed_words_which_idle_it_is_weaker(
    name: str, words: str, tmp_path: Path
) -> None:
    (said,) = weakened(tmp_path, {"lint.yml": f"env:\n  {name}: {words}\n{WORKFLOW}"})
    assert said == (
        f"STEP_NO_WEAKEN `make lint` in the job lint runs with {words.split()[-1]} in {name}."
    )


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


def test_what_is_set_for_several_checks_is_told_once(tmp_path: Path) -> None:
    job = "  try:\n    runs-on: ubuntu-24.04\n"
    shown = GATES.replace(job, f"{job}    env: {{SHOW: no}}\n")
    assert differing(tmp_path, {"ship.yml": shown}, {"ship.yml": GATES}) == [
        "STEP_CHANGED `make lint`, `pytest` in the job try are run otherwise: without "
        "`SHOW: False`."
    ]


GATES = """on: push
jobs:
  try:
    runs-on: ubuntu-24.04
    steps:
      - run: make lint
      - run: pytest -m slow
      - run: pytest -m fast
  ship:
    runs-on: ubuntu-24.04
    environment: shop
    steps:
      - run: make lint
      - run: make ship
      - run: mesh refresh acceptance
      - run: mesh contracts verify acceptance
      - run: mesh promote acceptance prod
"""
VERIFY, PROMOTE = "mesh contracts verify acceptance", "mesh promote acceptance prod"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "      - run: make lint\n      - run: make ship",
            "      - run: make lint || true\n      - run: make ship",
            ["STEP_NO_WEAKEN `make lint` in the job ship may fail now: its script goes on."],
        ),
        (
            "      - run: make lint\n      - run: make ship",
            "      - run: make ship",
            ["STEP_NO_DELETE `make lint` no longer runs: it was taken out of the job ship."],
        ),
        (
            "      - run: pytest -m slow\n",
            "",
            ["STEP_NO_DELETE `pytest` no longer runs: it was taken out of the job try."],
        ),
        (
            f"      - run: {VERIFY}\n      - run: {PROMOTE}",
            f"      - run: {PROMOTE}\n      - run: {VERIFY}",
            [
                f"STEP_NO_WEAKEN `{VERIFY}` in the job ship stands behind `{PROMOTE}` now, and no "
                "longer stops it."
            ],
        ),
        (
            f"      - run: mesh refresh acceptance\n      - run: {VERIFY}",
            f"      - run: {VERIFY}\n      - run: mesh refresh acceptance",
            [
                f"STEP_NO_WEAKEN `{VERIFY}` in the job ship stands before `mesh refresh "
                "acceptance` now, and no longer sees what that made."
            ],
        ),
        ("  ship:", "  bring:", []),
        ("      - run: pytest -m slow\n      - run: pytest -m fast\n",
         "      - run: pytest -m fast\n      - run: pytest -m slow\n", []),
    ],
    ids=["forgiving", "one of two", "one of a job", "behind", "before", "a name", "an order"],
)  # fmt: skip
def test_of_gates_that_are_alike_each_counts(
    old: str, new: str, said: list[str], tmp_path: Path
) -> None:
    """The same command before two steps is two gates."""
    assert old in GATES
    after = {"ship.yml": GATES.replace(old, new, 1)}
    assert differing(tmp_path, {"ship.yml": GATES}, after) == said


def test_who_agrees_to_a_release_is_asked(tmp_path: Path) -> None:
    after = {"ship.yml": GATES.replace("    environment: shop\n", "")}
    told = differing(tmp_path, {"ship.yml": GATES}, after)
    said = [one for one in told if one.startswith("STEP_NO_WEAKEN `mesh promote")]
    assert said == [
        f"STEP_NO_WEAKEN `{PROMOTE}` in the job ship no longer waits for the people of `shop`."
    ]


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
