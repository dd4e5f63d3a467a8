"""The rules of a contract that are stated as such: gone, looser, tighter, or another rule."""

from __future__ import annotations

from itertools import zip_longest

from mesh.contracts.constraints.base import Effect
from mesh.contracts.findings import same_words
from mesh.review.contracts.pair import Pair, Versions
from mesh.review.contracts.values import of_other_kinds
from mesh.review.contracts.words import both_shortened, shortened
from mesh.review.rules import BREAKS, MAJOR, MINOR, NEXT, PATCH, TELLS, WARNS, Change, Found, Rules

rule: Rules[[Pair]] = Rules("quality")


@rule(BREAKS, MAJOR, NEXT)
def quality_no_delete(pair: Pair) -> Found:
    """What was promised may no longer hold, and nothing would say so."""
    for old in pair.rules_gone:
        if pair.still_said(old):
            continue
        message = f"The rule {old.id} was deleted: {shortened(old.description)}"
        yield pair.gone(message, old.line)


@rule(TELLS, MINOR)
def quality_added(pair: Pair) -> Found:
    """A further promise asks nothing of a consumer."""
    for new in pair.rules_added:
        message = f"The rule {new.id} was added: {shortened(new.description)}"
        yield pair.change(message, new.line)


def _effects(pair: Pair, effect: Effect, word: str) -> Found:
    for one in pair.rules:
        severity = (one.old.severity, one.new.severity)
        why = []
        if severity[0] != severity[1] and (severity[0] == "error") == (effect is Effect.LOOSER):
            why.append(f"{severity[0]} became {severity[1]}")
        if one.effect is effect and not (effect is Effect.LOOSER and pair.still_said(one.old)):
            why.append("its condition changed")
        if why:
            yield _stated(pair, one, f"The rule {one.old.id} is {word}: {' and '.join(why)}.")
    yield from of_other_kinds(pair, effect)


def _stated(pair: Pair, one: Versions, message: str) -> Change:
    before, after = both_shortened(one.old.promise.text(), one.new.promise.text(), 280)
    line = one.new.query_line + _lines_down(one)
    return pair.change(message, line, before=before, after=after)


def _lines_down(one: Versions) -> int:
    """How far below the key of a query its first line stands that is another, if it has several."""
    was, now = (getattr(side.promise, "query", "").splitlines() for side in (one.old, one.new))
    differ = (n for n, both in enumerate(zip_longest(was, now), 1) if both[0] != both[1])
    return min(next(differ, 0), len(now)) if len(now) > 1 else 0


@rule(BREAKS, MAJOR, NEXT)
def quality_no_loosen(pair: Pair) -> Found:
    """Rows or numbers that were refused may now come."""
    return _effects(pair, Effect.LOOSER, "looser")


@rule(TELLS, MINOR)
def quality_tightened(pair: Pair) -> Found:
    """A stricter promise asks nothing of a consumer."""
    return _effects(pair, Effect.TIGHTER, "tighter")


@rule(BREAKS, MAJOR, "Keep the old rule, and add the new one under an id of its own.")
def quality_same_rule(pair: Pair) -> Found:
    """A rule that says another thing no longer says the old one."""
    for one in pair.rules:
        other = one.effect is Effect.OTHER and one.old.id not in pair.rewritten
        if other and not pair.still_said(one.old):
            yield _stated(pair, one, f"The rule {one.old.id} says another thing.")
    yield from of_other_kinds(pair, Effect.OTHER)


@rule(WARNS, PATCH, "See whether it says the same, or keep the old rule beside the new one.")
def quality_same_meaning(pair: Pair) -> Found:
    """A rule that is written otherwise says the same only as far as made-up rows can show."""
    for one in pair.rules:
        if (made := pair.rewritten.get(one.old.id)) and not pair.still_said(one.old):
            yield _stated(
                pair,
                one,
                f"The rule {one.old.id} is written otherwise: of {made.worlds} made-up tables the "
                f"same {made.broken} break it as before, by as many rows.",
            )


@rule(TELLS, PATCH)
def quality_same_id(pair: Pair) -> Found:
    """An id stays, so that reports can follow a rule."""
    for old, new, _ in pair.rules:
        if old.id != new.id:
            yield pair.change(f"The rule {old.id} is now called {new.id}.", new.line)
    effects = {one.old.id: one.effect for one in pair.rules}
    for old in pair.old.rules:
        less = effects.get(old.id, Effect.OTHER) in (Effect.OTHER, Effect.LOOSER)
        if less and (others := pair.still_said(old)):
            message = f"What the rule {old.id} said is now said by {', '.join(others)}."
            yield pair.gone(message, old.line)


@rule(TELLS, PATCH)
def quality_same_words(pair: Pair) -> Found:
    """Name, description and dimension explain a rule; they do not check anything."""
    for old, new, _ in pair.rules:
        same = (old.dimension, old.name) == (new.dimension, new.name)
        if old.id == new.id and not (same and same_words(old.description, new.description)):
            yield pair.change(f"The rule {old.id} is described otherwise.", new.line)
    yield from of_other_kinds(pair, Effect.WORDS)
