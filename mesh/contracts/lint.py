"""`mesh contracts lint`: every problem of every contract in one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mesh.contracts.checks import Around, problems_of
from mesh.contracts.checks.names import file_name
from mesh.contracts.draft import SUFFIX, product_of, read_drafts
from mesh.errors import Location, WrongUse
from mesh.files.problems import Problem, shown
from mesh.project import display

# The levels of reviews lie beside the contracts; the command has them checked by their owner.
REVIEW = "review.yaml"


@dataclass(frozen=True)
class LintResult:
    """files: how many contracts were looked at; problems: sorted by file and line."""

    files: int
    problems: tuple[Problem, ...]


def lint(paths: list[Path]) -> LintResult:
    """Look at contracts: files, or folders with <domain>/<product>.odcs.yaml in them.

    Products that a rule refers to are looked for in the same tree, beside the domain's folder.
    Raises WrongUse when a path is not there.
    """
    files, problems = _files(paths)
    beside = [path for path in _neighbours(files) if path not in files]
    drafts, unreadable = read_drafts(files)
    problems += unreadable
    others, _ = read_drafts(beside)
    everything = {draft.product: draft for draft in (*others.values(), *drafts.values())}
    # What cannot be read at all has its own problem; those who refer to it are not blamed.
    lost = {product_of(path) for path in (*files, *beside)} - set(everything)
    for draft in drafts.values():
        problems += problems_of(draft, Around(everything, lost))
    return LintResult(len(files), tuple(sorted(set(problems))))


def _files(paths: list[Path]) -> tuple[list[Path], list[Problem]]:
    files: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if not found.is_file() or found.name.startswith("."):
                    continue
                if found.name.endswith(SUFFIX):
                    files.append(found)
                elif found.name == REVIEW and found.parent == path:
                    continue
                elif found.suffix.lower() in (".yaml", ".yml"):
                    problems.append(_stray(found))
        elif path.is_file():
            files.append(path)
        else:
            raise WrongUse(
                "There is no such file or folder.",
                where=Location(display(path)),
                fix="Name contracts, or folders that hold them.",
            )
    return list(dict.fromkeys(files)), problems


def _stray(path: Path) -> Problem:
    message = f"`{shown(path.name)}` is not read by anything here."
    return Problem(path, 1, file_name.id, message, f"Call it <product>{SUFFIX}, or move it away.")


def _neighbours(files: list[Path]) -> list[Path]:
    """The contracts of all domains beside those of these files."""
    roots = dict.fromkeys(path.resolve().parent.parent for path in files)
    return [found for root in roots for found in sorted(root.glob(f"*/*{SUFFIX}"))]
