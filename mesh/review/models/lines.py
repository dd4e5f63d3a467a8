"""At which line of a model's file a finding is shown: one that was changed, if there is one."""

from __future__ import annotations

import csv
import difflib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from mesh.project import CONFIGS
from mesh.review.models.review_worker.facts import Models
from mesh.review.rules import Place

# Where SQLMesh looks for what a project adds to it.
OURS = ("audits", "hooks", "linter", "macros", "materializations", "models", "signals", "tests")
# Of longer texts what repeats itself is compared last: else one of 5,000 lines takes half a minute.
MANY_LINES = 1_000
_MADE = ("logs", "node_modules", "__pycache__")
# A folder in which databases lie.
_NOT_READ = ("data", *_MADE)
# Of larger files nobody looks for a line: they are data.
LARGEST_TEXT = 20_000_000


@dataclass(frozen=True)
class Files:
    """The files of both revisions. old_root, root: where they lie; base, head: their models."""

    old_root: Path
    root: Path
    base: Models
    head: Models

    def place(self, model: str, column: str | None) -> Place:
        """The line at which a column is selected, unless only others were changed.

        A change that was not made in the model's file stands where it was: in code that the
        model names, or in the settings of the project.
        """
        before, after = self._texts(model)
        named, changed = line_of(after, column), _other_lines(after, before)
        was, now, line = self.base.models.get(model), self.head.models[model], named
        unchanged = not changed and was and was.path == now.path
        if unchanged and (elsewhere := self.made_in(*now.files, *CONFIGS)):
            return elsewhere
        if changed and named not in changed:
            # What a column is computed by stands above its name.
            line = max((n for n in changed if n <= named), default=min(changed))
        return Place(now.path, line)

    def header(self, path: str, *code: str) -> Place:
        """Where a MODEL block is another, the code that it names, or the configuration that says
        the same of all models."""
        return self.made_in(path, *code, *CONFIGS) or Place(path, 1)

    def made_in(self, *paths: str) -> Place | None:
        """The first change in the first of these files, or folders, in which there is one."""
        for path in paths:
            for name, line in sorted(self.edited.items()):
                if lies_in(name, path):
                    return Place(name, line)
        return None

    @cached_property
    def edited(self) -> dict[str, int]:
        """The files that differ, each with its first line that does; 1 for one that is gone."""
        found = {}
        # Of what is new only these are looked at, and what lies at the top: settings of tools.
        new = {*files_of(self.root, OURS), *(f.name for f in self.root.iterdir() if f.is_file())}
        # Of the base all is committed, but for what loading it has left there.
        for name in sorted({*files_of(self.old_root, skipped=_MADE), *new}):
            before, after = self.old_root / name, self.root / name
            if _bytes(before) != _bytes(after):
                was, text = _lines(before), _lines(after)
                changed = _other_lines(text, was)
                # What was taken from the end of a file has no line after it.
                at_end = len(text) if text and text == was[: len(text)] else 1
                found[name] = min(changed, default=at_end)
        return found

    def changed(self, model: str, at: Place) -> tuple[str, str]:
        """The lines that were changed at a place, or else all, before and after, as one text."""
        before, after = self._texts(model)
        if at.path != self.head.models[model].path:
            before, after = (_lines(root / at.path) for root in (self.old_root, self.root))
        every = blocks(tuple(before), tuple(after))
        here = [one for one in every if one[2] < at.line <= max(one[3], one[2] + 1)] or every
        gone = (line for low, high, _, _ in here for line in before[low:high])
        new = (line for _, _, start, end in here for line in after[start:end])
        return _one_line(gone), _one_line(new)

    def rows(self, was: str, now: str) -> tuple[list[str], list[str]]:
        """The rows of a seed that are gone, and those that are new, its head among them; one that
        was edited is both."""
        before, after = (
            Counter(map(tuple, csv.reader(_lines(root / path))))
            for root, path in ((self.old_root, was), (self.root, now))
        )
        gone, new = (before - after).elements(), (after - before).elements()
        return [*map(", ".join, gone)], [*map(", ".join, new)]

    def _texts(self, model: str) -> tuple[list[str], list[str]]:
        now = self.head.models[model]
        was = self.base.models.get(model, now)
        return _lines(self.old_root / was.path), _lines(self.root / now.path)


def edited_at(files: Files, path: str, line: int = 1) -> Place:
    """Where a file is another, or that line where it is not, or not known."""
    return Place(path, files.edited.get(path, line))


def top_of(root: Path) -> Path:
    """The folder of the repository in which a project lies; its own where it lies in none."""
    return next((one for one in (root, *root.parents) if (one / ".git").exists()), root)


def lies_in(name: str, path: str) -> bool:
    """Whether a file is this one, or in this folder, which ends in a slash."""
    return name == path or (path.endswith("/") and name.startswith(path))


def files_of(
    root: Path, within: Iterable[str] = (), skipped: Iterable[str] = _NOT_READ
) -> Iterator[str]:
    """The files of a project by their paths; without those that no change is made in, and without
    what lies in folders of a name that is skipped."""
    for top in [root / name for name in within] or [root]:
        for folder, folders, names in os.walk(top):
            at = Path(folder).relative_to(root)
            hidden = (n for n in folders if n.startswith(".") and n != ".github")
            for name in {*hidden, *skipped} & {*folders}:
                folders.remove(name)
            yield from ((at / name).as_posix() for name in names)


def _bytes(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _lines(file: Path) -> list[str]:
    text = _bytes(file) or b""
    try:
        return text.decode().splitlines() if len(text) <= LARGEST_TEXT else []
    except UnicodeDecodeError:
        return []


def _one_line(lines: Iterable[str]) -> str:
    return " ".join(line.strip() for line in lines)


@lru_cache(maxsize=512)
def blocks(before: tuple[str, ...], after: tuple[str, ...]) -> list[tuple[int, int, int, int]]:
    """Where two texts differ: from and to which line of either, counted from 0."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=len(after) > MANY_LINES)
    return [block[1:] for block in matcher.get_opcodes() if block[0] != "equal"]


def _other_lines(text: list[str], than: list[str]) -> set[int]:
    """Lines that are not in the other text, or follow on one that is; no comments."""
    found: set[int] = set()
    if not than:
        return found
    for _, _, start, end in blocks(tuple(than), tuple(text)):
        found |= set(range(start + 1, max(end, start + 1) + 1))
    return {n for n in found if n <= len(text) and not re.match(r"\s*(/\*|--|$)", text[n - 1])}


def line_of(lines: list[str], column: str | None) -> int:
    """The line of a model's file at which a column is selected; of the query without a column."""
    patterns = [r"(?i)\s*(WITH|SELECT|FROM)\b"]
    if column is not None:
        name = re.escape(column)
        patterns = [rf"(?i).*\bAS\s+`?{name}`?\s*,?\s*$", rf".*\b{name}\b", *patterns]
    for pattern in patterns:
        for number, line in enumerate(lines, 1):
            if re.match(pattern, line):
                return number
    return 1
