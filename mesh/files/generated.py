"""Files that are drawn from others: brought up to date, or only held against their right text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def update(texts: Mapping[Path, str], *, only_check: bool = False) -> list[Path]:
    """Write the files that have another text; the paths of these. only_check: change nothing."""
    stale = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text
    ]
    for path in () if only_check else stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    return stale
