"""Steps of workflows that stop less, or are run otherwise, and what a review says of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from mesh.project import Project
from mesh.review.guards import workflows
from mesh.review.models.both import Both

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


MATRIX = """
on: pull_request
jobs:
  changed:
    outputs: {any: x}
    steps: []
  never:
    if: 'no'
    steps: []
  idle:
    needs: never
    steps: []
  lint:
    needs: changed
    strategy:
      matrix:
        part: [a, b]
        size: [x, 2]
    env:
      PART: ${{ matrix.part }}
    steps:
      - run: make lint
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[a, b]", "[a]", "no longer runs with `part: b`"),
        ("[a, b]", "[a, b]\n        exclude: [{part: b}]", "no longer runs with `part: b`"),
        ("[a, b]", "[a]\n        include: [{part: b, size: x}]", ""),
        ("[a, b]", "[c, b, a]\n        include: [{other: true}]", ""),
        ("[x, 2]", "[x]", ""),
        ("[a, b]", "${{ fromJSON(needs.changed.outputs.any) }}", ""),
        ("      PART: ${{ matrix.part }}", "      PART: ''", ""),
        ("    outputs: {any: x}", "    if: false", "waits for a job that runs only if False"),
        ("    needs: changed", "    if: always()\n    needs: [changed]", "runs only if always()"),
        (
            "    needs: changed",
            "    needs: [changed, idle]",
            "waits for a job that runs only if no",
        ),
    ],
)
def test_a_part_that_never_runs_is_seen(old: str, new: str, said: str, tmp_path: Path) -> None:
    after = MATRIX.replace(old, new, 1)
    found = differing(tmp_path, {"lint.yml": MATRIX}, {"lint.yml": after})
    weaker = [one for one in found if one.startswith("STEP_NO_WEAKEN")]
    expected = [f"STEP_NO_WEAKEN `make lint` in the job lint {said}."] if said else []
    assert weaker == expected
