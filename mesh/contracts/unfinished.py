"""What a drafted contract leaves to its author must not be published as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.contracts.draft import Draft
from mesh.files.problems import Problem, shown
from mesh.files.tree import Steps

TODO = "TODO"


def check_unfinished(draft: Draft) -> Iterator[Problem]:
    """Every text that still begins with TODO."""
    for steps, text in _texts((), draft.tree.data):
        if text.lstrip().startswith(TODO):
            key = next((step for step in reversed(steps) if isinstance(step, str)), "text")
            task = text.strip().removeprefix(TODO).lstrip(" :")
            yield draft.problem(
                steps,
                "VALUE_MISSING",
                f"The `{shown(key)}` is still to be written.",
                f"Write here: {shown(task, 200)}" if task else "Write it, or take it out.",
            )


def _texts(steps: Steps, node: Any) -> Iterator[tuple[Steps, str]]:
    if isinstance(node, str):
        yield steps, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts((*steps, str(key)), value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts((*steps, index), value)
