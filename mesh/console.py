"""What commands print with: tables and progress for people, plain lines for pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

# Who closed a stream wants to read nothing; a file that is opened later must not take its place.
sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
# A pipe has no width; tables there are as wide as they need to be.
PIPE_WIDTH = 160
out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


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
