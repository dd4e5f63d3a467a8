"""At which line of a model's file a finding is shown: one that was changed, if there is one."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from mesh.review.findings import Place
from mesh.review.load import Models


@dataclass(frozen=True)
class Files:
    """The files of both revisions. old_root, root: where they lie; base, head: their models."""

    old_root: Path
    root: Path
    base: Models
    head: Models

    def place(self, model: str, column: str | None) -> Place:
        """The line at which a column is selected, unless only others were changed."""
        path = self.head.models[model]["path"]
        before = self.base.models.get(model, {}).get("path", path)
        after = _lines(self.root / path)
        named = line_of(after, column)
        changed = _changed(_lines(self.old_root / before), after)
        return Place(path, named if named in changed or not changed else min(changed))


def _lines(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return ()


def _changed(before: tuple[str, ...], after: tuple[str, ...]) -> set[int]:
    """Lines of the later text that are new or other, or follow on one that went; no comments."""
    found: set[int] = set()
    if not before:
        return found
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, _, _, start, end in matcher.get_opcodes():
        if kind != "equal":
            found |= set(range(start + 1, max(end, start + 1) + 1))
    return {n for n in found if n <= len(after) and not re.match(r"\s*(/\*|--|$)", after[n - 1])}


def line_of(lines: tuple[str, ...], column: str | None) -> int:
    """The line of a model's file at which a column is selected; of the query without a column."""
    if column is not None:
        named = re.compile(rf"\bAS\s+`?{re.escape(column)}`?\s*,?\s*$", re.IGNORECASE)
        plain = re.compile(rf"\b{re.escape(column)}\b")
        for pattern in (named, plain):
            for number, line in enumerate(lines, 1):
                if pattern.search(line):
                    return number
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*(WITH|SELECT|FROM)\b", line, re.IGNORECASE):
            return number
    return 1
