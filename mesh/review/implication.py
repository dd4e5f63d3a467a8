"""Whether one condition implies another, as far as that can be seen from their text.

Used to tell a rule that got tighter from one that got looser. Whatever is not understood counts as
not implied, so that a doubt ends in a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.simplify import simplify

from mesh.contracts.sql import DIALECT

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MIRRORED = {exp.GT: exp.LT, exp.GTE: exp.LTE}


def plain(node: exp.Expression) -> exp.Expression:
    """The condition without comments, spare parentheses, table names and spellings of one thing."""
    node = node.copy()
    for inner in node.walk():
        inner.comments = None
    node = simplify(normalize_identifiers(node, dialect=DIALECT), dialect=DIALECT)
    for column in node.find_all(exp.Column):
        column.set("table", None)
    for name in node.find_all(exp.Identifier):
        name.set("quoted", False)

    # From the leaves up, so that the order of two operands is the same however they were written.
    for inner in reversed(list(node.walk())):
        spelled = _spelled(inner)
        if inner is node:
            return spelled
        if spelled is not inner:
            inner.replace(spelled)
    return node


def _spelled(node: exp.Expression) -> exp.Expression:
    """One spelling for an expression whose parts have theirs."""
    if isinstance(node, exp.Paren):
        return node.this if not isinstance(node.parent, exp.Binary) else node
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        return exp.and_(
            exp.LTE(this=low, expression=node.this.copy()),
            exp.LTE(this=node.this, expression=high),
        )
    for kind, mirrored in _MIRRORED.items():
        if type(node) is kind:
            return mirrored(this=node.expression, expression=node.this)
    turnable = isinstance(node, exp.EQ | exp.NEQ | exp.Add | exp.Mul)
    if turnable and node.left.sql() > node.right.sql():
        return type(node)(this=node.right, expression=node.left)
    return node


def same(left: exp.Expression, right: exp.Expression) -> bool:
    return implies(left, right) and implies(right, left)


def implies(strict: exp.Expression, loose: exp.Expression) -> bool:
    """Whether every row that keeps `strict` keeps `loose`; both are conditions as written."""
    try:
        return _implies(plain(strict), plain(loose))
    except (SqlglotError, RecursionError):
        return False


def _implies(strict: exp.Expression, loose: exp.Expression) -> bool:
    strict, loose = strict.unnest(), loose.unnest()
    if strict == loose or strict.sql(DIALECT) == loose.sql(DIALECT):
        return True
    if isinstance(loose, exp.And):
        return all(_implies(strict, part) for part in loose.flatten())
    if isinstance(strict, exp.Or):
        return all(_implies(part, loose) for part in strict.flatten())
    if isinstance(strict, exp.And) and any(_implies(part, loose) for part in strict.flatten()):
        return True
    if isinstance(strict, exp.In) and strict.expressions and isinstance(loose, exp.Or):
        values = (exp.EQ(this=strict.this, expression=value) for value in strict.expressions)
        return all(_implies(value, loose) for value in values)
    if isinstance(loose, exp.Or):
        return any(_implies(strict, part) for part in loose.flatten())
    if isinstance(strict, exp.Not) and isinstance(loose, exp.Not):
        return _implies(loose.this, strict.this)
    return (
        _comparison_implies(strict, loose)
        or _bound_implies(strict, loose)
        or _list_implies(strict, loose)
    )


def _comparison_implies(strict: exp.Expression, loose: exp.Expression) -> bool:
    """`a < b` and `a = b` each imply `a <= b`."""
    if not isinstance(strict, exp.LT | exp.EQ) or not isinstance(loose, exp.LTE):
        return False
    ways = [(strict.left, strict.right)]
    if isinstance(strict, exp.EQ):
        ways.append((strict.right, strict.left))
    return (loose.left, loose.right) in ways


def _bound_implies(strict: exp.Expression, loose: exp.Expression) -> bool:
    """`x <= 4` implies `x <= 5`, and so on, for numbers and texts of dates."""
    for left in _bounds(strict):
        for right in _bounds(loose):
            what, is_low, value, is_open = left
            other, other_low, limit, limit_open = right
            if what != other or is_low != other_low or type(value) is not type(limit):
                continue
            if value == limit:
                return is_open or not limit_open
            return (value > limit) == is_low
    return False


def _bounds(node: exp.Expression) -> Iterator[tuple[str, bool, Fraction | str, bool]]:
    """Term, whether it is bounded from below, the limit, and whether that is left out."""
    if not isinstance(node, exp.LT | exp.LTE | exp.EQ):
        return
    is_open = isinstance(node, exp.LT)
    left, right = node.left.unnest(), node.right.unnest()
    for term, limit, low in ((left, right, False), (right, left, True)):
        value = _number(limit)
        if value is None or _number(term) is not None:
            continue
        yield term.sql(DIALECT), low, value, is_open
        if isinstance(node, exp.EQ):
            yield term.sql(DIALECT), not low, value, False


def _number(node: exp.Expression) -> Fraction | str | None:
    sign = 1
    while isinstance(node, exp.Neg | exp.Paren):
        sign *= -1 if isinstance(node, exp.Neg) else 1
        node = node.this
    if isinstance(node, exp.Cast) and node.is_type("date"):
        node = node.this
        if not (isinstance(node, exp.Literal) and _DAY.fullmatch(node.name)):
            return None
    if isinstance(node, exp.Literal):
        if node.is_string:
            return node.name
        try:
            return sign * Fraction(node.name)
        except ValueError:
            return None
    return None


def _list_implies(strict: exp.Expression, loose: exp.Expression) -> bool:
    """`x IN (1)` implies `x IN (1, 2)`; `x = 1` too."""
    few, many = _listed(strict), _listed(loose)
    return bool(few and many and few[0] == many[0] and few[1] <= many[1])


def _listed(node: exp.Expression) -> tuple[str, frozenset[str]] | None:
    if isinstance(node, exp.In) and node.expressions:
        return node.this.sql(DIALECT), frozenset(e.sql(DIALECT) for e in node.expressions)
    if isinstance(node, exp.EQ):
        for term, value in ((node.left, node.right), (node.right, node.left)):
            if isinstance(value, exp.Literal) and not isinstance(term, exp.Literal):
                return term.sql(DIALECT), frozenset({value.sql(DIALECT)})
    return None
