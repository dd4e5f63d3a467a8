"""The one list of checks, and the one list of what is installed."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "tools"))

import checks  # noqa: E402
from checks import CHECKS, Check  # noqa: E402
from run_tests import FILES, PARTS  # noqa: E402

PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)

COMMIT = "-c user.name=x -c user.email=x@example.com commit -qm x"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "checks.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pins(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / name).read_text()))


def test_makefile_commits_workflows_and_the_suite_call_the_list() -> None:
    assert "tools/checks.py" in (ROOT / "Makefile").read_text()
    assert "tools/checks.py" in (ROOT / "tools" / "run_tests.py").read_text()
    assert "make lint" in (ROOT / ".github/workflows/pull-request.yml").read_text()
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert "tools/checks.py" in local["hooks"][0]["entry"]


def test_each_file_of_tests_is_in_one_part_and_each_part_in_the_pull_request() -> None:
    files = sorted(name for part in FILES.values() for name in part)
    there = (path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py"))
    assert files == sorted(str(path) for path in there if "fixtures" not in path.parts)
    assert all(FILES.values()) and FILES.keys() <= {part.name for part in PARTS}
    workflow = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text())
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]["part"]
    # The checks are the job `lint`.
    assert sorted([*matrix, "checks"]) == sorted(part.name for part in PARTS)


def test_a_part_that_is_not_there_is_told() -> None:
    command = (sys.executable, ROOT / "tools" / "run_tests.py", "ingset")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "there is no part ingset: " in done.stderr


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_stands_nowhere_else(check: Check) -> None:
    command = " ".join(check.command)
    for path in (
        ROOT / "Makefile",
        ROOT / ".pre-commit-config.yaml",
        ROOT / "tools" / "run_tests.py",
        *(ROOT / ".github" / "workflows").glob("*.yml"),
    ):
        assert not re.search(rf"{re.escape(command)}\b", path.read_text()), path


def test_checks_are_chosen_by_name_and_by_the_files_that_changed() -> None:
    done = run("ruff")
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"ruff: passed in [\d.]+ s\n", done.stdout)
    assert run("--files", "README.md").stdout == ""
    chosen = run("--files", "README.md", "mesh/errors.py", "--list").stdout.split()
    assert {"ruff", "contracts", "sqlmesh-lint"} <= set(chosen) and "sqlmesh-format" not in chosen


def test_a_commit_that_only_deletes_runs_the_checks_that_it_concerns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert all(hook["always_run"] and "files" not in hook for hook in hooks)
    words = hooks[0]["entry"].split()[2:]
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["checks", "--list", *words])
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "x.odcs.yaml").touch()
    for command in ("init -q", "add -A", COMMIT, "rm -q contracts/x.odcs.yaml"):
        subprocess.run(["git", *shlex.split(command)], cwd=tmp_path, check=True)
    assert checks.main() == 0
    assert {"contracts", "docs", "sqlmesh-lint"} <= {*capsys.readouterr().out.split()}
    subprocess.run(["git", *shlex.split(COMMIT)], cwd=tmp_path, check=True)
    assert checks.main() == 0
    assert not capsys.readouterr().out.strip()


def test_a_check_that_is_not_there_is_said() -> None:
    done = run("ruf")
    assert done.returncode == 2
    assert "there is no check ruf; there are contracts-prove, " in done.stderr


def test_a_check_that_fails_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Check("bad", ("python", "-c", "import sys; print('what is wrong'); sys.exit(3)"), ".")
    good = Check("good", ("python", "-c", "print('much')"), ".")
    monkeypatch.setattr(checks, "CHECKS", (bad, good))
    monkeypatch.setattr(sys, "argv", ["checks"])
    assert checks.main() == 1
    said = capsys.readouterr().out
    assert "bad: failed" in said and "what is wrong" in said
    assert "good: passed" in said and "much" not in said


def test_what_mesh_needs_to_run_is_apart_from_tests_and_tools() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = stated["dependency-groups"]
    needed, all_of_them = pins("requirements.txt"), pins("requirements-dev.txt")
    for name in (*groups["test"], *groups["tools"]):
        assert name.lower() not in needed and name.lower() in all_of_them
    assert needed.items() <= all_of_them.items()
    for name in stated["project"]["dependencies"]:
        assert re.split(r"[\[=>]", name)[0].lower() in needed


def test_no_lock_file_says_where_to_download() -> None:
    for path in (*ROOT.glob("requirements*"), *ROOT.glob("tests/servers/*requirements*")):
        assert "://" not in path.read_text() and "index-url" not in re.sub(
            "#.*", "", path.read_text()
        )


def test_what_is_marked_as_a_test_is_called_one() -> None:
    """pytest passes over any other name without a word."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            marks = [ast.unparse(mark) for mark in getattr(one, "decorator_list", [])]
            if isinstance(one, ast.FunctionDef) and any("pytest.mark." in mark for mark in marks):
                assert one.name.startswith("test_"), f"{path.name}: {one.name}"
