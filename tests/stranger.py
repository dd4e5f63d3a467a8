"""A SQLMesh project that `mesh` has never seen, and what its people run in it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import processes

PLAN = ("sqlmesh", "plan", "--auto-apply", "--no-prompts", "--skip-tests")
WRITTEN = {
    "TODO the id of the rule that measures it": "row_count",
    "TODO personal if it leads to a person, else public, internal or confidential": "internal",
    "TODO who may read": "analysts",
    "TODO where to ask": "data",
    "TODO": "It is",
    "status: draft": "status: active",
}


class Stranger:
    """The project, and what its people run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("MESH_")
        } | {"COLUMNS": "200", "MAX_FORK_WORKERS": "1"}

    def run(self, *command: str, fails: int = 0) -> str:
        done = processes.run(*command, cwd=self.root, env=self.environment)
        said = done.stdout + done.stderr
        assert done.returncode == fails, f"{' '.join(command)}: {done.returncode}\n{said}"
        return " ".join(said.split())

    def commit(self, subject: str) -> None:
        self.run("git", "add", "-A")
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        self.run("git", *who, "commit", "-qm", subject)

    def edit(self, path: str, pattern: str, text: str) -> None:
        file = self.root / path
        before = file.read_text()
        after = re.sub(pattern, text, before)
        assert after != before, f"{path} has no {pattern}"
        file.write_text(after)

    def write_contracts(self) -> None:
        """What drafts leave to write; then nothing is left out any more."""
        config = self.root / "config.yaml"
        if config.is_file():
            config.write_text(
                re.sub(r"    uncontracted:\n(      - .*\n?)+", "", config.read_text())
            )
        for path in (self.root / "contracts").rglob("*.yaml"):
            text = path.read_text()
            for todo, written in WRITTEN.items():
                text = text.replace(todo, written)
            path.write_text(text)
