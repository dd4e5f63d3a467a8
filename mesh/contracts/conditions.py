"""Conditions in one spelling, and whether one implies another: SQLGlot's simplifier says it.

Used to tell a rule that got tighter from one that got looser. Whatever is not understood counts as
not implied, so that a doubt ends in a finding.
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.normalize import normalize
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.simplify import simplify

from mesh.contracts.sql import DIALECT

# How a SELECT's aggregates are told, with what it groups by.
GROUPED = "grouped"
# What hands a STRUCT on as it is: of several rows one, and the same for each field.
_AROUND = (exp.Paren, exp.Bracket, exp.ArrayAgg, exp.AnyValue, exp.Order, exp.Limit)
_BINDING = (exp.Binary, exp.Unary, exp.Predicate, exp.Bracket)
_WEAKER = ((exp.GT, exp.GTE), (exp.LT, exp.LTE), (exp.EQ, exp.GTE), (exp.EQ, exp.LTE))


def plain(node: exp.Expr) -> exp.Expr:
    """An expression in one spelling: of lists, IF, products, and all that SQLGlot simplifies."""
    node = exp.paren(node.copy(), copy=False)
    for inner in node.walk():
        inner.comments = None
    # From within, since each stands for itself in what is around it.
    for inner in reversed(
        list(
            node.find_all(
                *(exp.Case, exp.Count, exp.Dot, exp.Greatest, exp.If, exp.In, exp.Least, exp.Not),
                *(exp.SafeDivide, exp.Window),
            )
        )
    ):
        inner.replace(_spelled(inner))
    node = exp.paren(simplify(node, dialect=DIALECT), copy=False)
    for inner in reversed(list(node.find_all(exp.Add, exp.Mul))):
        inner.replace(_ordered(inner))
    node = exp.paren(simplify(node, dialect=DIALECT), copy=False)
    for inner in list(node.find_all(exp.Paren)):
        if inner.parent and not isinstance(inner.parent, _BINDING):
            inner.replace(inner.this)
    return node.unnest()


def _spelled(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Not) and isinstance(twice := node.this.unnest(), exp.Not):
        return exp.paren(twice.this)
    if isinstance(node, exp.In) and node.expressions:
        ways = [exp.EQ(this=node.this.copy(), expression=one) for one in node.expressions]
        return exp.paren(exp.or_(*ways, copy=False))
    if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        branch = exp.If(this=node.this, true=node.args.get("true"))
        return _spelled(exp.Case(ifs=[branch], default=node.args.get("false")))
    if isinstance(node, exp.Case) and not node.this:
        last = node.args.get("default")
        rest = last.unnest() if last else None
        if isinstance(rest, exp.Case) and not rest.this:
            return exp.Case(
                ifs=[*node.args["ifs"], *rest.args["ifs"]], default=rest.args.get("default")
            )
        if isinstance(rest, exp.Null):
            node.set("default", None)
        if either := _coalesced(node):
            return either
    if isinstance(node, exp.Dot) and (made := struct_of(node.this)):
        return _field(node, made)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Literal):
        return exp.Count(this=exp.Star(), big_int=True)
    if isinstance(node, exp.Count) and isinstance(case := node.this.unnest(), exp.Case):
        # What is counted where something holds; it was a `CASE` or an `IF` before.
        first, *others = case.args["ifs"]
        one = isinstance(first.args["true"].unnest(), exp.Boolean | exp.Literal)
        if one and not (others or case.this or case.args.get("default")):
            return exp.CountIf(this=first.this)
    if isinstance(node, exp.SafeDivide):
        divisor = exp.Nullif(this=node.expression, expression=exp.Literal.number(0))
        return exp.paren(exp.Div(this=node.this, expression=divisor, typed=False, safe=False))
    if isinstance(node, exp.Window) and (keys := node.args.get("partition_by")):
        node = node.copy()
        node.set("partition_by", sorted({key.sql(): key for key in keys}.values(), key=str))
    if isinstance(node, exp.Greatest | exp.Least):
        node = node.copy()
        first, *more = sorted([node.this, *node.expressions], key=str)
        node.set("this", first)
        node.set("expressions", more)
    return node


def _coalesced(case: exp.Case) -> exp.Coalesce | None:
    """A value, or another where that is NULL, as COALESCE says it."""
    first, *more = case.args["ifs"]
    test, missing, there = first.this.unnest(), first.args["true"], case.args.get("default")
    if isinstance(test, exp.Not):
        test, missing, there = test.this.unnest(), there, missing
    is_null = isinstance(test, exp.Is) and isinstance(test.expression, exp.Null)
    if (
        more
        or not is_null
        or missing is None
        or there is None
        or there.unnest() != test.this.unnest()
    ):
        return None
    return exp.Coalesce(this=there, expressions=[missing])


def struct_of(node: exp.Expr | None) -> exp.Struct | None:
    """The STRUCT that a value is one of, or is taken from, field by field."""
    while isinstance(node, (*_AROUND, exp.Anonymous)):
        if isinstance(node, exp.Anonymous):
            node = node.expressions[0] if node.name == GROUPED else None
        else:
            node = node.this
    return node if isinstance(node, exp.Struct) else None


def _field(node: exp.Dot, made: exp.Struct) -> exp.Expr:
    """A field of a STRUCT, whatever stands beside it there."""
    own = [one for one in made.expressions if one.name.lower() == node.name.lower()]
    if len(own) != 1 or not isinstance(own[0], exp.PropertyEQ):
        return node
    if node.this.unnest() is made:
        return exp.paren(own[0].expression.copy())
    made.set("expressions", own)
    return node


def _ordered(node: exp.Binary) -> exp.Expr:
    """A sum or a product in the order of its operands' texts, without what changes nothing."""
    nothing = exp.Literal.number(0 if isinstance(node, exp.Add) else 1)
    every = [exp.paren(p) if isinstance(p, exp.Binary) else p.copy() for p in node.flatten()]
    made, *more = sorted([one for one in every if one != nothing] or every[:1], key=str)
    for operand in more:
        made = type(node)(this=made, expression=operand)
    return exp.paren(made, copy=False)


def conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    """The conditions that must all hold, each in one spelling; a TRUE says nothing."""
    if node is None:
        return []
    whole = plain(node)
    parts = list(whole.flatten()) if isinstance(whole, exp.And) else [whole]
    return [part for part in parts if part != exp.true()]


def implies(strict: exp.Expr, loose: exp.Expr) -> bool:
    """Whether every row that keeps `strict` keeps `loose`; both are conditions as written."""
    try:
        few, many = (_clauses(node) for node in (strict, loose))
    except (SqlglotError, RecursionError):
        return False
    return all(any(_clause_implies(one, other) for one in few) for other in many)


# One condition is held against many.
@lru_cache(maxsize=512)
def _clauses(node: exp.Expr) -> list[list[exp.Expr]]:
    """The conjunctive normal form. Names of tables and quotes do not count."""
    node = plain(normalize_identifiers(node.copy(), dialect=DIALECT))
    for column in node.find_all(exp.Column):
        column.set("table", None)
        column.this.set("quoted", False)
    node = normalize(plain(node))
    whole = [part.unnest() for part in (node.flatten() if isinstance(node, exp.And) else [node])]
    return [list(one.flatten()) if isinstance(one, exp.Or) else [one] for one in whole]


def _clause_implies(strict: list[exp.Expr], loose: list[exp.Expr]) -> bool:
    return all(any(_literal_implies(one, other) for other in loose) for one in strict)


def _literal_implies(strict: exp.Expr, loose: exp.Expr) -> bool:
    """`x > 2` implies `x > 1`, since both together are simplified to the former."""
    if strict == loose:
        return True
    if isinstance(strict, exp.Binary) and isinstance(loose, exp.Binary):
        same = (strict.left, strict.right) == (loose.left, loose.right)
        if same and (type(strict), type(loose)) in _WEAKER:
            return True
    together = simplify(exp.and_(strict, loose), dialect=DIALECT)
    return together == strict
