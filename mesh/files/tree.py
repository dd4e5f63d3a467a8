"""YAML with the line of everything, read so that no file can hurt the reader.

Built on the events of PyYAML instead of its loader: duplicate keys are found, aliases are counted
while they expand, nesting is bounded before it recurses, and no tag makes an object. Scalars mean
what they mean to PyYAML's safe loader, except that dates stay text, as in the standard.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from mesh.files.problems import FileInvalid, FileKind, Problem, shown

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 24

Steps = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BASIC_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}
_COLLECTION_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


@dataclass(frozen=True)
class Tree:
    """The content of a file: plain dicts, lists and scalars, and the line of each by its steps."""

    path: Path
    kind: FileKind
    data: dict[str, Any]
    lines: Mapping[Steps, int]
    problems: tuple[Problem, ...] = ()

    def line(self, steps: Steps) -> int:
        """The line of the key or item at these steps, or of the nearest thing around it."""
        while steps not in self.lines and steps:
            steps = steps[:-1]
        return self.lines.get(steps, 1)

    def keys_at(self, steps: Steps) -> dict[str, int]:
        """The lines of the keys directly under these steps."""
        depth = len(steps)
        return {
            str(where[depth]): line
            for where, line in self.lines.items()
            if len(where) == depth + 1 and where[:depth] == steps
        }


def read_tree(path: Path, kind: FileKind) -> Tree:
    """Read a YAML file; kind: what it is, for sentences and for the error.

    Raises `kind.invalid` when nothing can be made of it. Duplicate keys, tags and the like are in
    `problems` of the result, so that the rest of the file can still be checked.
    """
    text = _read_text(path, kind)
    reader = _Reader(path, kind, yaml.parse(text, Loader=_LOADER))
    try:
        return reader.tree()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise reader.invalid(
            line, f"is no YAML: {shown(error.problem or 'it ends too early', 120)}."
        ) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        raise reader.invalid(line, "holds a character that YAML does not allow.") from None


def _read_text(path: Path, kind: FileKind) -> str:
    def unreadable(line: int, message: str, fix: str) -> FileInvalid:
        return kind.invalid([Problem(path, line, "FILE_UNREADABLE", message, fix)])

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(
            1, f"The file cannot be read: {error.strerror}.", "Check its name and rights."
        ) from None
    if len(raw) > MAX_BYTES:
        message = f"The file is larger than {MAX_BYTES:,} bytes."
        raise unreadable(1, message, f"A {kind.name} is a short text.")
    if b"\0" in raw and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        fix = f"Write the {kind.name} as YAML text."
        raise unreadable(line, "The file is binary, not text.", fix)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise unreadable(line, "The file is not encoded in UTF-8.", "Save it as UTF-8.") from None


class _Reader:
    def __init__(self, path: Path, kind: FileKind, events: Iterator[yaml.Event]):
        self.path = path
        self.kind = kind
        self.events = events
        self.problems: list[Problem] = []
        self.lines: dict[Steps, int] = {}
        self.anchors: dict[str, Any] = {}
        self.nodes = 0

    def problem(self, line: int, message: str, fix: str, rule: str = "YAML_INVALID") -> None:
        self.problems.append(Problem(self.path, line, rule, message, fix))

    def invalid(self, line: int, what: str, fix: str = "") -> FileInvalid:
        fix = fix or "Check indentation, quotes and brackets around this line."
        return self.kind.invalid(
            [Problem(self.path, line, "YAML_INVALID", f"The file {what}", fix)]
        )

    def too_large(self, line: int) -> FileInvalid:
        message = f"The file holds more than {MAX_NODES:,} values, or more than {MAX_DEPTH} levels."
        fix = "Write values out instead of repeating anchors within anchors, and nest less."
        return self.kind.invalid([Problem(self.path, line, "YAML_TOO_LARGE", message, fix)])

    def tree(self) -> Tree:
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.nodes:
                    fix = f"Write one {self.kind.name} per file."
                    raise self.invalid(_line(event), "holds several documents.", fix)
                root = self._value((), next(self.events), 0)
        if root is None:
            raise self.invalid(1, "is empty.", f"Write a {self.kind.name}, or delete the file.")
        if not isinstance(root, dict):
            raise self.invalid(
                self.lines[()],
                "holds no mapping.",
                f"Begin with {self.kind.begins} and the other keys of a {self.kind.name}.",
            )
        return Tree(self.path, self.kind, root, self.lines, tuple(self.problems))

    def _value(self, steps: Steps, event: yaml.Event, depth: int) -> Any:
        """What begins with an event. steps: where it hangs; depth: in how many collections."""
        line = _line(event)
        self.lines.setdefault(steps, line)
        self._count(line)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                what = f"uses the anchor `{shown(event.anchor)}` before its end."
                raise self.invalid(line, what, "Write the value out.")
            return self._copy(self.anchors[event.anchor], line, depth)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, line)
        else:
            assert isinstance(event, yaml.CollectionStartEvent)
            if event.tag and event.tag not in _COLLECTION_TAGS:
                self._tag(event.tag, line)
            if depth >= MAX_DEPTH:
                raise self.too_large(line)
            is_list = isinstance(event, yaml.SequenceStartEvent)
            value = (self._items if is_list else self._entries)(steps, depth + 1)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def _inside(self) -> Iterator[yaml.Event]:
        """What the items or the keys of the collection begin with that is open now."""
        while not isinstance(event := next(self.events), yaml.CollectionEndEvent):
            yield event

    def _items(self, steps: Steps, depth: int) -> list[Any]:
        items: list[Any] = []
        for event in self._inside():
            items.append(self._value((*steps, len(items)), event, depth))
        return items

    def _entries(self, steps: Steps, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for event in self._inside():
            key = self._key(event, seen)
            self.lines.setdefault((*steps, key), _line(event))
            value = self._value((*steps, key), next(self.events), depth)
            entries.setdefault(key, value)
        return entries

    def _key(self, event: yaml.Event, seen: dict[str, int]) -> str:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise self.invalid(line, "has an alias as a key.", "Write the key out.")
        if not isinstance(event, yaml.ScalarEvent):
            raise self.invalid(line, "has a key that is no text.", "Write keys as plain words.")
        key = event.value
        if key == "<<" and event.implicit[0]:
            self.problem(line, "Merge keys (`<<`) are not read.", "Write the keys out.")
        elif key in seen:
            message = f"The key `{shown(key)}` stands twice: first on line {seen[key]}."
            self.problem(line, message, "Keep one of the two.", "KEY_DUPLICATE")
        seen.setdefault(key, line)
        self._count(line)
        return key or " "

    def _copy(self, value: Any, line: int, depth: int) -> Any:
        self._count(line)
        if depth > MAX_DEPTH:
            raise self.too_large(line)
        if isinstance(value, dict):
            return {key: self._copy(item, line, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, line, depth + 1) for item in value]
        return value

    def _count(self, line: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.too_large(line)

    def _tag(self, tag: str, line: int) -> None:
        self.problem(
            line, f"The YAML tag `{shown(tag)}` is not read.", "Write the value without a tag."
        )

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Any:
        if event.tag and event.tag not in _BASIC_TAGS and event.tag != "!":
            self._tag(event.tag, line)
            return event.value
        if event.tag == "tag:yaml.org,2002:str" or not event.implicit[0]:
            return event.value
        try:
            value = _plain(event.value)
            if isinstance(value, int) and _OTHER_BASE.match(event.value):
                message = f"YAML reads `{shown(event.value)}` as the number {value}."
                self.problem(line, message, "Write it in decimal digits, or put text into quotes.")
            return value
        except (ValueError, OverflowError):
            self.problem(
                line,
                f"`{shown(event.value)}` is no number that can be kept.",
                "Write a finite number of usual size, or put text into quotes.",
            )
            return None


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


# Octal, and minutes by 60: nobody who writes a postcode or an hour means these.
_OTHER_BASE = re.compile(r"[-+]?(0[0-7_]+$|[0-9_]+:)")
_CONSTRUCTOR = yaml.SafeLoader("")
_READ = {
    f"tag:yaml.org,2002:{kind}": getattr(_CONSTRUCTOR, f"construct_yaml_{kind}")
    for kind in ("null", "bool", "int", "float")
}


@lru_cache(maxsize=4096)
def _plain(text: str) -> Any:
    """The value of a plain scalar; numbers that are not finite are refused with ValueError."""
    tag = _CONSTRUCTOR.resolve(yaml.ScalarNode, text, (True, False))
    value = _READ[tag](yaml.ScalarNode(tag, text)) if tag in _READ else text
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(text)
    return value
