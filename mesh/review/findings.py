"""What a review finds: changes as the comparisons see them, findings as people read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from mesh.review.rules import RULES, Bump, Level, Rule


@dataclass(frozen=True)
class Place:
    """A line of a file, by its path from the root of the project, with forward slashes."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Finding:
    """One change under one rule.

    level: the default of the rule, until `Levels.apply` has spoken. where: in the work tree, for a
    thing that is gone the line at which it stood. base: where it was in the base, if it was.
    column: the name that consumers know, which for a rename is the old one.
    bump: what the change asks of the version; none for what no version can mend.
    reason: why the level is not the default one.
    """

    rule: str
    product: str
    message: str
    where: Place
    level: Level
    bump: Bump
    fix: str = ""
    column: str | None = None
    before: str = ""
    after: str = ""
    base: Place | None = None
    reason: str = ""
    because: tuple[str, ...] = field(default=())

    @property
    def definition(self) -> Rule:
        return RULES[self.rule]

    @property
    def breaking(self) -> bool:
        return self.level is Level.BREAKING

    @property
    def key(self) -> tuple:
        """For sorting: the severe first, then by place."""
        order = (Level.BREAKING, Level.WARNING, Level.INFO, Level.OFF)
        return (order.index(self.level), self.product, self.where.path, self.where.line, self.rule)


def finding(rule: str, product: str, message: str, where: Place, **details: object) -> Finding:
    """A finding with the level, the bump and the advice of its rule."""
    stated = RULES[rule]
    return Finding(
        rule,
        product,
        message,
        where,
        details.pop("level", stated.level),  # type: ignore[arg-type]
        details.pop("bump", stated.bump),  # type: ignore[arg-type]
        details.pop("fix", stated.instead),  # type: ignore[arg-type]
        **details,  # type: ignore[arg-type]
    )
