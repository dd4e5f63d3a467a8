"""Revisions of a git checkout, read without touching its work tree, its index or its config.

Files of a revision are written to a folder of their own from git's objects. No hook and no filter
of the repository runs. A revision is read whole or refused: what is left out of a base would be
called new by whoever compares with it.
"""

from __future__ import annotations

import difflib
import os
import posixpath
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh.errors import MeshError, WrongUse
from mesh.files.problems import shown
from mesh.project import CONFIGS, EXTERNAL_MODELS, Project

# What the project does not need to load; everything else is there, in case a macro reads it.
SKIPPED = ("docs/", "data/")
# What it is made of: none of this may be missing.
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
WORKFLOWS = ".github/workflows/"
MAX_BLOB = 5_000_000
DEFAULT_BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
LINK = "120000"
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
        near = difflib.get_close_matches(revision, names, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else "Name a branch, a tag or a commit."
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
            raise self._unreadable(f"the history of `{shown(revision)}`")
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

    def left_out(self) -> list[str]:
        """What a sparse checkout does not have of the project's files."""
        listed = self._read("the index", "ls-files", "-t", "-z")
        return [os.fsdecode(line[2:]) for line in listed.split(b"\0") if line.startswith(b"S ")]

    def knows(self, folder: Path) -> bool:
        """Whether files of a folder belong to this repository, committed or not.

        They do not when git ignores them, or when the folder is a repository of its own.
        """
        words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(folder))
        names = self._read("the index", *words).split(b"\0")
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
            and not any((self._top / top / name).is_file() for name in CONFIGS)
        ]
        if len(projects) > 1:
            raise WrongUse(
                f"The project was not in `{self.prefix}` at {commit[:10]}, and several others are "
                f"gone: {', '.join(projects)}. Which one it was cannot be told.",
                fix="Name a later revision with `--base`.",
            )
        return f"{projects[0]}/".removeprefix("./") if projects else self.prefix

    @property
    def _top(self) -> Path:
        return self.root.parents[self.prefix.count("/") - 1] if self.prefix else self.root

    def _names(self, commit: str, under: str = "") -> list[str]:
        return [path for _, _, path in self._entries(commit, under)]

    def _entries(self, tree: str, under: str = "") -> list[tuple[str, str, str]]:
        """Mode, object and path, from there, of all files in a folder of a commit."""
        words = ("ls-tree", "-r", "-z", "--full-tree", tree, *([under] if under else []))
        found = []
        for entry in filter(None, self._read(tree[:10], *words).split(b"\0")):
            about, _, path = entry.partition(b"\t")
            mode, _, sha = about.decode().split()
            found.append((mode, sha, os.fsdecode(path).removeprefix(under)))
        return found

    def extract(self, commit: str, folder: Path, only: tuple[str, ...] = ()) -> None:
        """Write the project's files of a commit into a folder.

        only: folders to limit it to. Links are followed as far as they lead within the commit, and
        submodules where they are checked out. Raises WrongUse when something cannot be read.
        """
        self._write(commit, self.lay_at(commit), folder, "", only)
        if self.prefix and not only:
            # They stand at the top, whatever lies below.
            self._write(commit, WORKFLOWS, folder, WORKFLOWS)

    def _write(
        self, commit: str, prefix: str, folder: Path, at: str, only: tuple[str, ...] = ()
    ) -> None:
        """Write what lies under a prefix; at: where that is in the project, with a slash."""
        wanted: list[tuple[str, str]] = []
        waiting = [(self._entries(commit, prefix), prefix, at, frozenset({prefix}))]
        while waiting:
            entries, real, to, around = waiting.pop()
            for mode, sha, name in entries:
                path = to + name
                if f"{path}/".startswith(SKIPPED) or (only and not f"{path}/".startswith(only)):
                    continue
                if ".." in PurePosixPath(path).parts or path.startswith("/"):
                    continue
                if mode == "160000":
                    self._write_submodule(sha, folder, path)
                    continue
                if mode == LINK:
                    kind, sha, there = self._followed(commit, real + name, sha, path)
                    round_about = there in around or (real + name).startswith(there)
                    if kind == "tree" and not round_about:
                        more = self._entries(sha)
                        waiting.append((more, there, f"{path}/", around | {there}))
                    if kind != "blob":
                        continue
                wanted.append((sha, path))
        for path, content in self._contents(wanted):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _followed(self, commit: str, link: str, sha: str, path: str) -> tuple[str, str, str]:
        """What a link leads to in a commit: kind, object and name, a folder's with a slash.

        All are empty if it does not matter. git follows links within a commit, but does not
        understand a dot in them.
        """
        target = os.fsdecode(self._read(path, "cat-file", "blob", sha))
        name = posixpath.normpath(posixpath.join(posixpath.dirname(link), target))
        name = "" if name == "." else name
        asked = os.fsencode(f"{commit}:{name}\n")
        words = ("cat-file", "--batch-check=%(objecttype) %(objectname)", "--follow-symlinks")
        kind, _, found = (
            self._read(path, *words, text=asked).decode(errors="replace").partition(" ")
        )
        if kind in ("blob", "tree"):
            return kind, found.strip(), f"{name}/" if name else ""
        if path.split("/")[0] in LOADED:
            raise WrongUse(
                f"`{shown(path)}` is a link, and {commit[:10]} does not hold what it leads to.",
                fix="Keep the files in this repository, or name a later revision with `--base`.",
            )
        return "", "", ""

    def _write_submodule(self, commit: str, folder: Path, path: str) -> None:
        inner = Checkout(self.root / path, "")
        if inner.root.is_dir() and inner._commit(commit) == commit:
            inner._write(commit, "", folder, f"{path}/")
        elif path.split("/")[0] in LOADED:
            raise WrongUse(
                f"`{shown(path)}` is a submodule, and its commit {commit[:10]} is not here.",
                fix=f"Run `git submodule update --init {path}`, and there `git fetch --all`.",
            )

    def _contents(self, wanted: Sequence[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        """The paths and contents of objects, without those that are too large to matter."""
        sizes = self._batch("--batch-check", wanted).splitlines()
        small = []
        for line, (sha, path) in zip(sizes, wanted, strict=True):
            length = line.split()[-1]
            if not length.isdigit():
                raise self._unreadable(f"`{shown(path)}` of the base")
            if int(length) <= MAX_BLOB:
                small.append((sha, path, int(length)))
        answer = self._batch("--batch", [(sha, path) for sha, path, _ in small])
        at = 0
        for _, path, size in small:
            at = answer.index(b"\n", at) + 1
            yield path, answer[at : at + size]
            at += size + 1

    def _batch(self, what: str, wanted: Sequence[tuple[str, str]]) -> bytes:
        asked = "".join(f"{sha}\n" for sha, _ in wanted).encode()
        return self._read("files of the base", "cat-file", what, text=asked)

    def _read(self, what: str, *words: str, text: bytes | None = None) -> bytes:
        """What git prints; WrongUse when it fails. what: is read."""
        done = self.git(*words, text=text)
        if done.returncode:
            raise self._unreadable(what)
        return done.stdout

    def _unreadable(self, what: str) -> MeshError:
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
