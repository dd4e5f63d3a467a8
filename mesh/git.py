"""Revisions of a git checkout, read without touching its work tree, its index or its config.

Files of a revision are written to a folder of their own from git's objects. No hook and no filter
of the repository runs.
"""

from __future__ import annotations

import difflib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh.errors import WrongUse
from mesh.files.problems import shown
from mesh.project import Project

# What the project does not need to load; everything else is there, in case a macro reads it.
SKIPPED = ("docs/", ".github/", "data/")
MAX_BLOB = 5_000_000
DEFAULT_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class Checkout:
    """A git work tree and the project in it.

    root: the project, which may be a folder below the top. prefix: that folder, with a slash.
    """

    root: Path
    prefix: str

    def git(self, *words: str, text: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run git here; the caller looks at the return code."""
        return run_git(self.root, *words, text=text)

    def commit(self, revision: str) -> str:
        """The full name of the commit that a revision means. Raises WrongUse."""
        done = self.git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        if done.returncode == 0:
            return done.stdout.decode().strip()
        names = self.git("for-each-ref", "--format=%(refname:short)").stdout.decode().split()
        near = difflib.get_close_matches(revision, names, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else "Name a branch, a tag or a commit."
        if self.shallow:
            fix = "This clone is shallow: run `git fetch --unshallow`, or check out with depth 0."
        raise WrongUse(f"There is no revision `{shown(revision)}` here.", fix=fix)

    @property
    def shallow(self) -> bool:
        return self.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def base(self, revision: str | None) -> str:
        """The commit to compare with: where the work tree's branch left the given revision.

        Without a revision, the first of the usual main branches that is there. Raises WrongUse.
        """
        if self.git("rev-parse", "--verify", "--quiet", "HEAD").returncode:
            raise WrongUse("Nothing is committed here yet.", fix="Commit the base first.")
        if revision is None:
            revision = self._main()
        commit = self.commit(revision)
        done = self.git("merge-base", commit, "HEAD")
        if done.returncode == 0:
            return done.stdout.decode().strip()
        if self.shallow:
            raise WrongUse(
                f"This clone is shallow and does not reach back to `{shown(revision)}`.",
                fix="Run `git fetch --unshallow`, or check out with `fetch-depth: 0`.",
            )
        raise WrongUse(
            f"`{shown(revision)}` and the work tree have no history in common.",
            fix="Name a revision from which this branch was made.",
        )

    def _main(self) -> str:
        for name in DEFAULT_BASES:
            if self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
                return name
        if self.shallow:
            raise WrongUse(
                "This clone is shallow and has no main branch to compare with.",
                fix="Run `git fetch --unshallow origin main`, or name one with `--base`.",
            )
        raise WrongUse("There is no main branch to compare with.", fix="Name one with `--base`.")

    def extract(self, commit: str, folder: Path, only: tuple[str, ...] = ()) -> None:
        """Write the project's files of a commit into a folder.

        only: folders to limit it to. Links and submodules are left out.
        """
        listed = self.git(
            "ls-tree",
            "-r",
            "-z",
            "--long",
            "--full-tree",
            commit,
            *([self.prefix] if self.prefix else []),
        )
        wanted: list[tuple[str, str]] = []
        for entry in filter(None, listed.stdout.split(b"\0")):
            about, _, raw = entry.partition(b"\t")
            mode, kind, sha, length = about.split()
            path = os.fsdecode(raw).removeprefix(self.prefix)
            if kind != b"blob" or mode == b"120000" or int(length) > MAX_BLOB:
                continue
            if path.startswith(SKIPPED) or (only and not path.startswith(only)):
                continue
            if ".." in PurePosixPath(path).parts or path.startswith("/"):
                continue
            wanted.append((sha.decode(), path))
        asked = "".join(f"{name}\n" for name, _ in wanted).encode()
        answer = self.git("cat-file", "--batch", text=asked).stdout
        at = 0
        for name, path in wanted:
            end = answer.index(b"\n", at)
            header = answer[at:end].split()
            if len(header) != 3:
                raise WrongUse(
                    f"git does not have the content of {shown(path)} at {name[:10]}.",
                    fix="Run `git fetch --refetch`, or clone again without a filter.",
                )
            size = int(header[2])
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(answer[end + 1 : end + 1 + size])
            at = end + 1 + size + 1


def run_git(
    folder: Path, *words: str, text: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, without prompts, optional locks, pager or hooks."""
    settings = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    try:
        return subprocess.run(
            ["git", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false", *words],
            cwd=folder,
            env=settings,
            input=text,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise WrongUse(
            "git is not installed.", fix="Install git: a review reads revisions."
        ) from None


def find_checkout(project: Project) -> Checkout:
    """The checkout that a project lies in. Raises WrongUse."""
    done = run_git(project.root, "rev-parse", "--show-toplevel")
    if done.returncode:
        if b"dubious ownership" in done.stderr:
            raise WrongUse(
                f"git does not trust the owner of {project.root}.",
                fix="Add the folder to git's `safe.directory`.",
            )
        raise WrongUse(
            f"{project.root} is no git checkout, so there is nothing to compare with.",
            fix="Run it in a clone of the project.",
        )
    top = Path(os.fsdecode(done.stdout.rstrip(b"\n"))).resolve()
    prefix = project.root.resolve().relative_to(top).as_posix()
    return Checkout(project.root, "" if prefix == "." else f"{prefix}/")
