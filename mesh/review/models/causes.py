"""What made a product another one: models that were changed, and which of their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from mesh.contracts.conditions import plain
from mesh.review.contracts.words import both_shortened
from mesh.review.models.both import Both
from mesh.review.models.meaning import Meanings, expressions, own_meaning, parsed, reads
from mesh.review.models.review_worker.facts import Model
from mesh.review.rules import Place

Part = tuple[str, str | None]
"""A model and one of its columns; under None its rows."""
Nearest = Callable[[Model, str | None], Iterator[Part]]
"""From a column of a model, or its rows, to what it reads for them."""


@dataclass(frozen=True)
class Cause:
    """Why a product, or a column of it, is another. models: those that were changed, nearest first.

    parts: the columns of theirs that it came through; none of a model of which just the rows are
    others.
    """

    product: str
    models: tuple[str, ...]
    parts: tuple[Part, ...] = ()

    @property
    def words(self) -> str:
        """As the end of a sentence; nothing where the product itself is all that was changed."""
        names = []
        for model in self.models:
            columns = [column for name, column in self.parts if name == model]
            if model != self.product:
                names += [f"{model}.{column}" for column in columns] or [model]
        if not names:
            return ""
        own = " and of its own query" if self.product in self.models else ""
        return f", because of {', '.join(names)}{own}"


def changed_models(product: str, sides: tuple[Meanings, Meanings]) -> tuple[str, ...]:
    """The models that were changed themselves: a product, and those without a contract behind it.

    Those that only say the same in other words are none, where others say something else.
    """
    base, head = sides
    pairs = [(base.models.get(model.name), model) for model in head.behind(product)]
    changed = [(was, now) for was, now in pairs if _text(was) != _text(now)]
    meant = [now.name for was, now in changed if not (was and not _changed_parts(was, now, head))]
    return tuple(meant or [now.name for _, now in changed])


def cause(both: Both, product: str, models: tuple[str, ...], column: str | None) -> Cause:
    """Of the models that were changed those that a column of a product is another by, or its rows,
    if that can be told apart."""
    changed: list[Part] = []
    for name in models:
        was, now = both.base.models.get(name), both.head.models[name]
        others = _changed_parts(was, now, both.meanings[1]) if was else {None: None}
        changed += [(name, part) for part in others]
    for nearest in (_nearest, _named):
        read = set[Part]().union(
            *(_behind(side, (product, column), nearest) for side in both.meanings)
        )
        if parts := [part for part in changed if part in read]:
            reached = tuple(name for name in models if any(name == part[0] for part in parts))
            # Of other rows each sum is another one, too.
            of_rows = {name for name, part in parts if part is None}
            told = (
                (name, part)
                for name, part in parts
                if part and (name not in of_rows or _expressions(both, name, part))
            )
            return Cause(product, reached, tuple(told))
    return Cause(product, models)


def _text(model: Model | None) -> tuple[str, str] | None:
    return (model.query or model.version, model.since) if model else None


def _changed_parts(was: Model, now: Model, head: Meanings) -> dict[str | None, None]:
    """The columns that a model's own query computes otherwise, in their order; None for its rows,
    or for all where that is not known."""
    if was.seed and now.seed and was.read_as == now.read_as:
        return dict.fromkeys(sorted(head.retyped(was, now)))
    if not (was.query and now.query):
        return {None: None}
    before, after = own_meaning(was), own_meaning(now)
    other_rows = was.since != now.since or before.rows != after.rows
    if other_rows:
        before, after = (own_meaning(one, by_rows=True) for one in (was, now))
    old, new = (one.blurred if other_rows else one.texts for one in (before, after))
    other_types = head.retyped(was, now)
    found: dict[str | None, None] = {None: None} if other_rows else {}
    return found | {
        name: None
        for name in {**new, **old}
        if old.get(name) != new.get(name) or name in other_types
    }


def _behind(meanings: Meanings, start: Part, nearest: Nearest) -> set[Part]:
    """All that a column of a product is computed from, or that decides about its rows.

    Any value may have been counted or summed up from rows, so the rows of its table are of it.
    """
    models = {model.name: model for model in meanings.behind(start[0])}
    waiting, seen = [start], {start}
    while waiting:
        name, column = waiting.pop()
        model = models.get(name)
        for part in nearest(model, column) if model else ():
            if part not in seen:
                seen.add(part)
                waiting.append(part)
    return seen


def _nearest(model: Model, column: str | None) -> Iterator[Part]:
    read = reads(model)
    if column is None:
        yield from read.filters
        yield from ((parent, None) for parent in model.parents)
    else:
        yield from read.values.get(column, ())
        yield model.name, None


def _named(model: Model, column: str | None) -> Iterator[Part]:
    """All that a query names, where it is not known what becomes of it: behind LIMIT, say."""
    names = {None, column}
    if model.query:
        names |= {one.name for one in parsed(model.query, model.dialect).find_all(exp.Column)}
    yield from ((parent, name) for parent in model.parents for name in names)


def before_and_after(both: Both, why: Cause, column: str | None) -> tuple[str, str, Place]:
    """What was written where the change was made, what is, and where that is."""
    parts = [*why.parts]
    if column and why.product in why.models:
        parts = [(why.product, column), *(part for part in parts if part[0] != why.product)]
    told = []
    for model, part in parts:
        if part and (sides := _expressions(both, model, part)):
            told.append((model, part, sides))
    if not told:
        model = parts[0][0] if parts else why.models[0]
        place = both.files.place(model, None)
        return *both_shortened(*both.files.changed(model, place)), place
    model, part, (before, after) = told[0]
    if len(told) > 1:
        before, after = (
            ", ".join(f"{sides[n]} AS {name}" for _, name, sides in told if sides[n])
            for n in (0, 1)
        )
    return *both_shortened(before, after), both.files.place(model, part)


def _expressions(both: Both, model: str, column: str) -> tuple[str, str] | None:
    """How a model computes a column, before and after; None where that is the same."""
    models = [side.models.get(model) for side in (both.base, both.head)]
    was, now = (expressions(one).get(column) for one in models)
    if (was and plain(was)) == (now and plain(now)):
        return None
    dialect = next(one.dialect for one in models if one)
    return was.sql(dialect) if was else "", now.sql(dialect) if now else ""
