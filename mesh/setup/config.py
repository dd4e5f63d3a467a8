"""Lint rules and the variable `mesh` put into a configuration, all else left letter by letter."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import yaml

from mesh.errors import CheckFailed, Location
from mesh.files.dumper import Dumper
from mesh.lint import RULES, WARN_RULES
from mesh.project import SET_UP

LISTS = ("rules", "warn_rules", "ignored_rules")
_JINJA = re.compile(r"\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True)
class _Edit:
    """Text to put in the place of the characters from start to end."""

    start: int
    end: int
    text: str


def with_mesh(text: str, path: Path, settings: dict[str, object]) -> str:
    """A configuration's text with what is missing in it.

    settings: what its variable `mesh` has to say. CheckFailed when the text cannot be read as
    YAML; `path` is named then.
    """
    root = _composed(text, path)
    edits: list[_Edit] = []
    appended: list[str] = []
    linter = _value(root, "linter")
    if linter is None:
        everything = {"enabled": True, "rules": list(RULES), "warn_rules": list(WARN_RULES)}
        appended.append(_block({"linter": everything}))
    else:
        edits += _linter_edits(text, linter)
    variables = _value(root, "variables")
    mesh = _value(variables, "mesh") if variables is not None else None
    stated = _value(mesh, "version") if mesh is not None else None
    if variables is None:
        appended.append(_block({"variables": {"mesh": settings}}))
    elif mesh is None:
        edits.append(_first(variables, {"mesh": settings}))
    elif stated is None:
        edits.append(_first(mesh, settings))
    elif stated.value != str(SET_UP):
        edits.append(_instead(stated, str(SET_UP)))
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
    missing: dict[str, object] = {}
    enabled = _value(linter, "enabled")
    stated = {key: _names(linter, key) for key in LISTS}
    if enabled is None:
        missing["enabled"] = True
    elif enabled.value != "true":
        edits.append(_instead(enabled, "true"))
    is_on = enabled is not None and enabled.value == "true"
    for key, names in completed(stated, is_on=is_on).items():
        there, more = _value(linter, key), [name for name in names if name not in stated[key]]
        if names == stated[key]:
            continue
        if there is None:
            missing[key] = names
        elif _is_block(there) and names == [*stated[key], *more]:
            edits.append(_more_items(text, there, more))
        else:
            edits.append(_whole(there, names))
    return [*edits, _first(linter, missing)] if missing else edits


def lacking(stated: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """The rules that no list of a linter has, by the list in which they belong."""
    known = {name for names in stated.values() for name in names}
    # What SQLMesh is told of all rules in one list it refuses to hear of some in another.
    return {
        key: [] if "all" in known else [name for name in wanted if name not in known]
        for key, wanted in (("rules", RULES), ("warn_rules", WARN_RULES))
    }


def completed(stated: Mapping[str, list[str]], *, is_on: bool) -> dict[str, list[str]]:
    """The lists of a linter with the rules that are lacking in them.

    is_on: if it was not, what it would have stopped plans by warns from now on, for plans have to
    go on as before.
    """
    kept = {key: [*names] for key, names in stated.items()}
    ours = (*RULES, *WARN_RULES, "all")
    others = [] if is_on else [name for name in stated["rules"] if name not in ours]
    if others:
        kept["rules"] = [name for name in stated["rules"] if name in RULES]
        kept["warn_rules"] += others
    more = lacking(kept)
    return {key: [*names, *more.get(key, ())] for key, names in kept.items()}


def _is_block(there: yaml.Node) -> TypeGuard[yaml.SequenceNode]:
    """Whether it is a list of items in lines of their own."""
    return isinstance(there, yaml.SequenceNode) and bool(there.value) and not there.flow_style


def _whole(there: yaml.Node, names: Collection[str]) -> _Edit:
    """A whole list in the place of another."""
    text = f"[{', '.join(names)}]"
    if not _is_block(there):
        return _instead(there, text)
    return _Edit(there.start_mark.index, there.value[-1].end_mark.index, text)


def _names(linter: yaml.Node, key: str) -> list[str]:
    """One name or a list of them, as SQLMesh takes either."""
    there = _value(linter, key)
    items = there.value if isinstance(there, yaml.SequenceNode) else [there] if there else []
    return [item.value.lower() for item in items if item.value]


def _more_items(text: str, items: yaml.SequenceNode, names: list[str]) -> _Edit:
    """More behind the last one, each in a line of its own."""
    indent = " " * items.start_mark.column
    end = text.find("\n", max(items.value[-1].end_mark.index - 1, 0))
    end = len(text) if end < 0 else end
    return _Edit(end, end, "".join(f"\n{indent}- {name}" for name in names))


def _first(mapping: yaml.Node, entries: dict[str, object]) -> _Edit:
    """Entries before all others of a mapping, as deep as its keys, or in its braces."""
    start = mapping.start_mark.index
    if not isinstance(mapping, yaml.MappingNode):
        return _Edit(start, mapping.end_mark.index, "\n" + _block(entries, "  ").rstrip("\n"))
    if mapping.flow_style:
        more = yaml.safe_dump(entries, default_flow_style=True, sort_keys=False, width=10**6)
        comma = ", " if mapping.value else ""
        return _Edit(start + 1, start + 1, more.strip()[1:-1] + comma)
    key = mapping.value[0][0].start_mark
    indent = " " * key.column
    return _Edit(key.index, key.index, _block(entries, indent).lstrip(" ") + indent)


def _instead(node: yaml.Node, text: str) -> _Edit:
    """A text in the place of a value; there is no blank before a value that is not there."""
    blank = "" if node.start_mark.index < node.end_mark.index else " "
    return _Edit(node.start_mark.index, node.end_mark.index, blank + text)


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _block(entries: dict[str, object], indent: str = "") -> str:
    """Entries as YAML in lines of their own."""
    lines = yaml.dump(entries, Dumper=Dumper, sort_keys=False).splitlines(keepends=True)
    return "".join(indent + line for line in lines)
