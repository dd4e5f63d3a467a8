"""The files of a revision, laid out in a folder of their own from git's objects.

A revision is laid out whole or refused: what is left out of a base would be called new by whoever
compares with it. Any file that is committed may be read by a model, also beside the project.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh.errors import WrongUse
from mesh.files.problems import shown
from mesh.git import LOADED, Checkout
from mesh.large_files import content_of
from mesh.words import many

WORKFLOWS = ".github/workflows/"
LINK, SUBMODULE = "120000", "160000"
# GitHub takes no larger file.
LARGEST = 100_000_000
# Of what no project is made of, but a model may read all the same, the small files come first.
MOST_FILES, MOST_BYTES = 20_000, 300_000_000
# How much is held in memory at once.
AT_ONCE = 50_000_000

Wanted = list[tuple[str, str]]
"""Objects, each with the path at which it is laid out."""


@dataclass(frozen=True)
class Laid:
    """A commit in a folder. root: the project in it; left_out: what was too much, in words."""

    root: Path
    left_out: str = ""


def lay_out(checkout: Checkout, commit: str, folder: Path, only: tuple[str, ...] = ()) -> Laid:
    """Write the files of a commit into a folder, as they lie in the repository.

    only: folders of the project to limit it to. Links to files are followed as far as they lead
    within the commit, and submodules where they are checked out. Links to folders are links, as
    in a work tree: SQLMesh's look for files passes over them. Raises WrongUse when something
    cannot be read.
    """
    at = checkout.lay_at(commit)
    root = folder / at
    root.mkdir(parents=True, exist_ok=True)
    needed: Wanted = []
    others: Wanted = []
    linked: list[str] = []
    laid = _project(checkout, commit, at, root, "", only, linked=None if only else linked)
    found = [(sha, at + path) for sha, path in laid]
    if at and not only:
        found += _beside(checkout, commit, at, folder)
    for sha, path in found:
        inside = path.removeprefix(at) if path.startswith(at) else ""
        needs = only or inside.split("/")[0] in LOADED or path.startswith(tuple(linked))
        (needed if needs else others).append((sha, path))
    if at and not only:
        # They stand at the top, whatever lies below.
        there = _project(checkout, commit, WORKFLOWS, root, WORKFLOWS)
        needed += [(sha, at + path) for sha, path in there]
    return Laid(root, _write(checkout, needed, others, folder))


def _write(checkout: Checkout, needed: Wanted, others: Wanted, folder: Path) -> str:
    """Write files into a folder, all that are needed and of others as many as there is room for;
    what was left out, in words."""
    sizes = _sizes(checkout, [*needed, *others])
    kept: Wanted = []
    left: list[str] = []
    number = total = 0
    for needs, (sha, path) in [
        *((True, one) for one in needed),
        *((False, one) for one in sorted(others, key=lambda one: sizes[one[0]])),
    ]:
        if not needs:
            number, total = number + 1, total + sizes[sha]
        if sizes[sha] <= LARGEST and number <= MOST_FILES and total <= MOST_BYTES:
            kept.append((sha, path))
        else:
            left.append(path)
    must = {path for _, path in needed}
    lost: list[str] = []
    for path, content in _contents(checkout, kept, sizes):
        found = content_of(checkout, path, content)
        if found is None:
            lost.append(path)
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(found, Path):
            shutil.copyfile(found, target)
        else:
            target.write_bytes(found)
    return " ".join((*_told(left), *_not_here(lost, must)))


def _told(left: list[str]) -> Iterator[str]:
    if left:
        more = f" and {many(len(left) - 1, 'smaller one')}" if left[1:] else ""
        out = f"`{shown(left[-1])}`{more} of the base are left out"
        yield f"{out}, as too large or too many to read."


def _not_here(lost: list[str], needed: Set[str]) -> Iterator[str]:
    """What is said of files of Git LFS that are not here. WrongUse if one of them is needed."""
    for path in lost:
        if path in needed:
            raise WrongUse(
                f"Git LFS keeps `{shown(path)}`, and what it holds in the base is not here.",
                fix="Run `git lfs fetch --all`.",
            )
    if lost:
        more = f" and {many(len(lost) - 1, 'other')}" if lost[1:] else ""
        yield f"`{shown(lost[0])}`{more} of the base are left out: Git LFS keeps them elsewhere."


def _project(
    checkout: Checkout,
    commit: str,
    prefix: str,
    folder: Path,
    at: str,
    only: tuple[str, ...] = (),
    linked: list[str] | None = None,
) -> Wanted:
    """What lies under a prefix; at: where that is in the project, with a slash.

    linked: takes the folders that links of what SQLMesh loads lead to, where all of the commit is
    laid out and links to folders are made at once. None: what lies behind these is laid out there.
    """
    wanted: Wanted = []
    waiting = [(checkout.entries(commit, prefix), prefix, at, frozenset({prefix}))]
    while waiting:
        entries, real, to, around = waiting.pop()
        for mode, sha, name in entries:
            path = to + name
            if only and not f"{path}/".startswith(only):
                continue
            if ".." in PurePosixPath(path).parts or path.startswith("/"):
                continue
            if mode == SUBMODULE:
                _lay_out_submodule(checkout, sha, folder, path)
                continue
            if mode == LINK:
                target = os.fsdecode(checkout.read(path, "cat-file", "blob", sha))
                kind, sha, there = _followed(checkout, commit, real + name, target, path)
                round_about = there in around or (real + name).startswith(there)
                if kind == "tree" and not round_about and linked is not None:
                    _link(folder / path, target)
                    linked += [there] if path.split("/")[0] in LOADED else []
                elif kind == "tree" and not round_about:
                    more = checkout.entries(sha)
                    waiting.append((more, there, f"{path}/", around | {there}))
                if kind != "blob":
                    continue
            wanted.append((sha, path))
    return wanted


def _followed(
    checkout: Checkout, commit: str, link: str, target: str, path: str
) -> tuple[str, str, str]:
    """What a link leads to in a commit: kind, object and name, a folder's with a slash.

    All are empty if it does not matter. git follows links within a commit, but does not
    understand a dot in them.
    """
    name = posixpath.normpath(posixpath.join(posixpath.dirname(link), target))
    name = "" if name == "." else name
    asked = os.fsencode(f"{commit}:{name}\n")
    words = ("cat-file", "--batch-check=%(objecttype) %(objectname)", "--follow-symlinks")
    kind, _, found = checkout.read(path, *words, text=asked).decode(errors="replace").partition(" ")
    if kind in ("blob", "tree"):
        return kind, found.strip(), f"{name}/" if name else ""
    if path.split("/")[0] in LOADED:
        raise WrongUse(
            f"`{shown(path)}` is a link, and {commit[:10]} does not hold what it leads to.",
            fix="Keep the files in this repository, or name a later revision with `--base`.",
        )
    return "", "", ""


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _lay_out_submodule(checkout: Checkout, commit: str, folder: Path, path: str) -> None:
    inner = Checkout(checkout.root / path, "")
    if inner.root.is_dir() and inner.holds(commit):
        laid = _project(inner, commit, "", folder, f"{path}/", linked=[])
        _write(inner, laid, [], folder)
    elif path.split("/")[0] in LOADED:
        raise WrongUse(
            f"`{shown(path)}` is a submodule, and its commit {commit[:10]} is not here.",
            fix=f"Run `git submodule update --init {path}`, and there `git fetch --all`.",
        )


def _beside(checkout: Checkout, commit: str, at: str, folder: Path) -> Wanted:
    """What lies beside the project, but for what the work tree does not have either.

    Links are made at once, as they are, as far as they lead within the repository.
    """
    absent = {*checkout.left_out(everywhere=True)}
    entries = [
        (mode, sha, path)
        for mode, sha, path in checkout.entries(commit)
        if mode != SUBMODULE and path not in absent and not path.startswith(at)
    ]
    links = [(sha, path) for mode, sha, path in entries if mode == LINK][:MOST_FILES]
    for path, content in _contents(checkout, links, _sizes(checkout, links)):
        target = os.fsdecode(content)
        leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if not leads_to.startswith(("/", "..")):
            _link(folder / path, target)
    return [(sha, path) for mode, sha, path in entries if mode != LINK]


def _sizes(checkout: Checkout, wanted: Wanted) -> dict[str, int]:
    """How many bytes each object has. Raises WrongUse for one that cannot be read."""
    found = {}
    for line, (sha, path) in zip(
        _batch(checkout, "--batch-check", wanted).splitlines(), wanted, strict=True
    ):
        length = line.split()[-1]
        if not length.isdigit():
            raise checkout.unreadable(f"`{shown(path)}` of the base")
        found[sha] = int(length)
    return found


def _contents(
    checkout: Checkout, wanted: Wanted, sizes: dict[str, int]
) -> Iterator[tuple[str, bytes]]:
    """The paths and contents of objects, some at a time."""
    some: Wanted = []
    size = 0
    for one in wanted:
        some.append(one)
        size += sizes[one[0]]
        if size > AT_ONCE:
            yield from _read(checkout, some, sizes)
            some, size = [], 0
    yield from _read(checkout, some, sizes)


def _read(checkout: Checkout, wanted: Wanted, sizes: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    answer = _batch(checkout, "--batch", wanted)
    at = 0
    for sha, path in wanted:
        at = answer.index(b"\n", at) + 1
        yield path, answer[at : at + sizes[sha]]
        at += sizes[sha] + 1


def _batch(checkout: Checkout, what: str, wanted: Sequence[tuple[str, str]]) -> bytes:
    asked = "".join(f"{sha}\n" for sha, _ in wanted).encode()
    return checkout.read("files of the base", "cat-file", what, text=asked)
