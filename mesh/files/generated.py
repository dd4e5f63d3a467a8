"""Files that are drawn from others: brought up to date, or only held against their right text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mesh.errors import CheckFailed, Location


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


def with_section(path: Path, begin: str, end: str, text: str, heading: str = "") -> str:
    """What a file says, with another text between two marks; what others wrote around them stays.

    Without the marks they come behind all else, below a heading. Raises CheckFailed when one of
    them is gone, or what others wrote cannot be read.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
    except UnicodeDecodeError:
        raise CheckFailed(
            "it is not UTF-8, so what others wrote there could not be kept.",
            where=Location(path),
            fix="Save it as UTF-8.",
        ) from None
    head, begins, rest = before.partition(begin)
    _, ends, tail = rest.partition(end)
    if not bool(begins) == bool(ends) == (end in before):
        raise CheckFailed(
            "of the two marks around what is generated one is gone.",
            where=Location(path),
            fix=f"Put it back: `{begin}` stands before, `{end}` behind.",
        )
    if not begins:
        head, tail = (f"{before.rstrip()}\n\n" if before.strip() else "") + heading, "\n"
    return f"{head}{begin}{text}{end}{tail}"
