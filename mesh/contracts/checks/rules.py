"""What is asked of the rules under `quality`: of a kind that every gate can enforce, and right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from mesh.contracts.checks.product import MEASURED_BY
from mesh.contracts.checks.record import Around, Check, Subject, check
from mesh.contracts.constraints import TABLE_KINDS, quality_keys, table_kind
from mesh.contracts.constraints.base import Named, Part, StatedQuality, TablePromise
from mesh.contracts.constraints.sql import RULE_SQL
from mesh.contracts.draft import LEVELS, Draft, promises_of
from mesh.contracts.findings import NOT_ENFORCED, Finding, Found
from mesh.contracts.made_up import Columns, pools_of
from mesh.contracts.rules import RowRule, Rule, Scope, TableRule
from mesh.contracts.sql import TABLE
from mesh.contracts.tried import broken_together, is_idle
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

_COMMON = {"id", "name", "type", "description", "dimension", "severity", "tags", "businessImpact"}
_COMMON |= {"customProperties", "authoritativeDefinitions"}
_USED = quality_keys()
_INSTEAD = {
    "rule": "Write `metric`, as the standard calls it since v3.1.",
    "nullValues": "Write `required: true` at the column.",
    "missingValues": "Write `required: true`, `minLength` or a rule of type `sql`.",
    "invalidValues": "Write `enum` or `logicalTypeOptions.pattern` at the column.",
}


@check("RULE_UNSUPPORTED", "A rule that no gate can enforce does not belong into a contract.")
def rule_unsupported(subject: Subject) -> Found:
    for rule, stated in subject.draft.stated_rules():
        kind = table_kind(stated.keys)
        if kind:
            yield from kind.misuse(stated)
            for key in sorted(set(stated.keys) - _COMMON - kind.uses):
                why = "means nothing for this kind of rule" if key in _USED else NOT_ENFORCED
                fix = _INSTEAD.get(key, "Leave it out.")
                yield Finding(stated.at(key), f"`{key}` {why}.", fix)
        elif rule.type and rule.metric is not None:
            message = f"The metric `{shown(rule.metric)}` is not enforced for a table."
            metrics = [kind.metric for kind in TABLE_KINDS if kind.metric]
            fix = _INSTEAD.get(rule.metric) or suggestion(rule.metric, metrics)
            yield Finding(stated.at("metric"), message, fix)


def _kinds(draft: Draft) -> Iterator[tuple[type[TablePromise], StatedQuality]]:
    """The rules of a contract that are of a known kind."""
    for _, stated in draft.stated_rules():
        if kind := table_kind(stated.keys):
            yield kind, stated


def _rule_sql(subject: Subject) -> Found:
    for kind, stated in _kinds(subject.draft) if subject.around else ():
        yield from kind.malformed(stated)


rule_sql = Check(RULE_SQL.id, RULE_SQL.sentence, _rule_sql, is_slow=True)


@check("RULE_IDLE", "A rule that no row can break promises nothing.", is_slow=True)
def rule_idle(subject: Subject) -> Found:
    # Only what is right otherwise is run: where a type or a column is wrong, nothing can be told.
    if subject.around is None or subject.known:
        return
    rows: list[tuple[RowRule, Finding]] = []
    for column in subject.draft.stated_columns():
        named = Named(id=column.name, name=column.name, logical_type=column.logical_type)
        for promise in promises_of(column):
            rule = promise.rule(named)
            if isinstance(rule, RowRule) and not promise.can_restate:
                noun = "text" if column.logical_type == "string" else "value"
                message = f"Every {noun} {promise.words}."
                finding = Finding(column.at(promise.key), message, "Promise more, or leave it out.")
                rows.append((rule, finding))
    for kind, stated in _kinds(subject.draft):
        for part in kind.parts(stated):
            said = None if part.query else _rule(kind, stated)
            if isinstance(said, RowRule):
                rows.append((said, part.finding))
            elif _is_idle(subject, said, part):
                yield part.finding
    broken = _broken_together(subject, [rule for rule, _ in rows])
    for (rule, finding), is_broken in zip(rows, broken, strict=True):
        one = exp.select("1").from_(TABLE).where(rule.broken())
        tables = None if is_broken else _tables(subject, one)
        if tables and is_idle(one, tables):
            yield finding


def _rule(kind: type[TablePromise], stated: StatedQuality) -> Rule:
    facts = Rule(stated.name, kind.kind, "", "", "error", 0)
    return kind.read(stated.keys).rule(facts, lambda name: stated.columns.get(name, ""))


def _is_idle(subject: Subject, rule: Rule | None, part: Part) -> bool:
    query = part.query
    if isinstance(rule, TableRule):
        if rule.scope is Scope.COUNT:
            return rule.is_kept_by(0) and rule.maximum is None
        query = rule.query
    tables = _tables(subject, query) if query else None
    return query is not None and tables is not None and is_idle(query, tables, varies=part.varies)


def _broken_together(subject: Subject, rules: list[RowRule]) -> list[bool]:
    every = exp.select(*(rule.condition for rule in rules))
    tables = _tables(subject, every) if rules else None
    # Where columns are not known, nothing is told.
    return broken_together(rules, tables[subject.draft.product]) if tables else [True] * len(rules)


def _tables(subject: Subject, query: exp.Expr) -> dict[str, Columns] | None:
    """What may stand in the columns of the products that a query reads; None where unknown."""
    around, tables = subject.around, {}
    read = [f"{one.db}.{one.name}" for one in query.find_all(exp.Table) if one.db]
    for product in dict.fromkeys([subject.draft.product, *read]):
        types = around.types.get(product) if around else None
        pools = pools_of(types, query, around.promised[product]) if around and types else None
        if pools is None:
            return None
        tables[product] = pools
    return tables


@check(
    "RULE_COLUMN",
    "A rule speaks of columns that are there, of types that can be compared.",
    is_slow=True,
)
def rule_column(subject: Subject) -> Found:
    own = subject.draft.column_types()
    for kind, stated in _kinds(subject.draft):
        yield from kind.lost_columns(stated)
        if subject.around is not None and own and not any(kind.malformed(stated)):
            yield from kind.unresolved(stated, own, subject.around.types)


@check(
    "REFERENCE",
    "A rule across products names products and rules that have a contract.",
    is_slow=True,
)
def reference(subject: Subject) -> Found:
    draft, around = subject.draft, subject.around
    if around is None:
        return
    for kind, stated in _kinds(draft):
        for steps, name in kind.references(stated):
            if name not in around.drafts and name not in around.lost:
                message = f"The rule reads `{shown(name)}`, which has no contract."
                yield Finding(steps, message, suggestion(name, around.drafts))
    yield from _measured(draft, around)
    yield from _circles(draft, around)


def _measured(draft: Draft, around: Around) -> Found:
    """Each completeness is measured by a rule that is there."""
    for index, level in enumerate(draft.document.slaProperties or []):
        for number, item in enumerate(level.customProperties or []):
            if item.property != MEASURED_BY or not item.value:
                continue
            product, _, rule = str(item.value).rpartition("/")
            measuring = around.drafts.get(product) if product else draft
            known = {rule.id for _, rule in measuring.rules() if rule.id} if measuring else set()
            if rule in known or product in around.lost:
                continue
            at = (*LEVELS, index, "customProperties", number, "value")
            if measuring is None:
                message = f"`{shown(product)}` has no contract."
                yield Finding(at, message, suggestion(product, around.drafts))
                continue
            message = f"`{shown(item.value)}` is no rule of {shown(product) or 'this contract'}."
            yield Finding(at, message, suggestion(rule, known))


References = Mapping[str, Steps]
"""The products that the rules of one contract read, and where the first such rule stands."""


def references(draft: Draft) -> References:
    """What the rules of a contract read; a rule that cannot be parsed reads nothing."""
    found: dict[str, Steps] = {}
    for kind, stated in _kinds(draft):
        for steps, name in kind.references(stated):
            found.setdefault(name, steps)
    return found


def _circles(draft: Draft, around: Around) -> Found:
    """Each rule that leads back to its product over the rules of others: a plan runs in order."""
    for name, steps in references(draft).items():
        way = _way(name, draft.product, around)
        if way is not None:
            circle = " → ".join((draft.product, *way))
            message = f"The rules wait for each other: {circle}."
            fix = "Write the rule into the contract of the product that is built last."
            yield Finding(steps, message, fix)


def _way(start: str, goal: str, around: Around) -> tuple[str, ...] | None:
    """A way from one product to another along the rules, or None."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == goal:
            return way
        reader = around.drafts.get(way[-1])
        for following in references(reader) if reader else ():
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return None
