"""Lint rules and the variable `mesh` put into a configuration, all else left letter by letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from mesh.errors import CheckFailed, Location
from mesh.lint import RULES, WARN_RULES
from mesh.project import SET_UP

_JINJA = re.compile(r"\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True)
class _Edit:
    """Text to put in the place of the characters from start to end."""

    start: int
    end: int
    text: str


def with_mesh(text: str, path: Path) -> str:
    """A configuration's text with what is missing in it.

    CheckFailed when it cannot be read as YAML; `path` is named then.
    """
    root = _composed(text, path)
    edits: list[_Edit] = []
    appended: list[str] = []
    linter = _value(root, "linter")
    if linter is None:
        appended.append(_block("linter:", "  enabled: true", *_lists("  ", RULES, WARN_RULES)))
    else:
        edits += _linter_edits(text, linter)
    variables = _value(root, "variables")
    mesh = _value(variables, "mesh") if variables is not None else None
    version = f"version: {SET_UP}"
    if mesh is not None:
        stated = _value(mesh, "version")
        if stated is None:
            edits.append(_first(mesh, [version]))
        elif stated.value != str(SET_UP):
            edits.append(_Edit(stated.start_mark.index, stated.end_mark.index, str(SET_UP)))
    elif isinstance(variables, yaml.MappingNode) and variables.value:
        edits.append(_first(variables, ["mesh:", f"  {version}"]))
    else:
        appended.append(_block("variables:", "  mesh:", f"    {version}"))
    # From the end, so that places before stay; of two at one place the later first.
    for edit in sorted(edits, key=lambda one: one.start)[::-1]:
        text = text[: edit.start] + edit.text + text[edit.end :]
    return "\n".join([text.rstrip("\n") + "\n" if appended else text, *appended])


def _composed(text: str, path: Path) -> yaml.Node | None:
    """The nodes of the YAML, templates blanked out so that places stay."""

    def blank(found: re.Match[str]) -> str:
        filler = "x" if found.group().startswith("{{") else " "
        return re.sub(r"[^\n]", filler, found.group())

    try:
        return yaml.compose(_JINJA.sub(blank, text), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CheckFailed(
            "the configuration is no YAML that can be added to.",
            where=Location(path, mark.line + 1 if mark else None),
            fix="Mend it, and run `mesh init` again.",
        ) from error


def _linter_edits(text: str, linter: yaml.Node) -> list[_Edit]:
    edits = []
    enabled = _value(linter, "enabled")
    if enabled is None:
        edits.append(_first(linter, ["enabled: true"]))
    elif enabled.value != "true":
        edits.append(_Edit(enabled.start_mark.index, enabled.end_mark.index, "true"))
    known = {
        name for key in ("rules", "warn_rules", "ignored_rules") for name in _names(linter, key)
    }
    for key, wanted in (("rules", RULES), ("warn_rules", WARN_RULES)):
        missing = [name for name in wanted if name not in known]
        there = _value(linter, key)
        if not missing or (there is not None and there.value == "ALL"):
            continue
        if isinstance(there, yaml.SequenceNode) and there.value:
            edits.append(_more_items(text, there, missing))
        else:
            edits.append(_first(linter, [f"{key}:", *(f"  - {name}" for name in missing)]))
    return edits


def _names(linter: yaml.Node, key: str) -> list[str]:
    there = _value(linter, key)
    items = there.value if isinstance(there, yaml.SequenceNode) else []
    return [item.value.lower() for item in items]


def _more_items(text: str, items: yaml.SequenceNode, names: list[str]) -> _Edit:
    last = items.value[-1]
    if items.flow_style:
        return _Edit(last.end_mark.index, last.end_mark.index, "".join(f", {n}" for n in names))
    indent = " " * items.start_mark.column
    return _after_line(text, last, [f"{indent}- {name}" for name in names])


def _first(mapping: yaml.Node, lines: list[str]) -> _Edit:
    """Lines before all others of a mapping, as deep as its keys."""
    key = mapping.value[0][0].start_mark
    indent = " " * key.column
    return _Edit(key.index, key.index, "".join(f"{line}\n{indent}" for line in lines))


def _after_line(text: str, node: yaml.Node, lines: list[str]) -> _Edit:
    end = text.find("\n", max(node.end_mark.index - 1, 0))
    end = len(text) if end < 0 else end
    return _Edit(end, end, "\n" + "\n".join(lines))


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _lists(indent: str, rules: tuple[str, ...], warn_rules: tuple[str, ...]) -> list[str]:
    return [
        f"{indent}rules:",
        *(f"{indent}  - {name}" for name in rules),
        f"{indent}warn_rules:",
        *(f"{indent}  - {name}" for name in warn_rules),
    ]


def _block(*lines: str) -> str:
    return "\n".join(lines) + "\n"
