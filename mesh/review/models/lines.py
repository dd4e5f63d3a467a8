"""At which line of a model's file a finding is shown: one that was changed, if there is one."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from mesh.review.models.review_worker.facts import Models
from mesh.review.rules import Place


@dataclass(frozen=True)
class Files:
    """The files of both revisions. old_root, root: where they lie; base, head: their models."""

    old_root: Path
    root: Path
    base: Models
    head: Models

    def place(self, model: str, column: str | None) -> Place:
        """The line at which a column is selected, unless only others were changed."""
        before, after = self._texts(model)
        named, changed = line_of(after, column), _other_lines(after, before)
        line = named if named in changed or not changed else min(changed)
        return Place(self.head.models[model].path, line)

    def changed(self, model: str) -> tuple[str, str]:
        """The lines that were changed, before and after, each side as one text."""
        before, after = self._texts(model)
        sides = [(a, _other_lines(a, b, gaps=False)) for a, b in ((before, after), (after, before))]
        old, new = (" ".join(text[n - 1].strip() for n in sorted(lines)) for text, lines in sides)
        return old, new

    def _texts(self, model: str) -> tuple[list[str], list[str]]:
        now = self.head.models[model]
        was = self.base.models.get(model, now)
        return _lines(self.old_root / was.path), _lines(self.root / now.path)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _other_lines(text: list[str], than: list[str], *, gaps: bool = True) -> set[int]:
    """Lines that are not in the other text, or with gaps follow on one that is; no comments."""
    found: set[int] = set()
    if not than:
        return found
    matcher = difflib.SequenceMatcher(None, than, text, autojunk=False)
    for kind, _, _, start, end in matcher.get_opcodes():
        if kind != "equal":
            found |= set(range(start + 1, max(end, start + gaps) + 1))
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
