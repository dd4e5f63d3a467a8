"""What commands print with: tables and progress for people, plain lines for pipes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from mesh.plain import harmless

# Who closed a stream wants to read nothing; a file that is opened later must not take its place.
sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
# A pipe has no width; tables there are as wide as they need to be.
PIPE_WIDTH = 160
# Commands that go to the default gateway when none is named.
_OF_A_GATEWAY = re.compile(
    r"`(?:sqlmesh (?:plan|run)|mesh (?:ingest|refresh|promote|rollback|status"
    r"|contracts (?:verify|bite)))\b(?![^`]*--gateway)"
)


class PlainConsole(Console):
    """What texts of others cannot steer, whatever they are printed in: all that is drawn passes
    here, and only what rich itself says to the terminal goes on as it is.

    advised: whether it has named a command to be run on the gateway that is worked on.
    """

    advised = False

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        begins = True
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
                continue
            text = harmless(segment.text, begins=begins)
            yield segment if text == segment.text else Segment(text, segment.style)
            _, ends, last = text.rpartition("\n")
            begins = (begins or bool(ends)) and not last.strip()

    def render_str(self, text: str, **how: Any) -> Text:
        """Before its width is measured, as that of a cell."""
        self.advised = self.advised or bool(_OF_A_GATEWAY.search(text))
        return super().render_str(harmless(text), **how)


out = PlainConsole(highlight=False, emoji=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = PlainConsole(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def in_line(text: object) -> str:
    """A text of others, which may have lines, as part of a line with markup."""
    return escape(" ".join(str(text).split()))


def say(text: object) -> None:
    """A line as it is, without markup and however long."""
    out.print(str(text), markup=False, soft_wrap=True)


def note(text: str) -> None:
    """A line beside what was asked for, on standard error."""
    err.print(f"[yellow]note:[/] {escape(text)}")


def say_json(data: object) -> None:
    """What a machine asked for: sets as lists in order, moments as ISO 8601 has them."""
    sys.stdout.write(json.dumps(data, indent=2, default=_plain) + "\n")


def _plain(value: Any) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on standard error; draws nothing when that is not a terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        yield bar


def table(
    *columns: str,
    title: str | None = None,
    whole: Collection[str] = (),
    right: Collection[str] = (),
) -> Table:
    """A table without rows yet. whole: columns that stay on one line; right: those of numbers."""
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in columns:
        side: Literal["left", "right"] = "right" if name in right else "left"
        made.add_column(name, no_wrap=name in whole, justify=side)
    return made
