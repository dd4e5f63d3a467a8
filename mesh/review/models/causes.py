"""What made a product another one: models that were changed, and which of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from mesh.contracts.conditions import plain
from mesh.contracts.queries import Relation
from mesh.review.contracts.words import both_shortened
from mesh.review.models.both import Both
from mesh.review.models.meaning import Meanings, expressions, own_meaning, reads
from mesh.review.models.review_worker.facts import Model
from mesh.review.rules import Place

Part = tuple[str, str | None]
"""A model and one of its columns; under None its rows."""


@dataclass(frozen=True)
class Cause:
    """Why a product, or a column of it, is another. models: those that were changed, nearest first.

    parts: the columns of theirs that it came through; none of a model whose rows are others.
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
        return f", because of {', '.join(names)}" if names else ""


def changed_models(product: str, sides: tuple[Meanings, Meanings]) -> tuple[str, ...]:
    """The models that were changed themselves: a product, and internal ones behind it.

    Those that only say the same in other words are none, where others say something else.
    """
    base, head = sides
    pairs = [(base.models.get(model.name), model) for model in head.behind(product)]
    changed = [(was, now) for was, now in pairs if _text(was) != _text(now)]
    meant = [now.name for was, now in changed if not (was and not _changed_parts(was, now))]
    return tuple(meant or [now.name for _, now in changed])


def cause(both: Both, product: str, models: tuple[str, ...], column: str | None) -> Cause:
    """Of the models that were changed those that a column of a product is another by, or its rows,
    if that can be told apart."""
    read = _behind(both.meanings[1], (product, column))
    parts: list[Part] = []
    for name in models:
        was, now = both.base.models.get(name), both.head.models[name]
        known = was is not None and bool(was.query and now.query)
        changed = _changed_parts(was, now) if was and known else {None}
        parts += [(name, part) for part in changed if (name, part) in read]
    if not parts:
        return Cause(product, models)
    reached = tuple(name for name in models if any(name == part[0] for part in parts))
    of_rows = {name for name, part in parts if part is None}
    return Cause(product, reached, tuple(part for part in parts if part[0] not in of_rows))


def _text(model: Model | None) -> tuple[str, str] | None:
    return (model.query or model.version, model.since) if model else None


def _changed_parts(was: Model, now: Model) -> dict[str | None, None]:
    """The columns that a model's own query computes otherwise, in their order; None for its rows,
    or for all where that is not known."""
    if not (was.query and now.query):
        return {None: None}
    before, after = own_meaning(was), own_meaning(now)
    found: dict[str | None, None] = {}
    if was.since != now.since or before.rows != after.rows:
        found[None] = None
    old, new = (_values(one, blurred=None in found) for one in (before, after))
    names = dict.fromkeys([*new, *old])
    return found | {name: None for name in names if old.get(name) != new.get(name)}


def _values(meaning: Relation, *, blurred: bool) -> dict[str, str]:
    return meaning.blurred if blurred else meaning.texts


def _behind(meanings: Meanings, start: Part) -> set[Part]:
    """All that a column of a product is computed from, or that decides about its rows.

    Any value may have been counted or summed up from rows, so the rows of its table are of it.
    """
    models = {model.name: model for model in meanings.behind(start[0])}
    waiting, seen = [start], {start}
    while waiting:
        name, column = waiting.pop()
        model = models.get(name)
        for part in _nearest(model, column) if model else ():
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


def before_and_after(both: Both, why: Cause, column: str | None) -> tuple[str, str, Place]:
    """What was written where the change was made, what is, and where that is."""
    own = [(why.product, column)] if column else []
    told = []
    for model, part in [*own, *why.parts] if why.product in why.models else [*why.parts, *own]:
        if part and (both_said := _expressions(both, model, part)):
            told.append((model, part, *both_said))
            if (model, part) in own:
                break
    if not told:
        before, after = both_shortened(*both.files.changed(why.models[0]))
        return before, after, both.files.place(why.models[0], None)
    model, part, before, after = told[0]
    if len(told) > 1:
        before, after = (_together((t[1], t[side]) for t in told) for side in (2, 3))
    return *both_shortened(before, after), both.files.place(model, part)


def _together(expressions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{text} AS {name}" for name, text in expressions)


def _expressions(both: Both, model: str, column: str) -> tuple[str, str] | None:
    """How a model computes a column, before and after; None where that is the same."""
    models = [side.models.get(model) for side in (both.base, both.head)]
    was, now = (expressions(one).get(column) for one in models)
    if (was and plain(was)) == (now and plain(now)):
        return None
    dialect = next(one.dialect for one in models if one)

    def text(node: exp.Expr | None) -> str:
        return node.sql(dialect) if node else ""

    return text(was), text(now)
