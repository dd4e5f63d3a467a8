"""Revisions of a git checkout, read without touching its work tree, its index or its config.

Only git's objects are read: no hook and no filter of the repository runs. What cannot be read is
refused.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh.errors import MeshError, WrongUse
from mesh.files.problems import nearest, shown
from mesh.project import CONFIGS, EXTERNAL_MODELS, Project

# What a project is made of: none of this may be missing.
LOADED = {
    "audits",
    "contracts",
    "external_models",
    "linter",
    "looker",
    "macros",
    "materializations",
}
LOADED |= {"models", "seeds", "signals", *CONFIGS, *EXTERNAL_MODELS}
DEFAULT_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
# Where git tells its hooks to look: they name the top of the repository by where git was called.
TOLD_TO_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX")


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
        """The full name of the commit that a revision means. Raises WrongUse.

        What is no branch here may be one of a remote, as in the checkouts of CI.
        """
        remotes = self._remotes()
        for name in (revision, *(f"{remote}/{revision}" for remote in remotes if revision)):
            if found := self._commit(name):
                return found
        names = self.git("for-each-ref", "--format=%(refname:short)").stdout.decode().split()
        near = nearest(revision, names)
        fix = f"Did you mean `{near}`?" if near else "Name a branch, a tag or a commit."
        if self.shallow:
            fix = f"This clone is shallow: {self._whole_history()}"
        elif remotes and not near:
            fix += f" All of them are here after `{self._fetch()}`."
        raise WrongUse(f"There is no revision `{shown(revision)}` here.", fix=fix)

    def _commit(self, name: str) -> str:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self.git(*words).stdout.decode().strip()

    @property
    def shallow(self) -> bool:
        return self.git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def _remotes(self) -> list[str]:
        return sorted(self.git("remote").stdout.decode().split(), key=lambda name: name != "origin")

    def _fetch(self, *options: str) -> str:
        """The command that brings all branches and tags, also into a clone of one branch."""
        remote = next(iter(self._remotes()), "origin")
        words = ("git fetch", *options, "--tags", remote)
        return " ".join((*words, f'"+refs/heads/*:refs/remotes/{remote}/*"'))

    def _whole_history(self) -> str:
        return f"run `{self._fetch('--unshallow')}`, or check out with `fetch-depth: 0`."

    def base(self, revision: str | None) -> str:
        """The commit to compare with: where the work tree's branch left the given revision.

        Without a revision, the first of the usual main branches that is there. Raises WrongUse.
        """
        if not self._commit("HEAD"):
            raise WrongUse("Nothing is committed here yet.", fix="Commit the base first.")
        if revision is None:
            revision = self._main()
        commit = self.commit(revision)
        done = self.git("merge-base", commit, "HEAD")
        if done.returncode == 0:
            return done.stdout.decode().strip()
        if done.returncode > 1:
            raise self.unreadable(f"the history of `{shown(revision)}`")
        if self.shallow:
            raise WrongUse(
                f"This clone is shallow and does not reach back to `{shown(revision)}`.",
                fix=f"To have all of it, {self._whole_history()}",
            )
        raise WrongUse(
            f"`{shown(revision)}` and the work tree have no history in common.",
            fix="Name a revision from which this branch was made.",
        )

    def _main(self) -> str:
        for name in DEFAULT_BASES:
            if self._commit(name):
                return name
        if self.shallow:
            raise WrongUse(
                "This clone is shallow and has no main branch to compare with.",
                fix=f"To have it, {self._whole_history()}",
            )
        fix = "Name one with `--base`."
        if self._remotes():
            fix += f" All branches are here after `{self._fetch()}`."
        raise WrongUse("There is no main branch to compare with.", fix=fix)

    def left_out(self, *, everywhere: bool = False) -> list[str]:
        """What a sparse checkout does not have of the project's files; everywhere: of all files,
        by their paths from the top."""
        where = ("--full-name", ":/") if everywhere else ()
        listed = self.read("the index", "ls-files", "-t", "-z", *where)
        return [os.fsdecode(line[2:]) for line in listed.split(b"\0") if line.startswith(b"S ")]

    def knows(self, folder: Path) -> bool:
        """Whether files of a folder belong to this repository, committed or not.

        They do not when git ignores them, or when the folder is a repository of its own.
        """
        words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(folder))
        names = self.read("the index", *words).split(b"\0")
        return any(name and not name.endswith(b"/") for name in names)

    def lay_at(self, commit: str) -> str:
        """The folder of the project in a commit, with a slash; another one if it was moved since.

        Raises WrongUse when it could be one of several.
        """
        here = {name.split("/")[0] for name in self._names(commit, self.prefix)}
        if here & LOADED:
            return self.prefix
        names = self._names(commit)
        paths = [PurePosixPath(name) for name in names]
        tops = {str(path.parent) for path in paths if path.name in CONFIGS}
        projects = [
            top
            for top in sorted(tops)
            if any(name.startswith(f"{top}/models/".removeprefix("./")) for name in names)
            and not any((self.top / top / name).is_file() for name in CONFIGS)
        ]
        if len(projects) > 1:
            raise WrongUse(
                f"The project was not in `{self.prefix}` at {commit[:10]}, and several others are "
                f"gone: {', '.join(projects)}. Which one it was cannot be told.",
                fix="Name a later revision with `--base`.",
            )
        return f"{projects[0]}/".removeprefix("./") if projects else self.prefix

    @property
    def top(self) -> Path:
        """Of the repository."""
        return self.root.parents[self.prefix.count("/") - 1] if self.prefix else self.root

    def holds(self, commit: str) -> bool:
        """Whether a commit is here, by its full name."""
        return self._commit(commit) == commit

    def _names(self, commit: str, under: str = "") -> list[str]:
        return [path for _, _, path in self.entries(commit, under)]

    def entries(self, tree: str, under: str = "") -> list[tuple[str, str, str]]:
        """Mode, object and path, from there, of all files in a folder of a commit."""
        words = ("ls-tree", "-r", "-z", "--full-tree", tree, *([under] if under else []))
        found = []
        for entry in filter(None, self.read(tree[:10], *words).split(b"\0")):
            about, _, path = entry.partition(b"\t")
            mode, _, sha = about.decode().split()
            found.append((mode, sha, os.fsdecode(path).removeprefix(under)))
        return found

    def read(self, what: str, *words: str, text: bytes | None = None) -> bytes:
        """What git prints; WrongUse when it fails. what: is read."""
        done = self.git(*words, text=text)
        if done.returncode:
            raise self.unreadable(what)
        return done.stdout

    def unreadable(self, what: str) -> MeshError:
        partial = self.git("config", "--get-regexp", r"^remote\..*\.promisor$").returncode == 0
        fix = (
            "This clone holds a part of its repository and asks its remote for the rest: make that "
            "reachable, or clone again without `--filter`."
            if partial
            else "Some of its objects are lost (see `git fsck`): clone it again."
        )
        return WrongUse(f"git cannot read {what}, so there is nothing to compare with.", fix=fix)


def run_git(
    folder: Path, *words: str, text: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, without prompts, optional locks, pager or hooks."""
    settings = {
        **{name: value for name, value in os.environ.items() if name not in TOLD_TO_HOOKS},
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
    """The checkout that a project lies in. Raises WrongUse, also when it is sparse."""
    done = run_git(project.root, "rev-parse", "--show-prefix")
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
    found = Checkout(project.root, os.fsdecode(done.stdout.removesuffix(b"\n")))
    left_out = [
        path
        for path in found.left_out()
        if path.split("/")[0] in LOADED and not (project.root / path).exists()
    ]
    if left_out:
        raise WrongUse(
            f"This checkout is sparse: it leaves out {shown(left_out[0])}"
            + (f" and {len(left_out) - 1} more files" if left_out[1:] else "")
            + " of the project.",
            fix="Run `git sparse-checkout disable`, or add the project's folders to it.",
        )
    return found
