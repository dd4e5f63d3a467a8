"""A kind of change that a review knows: one record of id, purpose and the code that finds it.

Ids are stable: people set levels by them, and machines read them. `NO` says what must not happen,
`SAME` what must stay; a rule named after an event only tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum, StrEnum
from typing import Generic, ParamSpec


class Level(StrEnum):
    """What a finding does: `breaking` fails a review, the others are shown, `off` is not."""

    BREAKING = "breaking"
    WARNING = "warning"
    INFO = "info"
    OFF = "off"

    @property
    def weight(self) -> int:
        """The severe have the least, and stand first."""
        return list(Level).index(self)


class Bump(IntEnum):
    """Which part of a version has to grow."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


CATEGORIES = {
    "product": "the product as a whole",
    "column": "columns: names, types, meaning",
    "values": "which values a consumer may meet",
    "grain": "what one row is",
    "quality": "rules on rows and tables",
    "service": "delivery",
    "access": "who may read, and whom to ask",
    "version": "versions and their end",
    "model": "the models behind the contracts",
    "guard": "what would stop a mistake",
    "dashboard": "charts",
    "review": "the review itself",
}
BREAKS, WARNS, TELLS = Level.BREAKING, Level.WARNING, Level.INFO
MAJOR, MINOR, PATCH = Bump.MAJOR, Bump.MINOR, Bump.PATCH
NEXT = "Leave this version as it was, and promise the new thing in the next major version."
SAY = "Tell the consumers before it is merged."
PROJECT = "project"
P = ParamSpec("P")


@dataclass(frozen=True)
class Place:
    """A line of a file, by its path from the root of the project, with forward slashes."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Change:
    """What the code of a rule found.

    product: PROJECT for what is of none. where: in the work tree, for a thing that is gone the line
    at which it stood. column: the name that consumers know, which for a rename is the old one.
    fix, severity: where they are not those of the rule; reason: why they are not.
    because: the models that were changed themselves; made_in: their files.
    """

    product: str
    message: str
    where: Place
    _: KW_ONLY
    column: str | None = None
    before: str = ""
    after: str = ""
    fix: str = ""
    severity: Level | None = None
    reason: str = ""
    because: tuple[str, ...] = ()
    made_in: tuple[str, ...] = ()


Found = Iterator[Change]


@dataclass(frozen=True, kw_only=True)
class Finding(Change):
    """A change under its rule, at the rule's level until `Levels.apply` has spoken."""

    definition: Rule
    level: Level

    @property
    def rule(self) -> str:
        return self.definition.id

    @property
    def bump(self) -> Bump:
        """What the change asks of the version; none for what no version can mend."""
        return self.definition.bump

    @property
    def breaking(self) -> bool:
        return self.level is Level.BREAKING

    @property
    def key(self) -> tuple[int, str, str, int, str]:
        """For sorting: the severe first, then by place."""
        return self.level.weight, self.product, self.where.path, self.where.line, self.rule


@dataclass(frozen=True)
class Rule:
    """One kind of change.

    guards: what a consumer would lose or meet without the rule.
    instead: how to get there without breaking anyone, in the imperative.
    """

    id: str
    category: str
    level: Level
    bump: Bump
    guards: str
    instead: str
    find: Callable[..., Found] = field(repr=False, compare=False)

    def of(self, change: Change) -> Finding:
        level, fix = change.severity or self.level, change.fix or self.instead
        return Finding(**{**vars(change), "fix": fix}, definition=self, level=level)


RULES: dict[str, Rule] = {}
"""All rules whose code is imported; `mesh.review.known` imports it all."""


class Rules(Generic[P]):
    """Rules that look at the same thing, such as two states of one column.

    `@rules(level, bump, instead)` makes a rule of the function that finds it: the function's name
    is its id, the docstring is what it guards. bump: none for what no version mends.
    """

    def __init__(self, category: str) -> None:
        self._category = category
        self._rules: list[Rule] = []

    def __call__(
        self, level: Level, bump: Bump = Bump.NONE, instead: str = ""
    ) -> Callable[[Callable[P, Found]], Rule]:
        def bound(find: Callable[P, Found]) -> Rule:
            return self.add(find.__name__.upper(), level, bump, find.__doc__ or "", instead, find)

        return bound

    def add(
        self,
        name: str,
        level: Level,
        bump: Bump,
        guards: str,
        instead: str,
        find: Callable[P, Found],
    ) -> Rule:
        """Bind a rule to code that has other names."""
        if name in RULES or not guards:
            raise ValueError(f"There are two rules {name}, or it does not say what it guards.")
        guards = " ".join(guards.split())
        made = RULES[name] = Rule(name, self._category, level, bump, guards, instead, find)
        self._rules.append(made)
        return made

    def findings(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[Finding]:
        """What all of them find."""
        for rule in self._rules:
            for change in rule.find(*args, **kwargs):
                yield rule.of(change)
