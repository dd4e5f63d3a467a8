"""The rules of a contract that are stated as such: gone, looser, tighter, or another rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlglot import exp

from mesh.contracts.constraints.base import Effect
from mesh.contracts.constraints.sql import Sql
from mesh.contracts.model import StatedRule
from mesh.contracts.sql import TABLE, RuleSqlError, parse_rule
from mesh.review.findings import Finding
from mesh.review.implication import implies
from mesh.review.pair import Pair
from mesh.review.review_worker.meaning import meaning_of
from mesh.review.words import same_words, shortened

Verdict = Literal["same", "tighter", "looser", "other"]
COVERED = frozenset(
    {
        *("id", "name", "description", "dimension", "severity", "promise"),
        *("line", "query_line"),
    }
)
_VERDICTS: dict[Effect | None, Verdict] = {
    None: "same",
    Effect.TIGHTER: "tighter",
    Effect.LOOSER: "looser",
    Effect.OTHER: "other",
}
_OPPOSITE: dict[Verdict, Verdict] = {"tighter": "looser", "looser": "tighter"}


def compare_quality(pair: Pair) -> Iterator[Finding]:
    old, new = ({rule.id: rule for rule in c.rules} for c in (pair.old, pair.new))
    lost = [rule for key, rule in old.items() if key not in new]
    added = [rule for key, rule in new.items() if key not in old]
    for rule in list(lost):
        again = next((r for r in added if compare_rules(rule, r, pair.names) == "same"), None)
        if again:
            lost.remove(rule)
            added.remove(again)
            message = f"The rule {rule.id} is now called {again.id}."
            yield pair.report("QUALITY_SAME_ID", message, again.line, rule.line)
    for rule in lost:
        message = f"The rule {rule.id} was deleted: {shortened(rule.description)}"
        yield pair.gone("QUALITY_NO_DELETE", message, rule.line)
    for rule in added:
        message = f"The rule {rule.id} was added: {shortened(rule.description)}"
        yield pair.report("QUALITY_ADDED", message, rule.line)
    for key in (key for key in old if key in new):
        yield from _rule(pair, old[key], new[key])


def _rule(pair: Pair, old: StatedRule, new: StatedRule) -> Iterator[Finding]:
    verdict = compare_rules(old, new, pair.names)
    if verdict != "same" and compare_rules(old, new, {}) == "same":
        verdict = "same"
    severity = _severity(old.severity, new.severity)
    line, was = new.query_line, old.query_line
    details = {
        "before": shortened(old.promise.text(), 600),
        "after": shortened(new.promise.text(), 600),
    }
    found: dict[Verdict, list[str]] = {"looser": [], "tighter": []}
    if severity != "same":
        found[severity].append(f"{old.severity} became {new.severity}")
    if verdict == "other":
        message = f"The rule {old.id} says another thing."
        yield pair.report("QUALITY_SAME_RULE", message, line, was, **details)
    elif verdict != "same":
        found[verdict].append("its condition changed")
    if found["looser"]:
        message = f"The rule {old.id} is looser: {' and '.join(found['looser'])}."
        yield pair.report("QUALITY_NO_LOOSEN", message, line, was, **details)
    if found["tighter"]:
        message = f"The rule {old.id} is tighter: {' and '.join(found['tighter'])}."
        yield pair.report("QUALITY_TIGHTENED", message, line, was, **details)
    if (old.dimension, old.name) != (new.dimension, new.name) or not same_words(
        old.description, new.description
    ):
        message = f"The rule {old.id} is described otherwise."
        yield pair.report("QUALITY_SAME_WORDS", message, new.line, old.line)


def _severity(old: str, new: str) -> Verdict:
    if old == new:
        return "same"
    return "looser" if old == "error" else "tighter"


def compare_rules(old: StatedRule, new: StatedRule, renamed: dict[str, str]) -> Verdict:
    """What became of a rule. renamed: from old column names to the new ones."""
    was, now = old.promise, new.promise
    if type(was) is not type(now):
        return "other"
    if isinstance(was, Sql) and isinstance(now, Sql):
        return _queries(was.query, now.query, renamed)
    return _VERDICTS[was.compare(now, renamed)]


def _queries(old: str, new: str, renamed: dict[str, str]) -> Verdict:
    try:
        was, now = parse_rule(old), parse_rule(new)
    except RuleSqlError:
        return "same" if old.split() == new.split() else "other"
    if was.condition is not None and now.condition is not None:
        return _conditions(_with_names(was.condition, renamed), now.condition)
    left, right = _with_names(was.offending, renamed), now.offending
    if _rows(left) == _rows(right):
        return "same"
    return _offending(left, right)


def _with_names(node: exp.Expression, renamed: dict[str, str]) -> exp.Expression:
    node = node.copy()
    for column in node.find_all(exp.Column):
        if column.name in renamed and column.table in ("", TABLE):
            column.set("this", exp.to_identifier(renamed[column.name]))
    return node


def _conditions(was: exp.Expression, now: exp.Expression) -> Verdict:
    """A row must keep the condition: the stricter one is the tighter rule."""
    stricter, looser = implies(now, was), implies(was, now)
    if stricter and looser:
        return "same"
    return "tighter" if stricter else "looser" if looser else "other"


def _offending(was: exp.Expression, now: exp.Expression) -> Verdict:
    """Queries of offending rows: one that finds more is the tighter rule.

    Understood where the two differ in nothing but one WHERE or HAVING of the query of offenders.
    """
    old, new = _innermost(was), _innermost(now)
    if old is None or new is None:
        return "other"
    for clause in ("where", "having"):
        left, right = old.copy(), new.copy()
        conditions = [
            s.args[clause].this if s.args.get(clause) else exp.true() for s in (left, right)
        ]
        left.set(clause, None)
        right.set(clause, None)
        if _rows(left) != _rows(right):
            continue
        verdict = _conditions(*conditions)
        return _OPPOSITE.get(verdict, verdict)
    return "other"


def _rows(query: exp.Expression) -> str:
    """Which rows a query finds: a rule counts them, and shows whichever columns it likes."""
    return meaning_of(query).rows


def _innermost(query: exp.Expression) -> exp.Select | None:
    """The query of the offenders: what a `SELECT * FROM (…)` around it selects from."""
    while isinstance(query, exp.Select):
        source = query.args.get("from_") or query.args.get("from")
        inner = source.this if source else None
        plain = not query.args.get("where") and not query.args.get("joins")
        if not (plain and isinstance(inner, exp.Subquery)):
            return query
        query = inner.this
    return None
