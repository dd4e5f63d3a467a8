"""`mesh contracts lint`: every problem of every contract in one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mesh.contracts.checks import Around, problems_of
from mesh.contracts.draft import SUFFIX, contract_files, folder_of, product_of, read_drafts
from mesh.contracts.findings import DRAFT_ONE
from mesh.contracts.sound import FILE, Sound
from mesh.errors import Location, WrongUse
from mesh.files.folder import strays
from mesh.files.problems import Problem
from mesh.project import display

# The levels of reviews lie beside the contracts; the command has them checked by their owner.
REVIEW = "review.yaml"


@dataclass(frozen=True)
class LintResult:
    """files: how many were looked at, also in vain; problems: sorted by file and line."""

    files: int
    problems: tuple[Problem, ...]


def lint(paths: list[Path], cache: Path | None = None, *, needed: bool = True) -> LintResult:
    """Look at contracts: files, or folders with <domain>/<product>.odcs.yaml in them.

    Products that a rule refers to are looked for in the same tree, beside the domain's folder.
    cache: a folder in which to note what was found sound, so as not to look at it again.
    Raises WrongUse when a path is not there, is a file of another kind, or, if one is needed, a
    folder without contracts.
    """
    files, unread = _files(paths, needed)
    beside = [path for path in _neighbours(files) if path not in files]
    drafts, problems = read_drafts(files)
    others, _ = read_drafts(beside)
    everything = {draft.product: draft for draft in (*others.values(), *drafts.values())}
    # What cannot be read at all has its own problem; those who refer to it are not blamed.
    lost = {product_of(path) for path in (*files, *beside)} - set(everything)
    around = Around(everything, lost)
    sound = Sound(cache / FILE) if cache else None
    find = sound.problems_of if sound else problems_of
    for draft in drafts.values():
        problems += find(draft, around)
    if sound:
        sound.keep()
    looked_at = {*files, *(problem.path for problem in unread)}
    return LintResult(len(looked_at), tuple(sorted({*problems, *unread})))


def _files(paths: list[Path], needed: bool) -> tuple[list[Path], list[Problem]]:
    files: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            found = contract_files(path)
            unread = list(strays(path, {*found, path / REVIEW}, f"<product>{SUFFIX}"))
            if needed and not (found or unread):
                raise _nothing("There are no contracts in this folder.", path)
            files += found
            problems += unread
        elif path.is_file() and path.name.endswith(SUFFIX):
            files.append(path)
        elif path.is_file():
            raise _nothing("This is no contract.", path)
        else:
            raise _nothing("There is no such file or folder.", path)
    return list(dict.fromkeys(files)), problems


def _nothing(message: str, path: Path) -> WrongUse:
    fix = f"Name files, as contracts/<domain>/<product>{SUFFIX}, or folders of them. "
    fix += DRAFT_ONE if path.name != REVIEW else "Beside these the levels of reviews are checked."
    return WrongUse(message, where=Location(display(path)), fix=fix)


def _neighbours(files: list[Path]) -> list[Path]:
    """The contracts of all domains beside those of these files."""
    roots = dict.fromkeys(folder_of(path).parent for path in files)
    return [found for root in roots for found in contract_files(root)]
