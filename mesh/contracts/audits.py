"""The query behind the audit of a contract.

An audit of SQLMesh's counts the rows of its query and reports the count alone. A person needs the
rule and some of the rows, so this query raises an error of the engine's that says both; it returns
no row when all is well.

SQLMesh copies, parses and prints an audit several times over, which takes longer than to run it on
small data. So each condition stands in it once, and no query stands inside another where it can
stand beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse_one

from mesh.contracts.rules import bind
from mesh.contracts.sql import DIALECT, column_named

# The audit in audits/ that checks the rules of a contract.
AUDIT = "contract"
# What it says of a rule that is broken.
BREAKS = "breaks its contract."
SAMPLES = 5
# Hexadecimal digits: as many stripes as 16 to that power.
STRIPE_DIGITS = 2
AUDITED = "audited"
# Where several rules read the rows of a view, it is worked out once for all of them; but to keep
# rows with more columns than this takes longer than to work them out again.
WIDE = 12


@dataclass(frozen=True)
class CheckedRule:
    """A rule about the whole table: its query of offending rows, and the table to run it on.

    table: None for the rows that are audited.
    """

    id: str
    query: exp.Select
    table: exp.Expr | None = None


def broken_contract(
    product: str,
    rows: exp.Expr,
    grain: Sequence[str],
    conditions: Sequence[tuple[str, exp.Expr]],
    tables: Sequence[CheckedRule],
    examples: bool = True,
) -> exp.Select:
    """What breaks a contract: no row, or an error with each rule, its number of rows and, if
    examples are wanted, some of them.

    rows: the table or subquery to be audited.
    conditions: id and condition of each rule about a row; a condition that is NULL counts as kept.
    """
    columns = {name for _, condition in conditions for name in _columns(condition)}
    readers = [rule for rule in tables if rule.table is None and rule.query.find(exp.Column)]
    kept = len(columns) <= WIDE and len(readers) > 1
    audited = exp.to_table(AUDITED) if kept else rows
    steps: dict[str, exp.Query] = {AUDITED: exp.select("*").from_(rows)} if kept else {}
    offending = []
    for number, rule in enumerate(tables):
        found = f"found_{number}"
        steps[found] = bind(rule.query, rule.table or audited)
        offending.append(_offending(rule, found))
    if conditions:
        steps |= _broken_rows(audited, conditions)
        offending.insert(0, _samples_of_rows(grain, conditions))
    # Of rules about rows alone there is one query, and SQLGlot unites no fewer than two.
    first, *others = offending
    steps["offending"] = exp.union(first, *others, distinct=False, copy=False) if others else first
    steps |= _findings(examples)
    said = exp.column("findings")
    raised = exp.Anonymous(this="ERROR", expressions=[_joined([f"{product} {BREAKS}", said])])
    there = exp.Is(this=said.copy(), expression=exp.Null())
    query = exp.select("findings").from_("summary", copy=False)
    query.where(exp.If(this=there, true=exp.false(), false=raised), copy=False)
    for name, step in steps.items():
        query.with_(name, as_=step, copy=False)
    return query


def rules_of(rules: exp.Expr) -> list[exp.Expr]:
    """The rules of an argument, each a tuple that begins with its id; one may stand alone."""
    if isinstance(rules, exp.Null):
        return []
    tuples = rules.unnest()
    alone = isinstance(tuples.expressions[0], exp.Literal)
    return [tuples] if alone else [rule.unnest() for rule in tuples.expressions]


def within(
    table: exp.Expr,
    column: str,
    column_type: exp.DataType,
    spans: Sequence[tuple[str, str]],
    others: Sequence[exp.Expr] = (),
) -> exp.Subquery:
    """The rows of `table` whose day is in one of the spans, first and last day in ISO text, UTC.

    others: conditions that let in more rows, whatever their day.
    """
    is_date = column_type.this == exp.DataType.Type.DATE
    zone = "+00:00" if column_type.this == exp.DataType.Type.TIMESTAMPTZ else ""
    times = ("", "") if is_date else (f" 00:00:00{zone}", f" 23:59:59.999999{zone}")
    conditions: list[exp.Expr] = [*others]
    for span in spans:
        low, high = (
            exp.cast(exp.Literal.string(f"{day[:10]}{time}"), column_type.copy())
            for day, time in zip(span, times, strict=True)
        )
        conditions.append(column_named(column).between(low, high))
    rows = exp.select("*").from_(table.copy()).where(exp.or_(*conditions))
    return rows.subquery(AUDITED)


def sharing(table: exp.Expr, rows: exp.Expr, column: str) -> exp.Subquery:
    """The rows of `table` of which `column` has a value that it has in `rows` too."""
    values = exp.select(column_named(column)).distinct().from_(rows.copy()).subquery("shared")
    same = exp.EQ(this=column_named(column, "shared"), expression=column_named(column, "every"))
    every = exp.alias_(table.copy(), "every", table=True)
    return exp.select("every.*").from_(every).join(values, on=same).subquery()


def _broken_rows(
    table: exp.Expr, conditions: Sequence[tuple[str, exp.Expr]]
) -> dict[str, exp.Query]:
    """The rows that break any condition, found in one scan, each with the ids of the rules."""
    flags = [exp.column(f"breaks_{number}") for number in range(len(conditions))]
    broken = [
        _as(exp.Not(this=exp.Paren(this=condition.copy())), flag.name)
        for flag, (_, condition) in zip(flags, conditions, strict=True)
    ]
    rules = _joined(
        [
            exp.If(this=flag.copy(), true=_text(f"{rule_id} "), false=_text(""))
            for flag, (rule_id, _) in zip(flags, conditions, strict=True)
        ]
    )
    return {
        "checked": exp.Select(expressions=[exp.Star(), *broken]).from_(table.copy(), copy=False),
        "broken_rows": exp.Select(expressions=[exp.Star(), _as(rules, "broken_rules")])
        .from_("checked", copy=False)
        .where(exp.or_(*flags, copy=False), copy=False),
    }


def _samples_of_rows(
    grain: Sequence[str], conditions: Sequence[tuple[str, exp.Expr]]
) -> exp.Select:
    """Each broken row once for each of its rules: the grain, and the columns the rule speaks of."""
    by_columns = defaultdict(list)
    for rule_id, condition in conditions:
        by_columns[tuple(c for c in _columns(condition) if c not in grain)].append(rule_id)
    spoken_of = exp.Case()
    for columns, rule_ids in by_columns.items():
        if columns:
            one_of = exp.In(this=exp.column("broken_rule"), expressions=[*map(_text, rule_ids)])
            spoken_of = spoken_of.when(one_of, _joined([", ", *_values(columns)]), copy=False)
    sample = [*_values(grain)]
    if spoken_of.args.get("ifs"):
        sample.append(spoken_of.else_(_text(""), copy=False))
    split = parse_one(
        "SELECT 1 FROM broken_rows CROSS JOIN UNNEST(SPLIT(broken_rules, ' ')) AS broken_rule "
        "WHERE broken_rule <> ''",
        into=exp.Select,
        dialect=DIALECT,
    )
    split.set(
        "expressions", [_as(exp.column("broken_rule"), "rule"), _as(_joined(sample), "sample")]
    )
    return split


def _offending(rule: CheckedRule, found: str) -> exp.Select:
    """What a rule about the table finds, as texts; its rows are in the table `found`."""
    row = exp.func("TO_JSON_STRING", exp.column(found), dialect=DIALECT)
    columns = [_as(_text(rule.id), "rule"), _as(row, "sample")]
    return exp.Select(expressions=columns).from_(found, copy=False)


def _findings(examples: bool) -> dict[str, exp.Query]:
    """From rule and sample of each offending row to one text; NULL if there is none.

    Samples are drawn from stripes of the rows: to number all rows, either engine would have to line
    them up on one thread or worker.
    """
    samples = f"STRING_AGG(IF(nth <= {SAMPLES}, sample, NULL), '; ' ORDER BY nth)"
    some = f"' For example: ', {samples}, '.'" if examples else "''"
    steps = {
        "stripes": f"""
            SELECT rule, SUBSTR(TO_HEX(MD5(sample)), 1, {STRIPE_DIGITS}) AS stripe,
              COUNT(*) AS failing, MIN(sample) AS sample
            FROM offending GROUP BY rule, stripe""",
        "numbered": """
            SELECT *, ROW_NUMBER() OVER (PARTITION BY rule ORDER BY stripe) AS nth FROM stripes""",
        "by_rule": f"""
            SELECT rule, CONCAT(' Rule ', rule, ': ', CAST(SUM(failing) AS STRING),
              ' failing.', {some}) AS finding
            FROM numbered GROUP BY rule""",
        "summary": "SELECT STRING_AGG(finding, '' ORDER BY rule) AS findings FROM by_rule",
    }
    return {name: parse_one(step, into=exp.Select, dialect=DIALECT) for name, step in steps.items()}


def _columns(condition: exp.Expr) -> list[str]:
    """The names of a condition's columns, each once, in their order."""
    return list(dict.fromkeys(column.name for column in condition.find_all(exp.Column)))


def _values(columns: Iterable[str]) -> list[str | exp.Expr]:
    parts: list[str | exp.Expr] = []
    for number, column in enumerate(columns):
        text = exp.Cast(this=column_named(column), to=exp.DataType.build("text"))
        parts.append(f"{', ' if number else ''}{column}=")
        parts.append(exp.Coalesce(this=text, expressions=[_text("NULL")]))
    return parts


def _joined(parts: Sequence[str | exp.Expr]) -> exp.Expr:
    texts = [_text(part) if isinstance(part, str) else part for part in parts]
    return exp.Concat(expressions=texts, safe=False, coalesce=False)


def _as(expression: exp.Expr, name: str) -> exp.Alias:
    return exp.Alias(this=expression, alias=exp.to_identifier(name))


def _text(text: str) -> exp.Literal:
    return exp.Literal.string(text)
