"""The query behind the audit of a contract.

An audit of SQLMesh's counts the rows of its query and reports the count alone. A person needs the
rule and some of the rows, so this query raises an error of the engine's that says both; it returns
no row when all is well.

SQLMesh copies, parses and prints an audit several times over, so each condition stands in it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from mesh.contracts.rules import bind
from mesh.contracts.sql import DIALECT

SAMPLES = 5
# Samples are drawn from stripes of the broken rows, so that neither engine has to line up all rows
# on one thread or worker to number them: a hex digit's 16 to the power of this many stripes.
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
    table: exp.Expression | None = None


def broken_contract(
    product: str,
    rows: exp.Expression,
    grain: Sequence[str],
    conditions: Sequence[tuple[str, exp.Expression]],
    tables: Sequence[CheckedRule],
) -> exp.Select:
    """What breaks a contract: no row, or an error with each rule, its number of rows and some.

    rows: the table or subquery to be audited.
    conditions: id and condition of each rule about a row; a condition that is NULL counts as kept.
    """
    columns = {column.name for _, condition in conditions for column in _columns(condition)}
    readers = [rule for rule in tables if rule.query.find(exp.Column)]
    kept = len(columns) <= WIDE and len(readers) > 1
    audited = exp.to_table(AUDITED) if kept else rows
    steps: dict[str, exp.Query] = {AUDITED: exp.select("*").from_(rows)} if kept else {}
    findings: list[exp.Select] = []
    if conditions:
        steps |= _broken_rows(audited, grain, conditions)
        flags = [_flag(number) for number in range(len(conditions))]
        steps |= _stripes("broken_rows", "row_stripes", counted=flags)
        findings.append(_finding("row_stripes", _counts([name for name, _ in conditions])))
    if tables:
        steps["offending"] = _all_rows([_offending(r, r.table or audited) for r in tables])
        steps |= _stripes("offending", "table_stripes", by="rule")
        said = [" Rule ", exp.column("rule"), ": ", _written(_sum("failing")), " failing."]
        findings.append(_finding("table_stripes", said).group_by("rule", copy=False))
    if not findings:
        return exp.select("0 AS failing").where(exp.false())
    steps["by_rule"] = _all_rows(findings)
    steps["summary"] = (
        exp.Select(
            expressions=[
                _as(exp.Count(this=exp.Star()), "failing"),
                _as(_all_texts(exp.column("finding"), ""), "findings"),
            ]
        )
        .from_("by_rule", copy=False)
        .where(_above_0("failing"), copy=False)
    )
    message = _joined([f"{product} breaks its contract.", exp.column("findings")])
    raised = exp.Anonymous(this="ERROR", expressions=[message])
    query = exp.select("failing").from_("summary")
    query.where(_if(_above_0("failing"), raised, exp.false()), copy=False)
    for name, step in steps.items():
        query.with_(name, as_=step, copy=False)
    return query


def within(
    table: exp.Expression,
    column: str,
    column_type: exp.DataType,
    spans: Sequence[tuple[str, str]],
) -> exp.Subquery:
    """The rows of `table` whose day is in one of the spans, first and last day in ISO text, UTC."""
    is_date = column_type.this == exp.DataType.Type.DATE
    times = ("", "") if is_date else (" 00:00:00+00:00", " 23:59:59.999999+00:00")
    conditions = []
    for span in spans:
        bounds = [
            exp.cast(exp.Literal.string(f"{day[:10]}{time}"), column_type.copy())
            for day, time in zip(span, times, strict=True)
        ]
        conditions.append(exp.column(column).between(*bounds))
    rows = exp.select("*").from_(table.copy()).where(exp.or_(*conditions))
    return rows.subquery(AUDITED)


def _broken_rows(
    table: exp.Expression,
    grain: Sequence[str],
    conditions: Sequence[tuple[str, exp.Expression]],
) -> dict[str, exp.Query]:
    """The rows that break any condition, found in one scan.

    A sample shows the grain of a row, and of each rule it breaks the columns in question.
    """
    flags = [_flag(number) for number in range(len(conditions))]
    broken = [
        _as(exp.Not(this=exp.Paren(this=condition.copy())), flag)
        for flag, (_, condition) in zip(flags, conditions, strict=True)
    ]
    findings = [
        _if(
            exp.column(flag),
            _joined([f" {rule_id} (", *_values([c.name for c in _columns(condition)]), ")"]),
            _text(""),
        )
        for flag, (rule_id, condition) in zip(flags, conditions, strict=True)
    ]
    sample = _joined([*_values(grain), " breaks", *findings])
    any_flag: exp.Expression = exp.column(flags[0])
    for flag in flags[1:]:
        any_flag = exp.Or(this=any_flag, expression=exp.column(flag))
    shown = [*map(exp.column, flags), _as(sample, "sample")]
    return {
        "checked": exp.Select(expressions=[exp.Star(), *broken]).from_(table.copy(), copy=False),
        "broken_rows": exp.Select(expressions=shown)
        .from_("checked", copy=False)
        .where(any_flag, copy=False),
    }


def _offending(rule: CheckedRule, table: exp.Expression) -> exp.Select:
    """What a rule about the table finds, as texts."""
    row = exp.func("TO_JSON_STRING", exp.column("found"), dialect=DIALECT)
    found = exp.Subquery(
        this=bind(rule.query, table), alias=exp.TableAlias(this=exp.to_identifier("found"))
    )
    columns = [_as(_text(rule.id), "rule"), _as(row, "sample")]
    return exp.Select(expressions=columns).from_(found, copy=False)


def _stripes(
    rows: str, name: str, counted: Sequence[str] = (), by: str | None = None
) -> dict[str, exp.Query]:
    """A few hundred rows for any number of broken ones: how many they are, and one of them each."""
    digits = exp.Substring(
        this=exp.MD5(this=exp.column("sample")), start=_number(1), length=_number(STRIPE_DIGITS)
    )
    keys = [exp.column(by)] if by else []
    columns = [
        *keys,
        _as(digits, "stripe"),
        _as(exp.Count(this=exp.Star()), "failing"),
        *(_as(exp.CountIf(this=exp.column(flag)), flag) for flag in counted),
        _as(exp.Min(this=exp.column("sample")), "sample"),
    ]
    unnumbered = f"unnumbered_{name}"
    order = exp.Order(expressions=[exp.Ordered(this=exp.column("stripe"))])
    nth = exp.Window(this=exp.RowNumber(), order=order, partition_by=[key.copy() for key in keys])
    return {
        unnumbered: exp.Select(expressions=columns)
        .from_(rows, copy=False)
        .group_by(*(key.copy() for key in keys), "stripe", copy=False),
        name: exp.Select(expressions=[exp.Star(), _as(nth, "nth")]).from_(unnumbered, copy=False),
    }


def _counts(rule_ids: Sequence[str]) -> list[str | exp.Expression]:
    """How many rows break each rule.

    A text of which a part is NULL is NULL, so a rule that no row breaks is not spoken of.
    """
    return [
        _or_empty(_joined([f" Rule {rule_id}: ", _written(_none_if_0(_flag(n))), " failing."]))
        for n, rule_id in enumerate(rule_ids)
    ]


def _finding(stripes: str, counts: Sequence[str | exp.Expression]) -> exp.Select:
    """How many broken rows there are, and a text that says so and shows the first few of them."""
    few = _if(
        exp.LTE(this=exp.column("nth"), expression=_number(SAMPLES)),
        exp.column("sample"),
        exp.Null(),
    )
    text = _joined([*counts, " For example: ", _or_empty(_all_texts(few, "; "))])
    return exp.Select(expressions=[_as(_sum("failing"), "failing"), _as(text, "finding")]).from_(
        stripes, copy=False
    )


def _all_rows(queries: Sequence[exp.Query]) -> exp.Query:
    together = queries[0]
    for query in queries[1:]:
        together = exp.Union(this=together, expression=query, distinct=False)
    return together


def _flag(number: int) -> str:
    return f"breaks_{number}"


def _columns(condition: exp.Expression) -> list[exp.Column]:
    """The columns of a condition, each once, in their order."""
    return list({column.name: column for column in condition.find_all(exp.Column)}.values())


def _values(columns: Iterable[str]) -> list[str | exp.Expression]:
    parts: list[str | exp.Expression] = []
    for number, column in enumerate(columns):
        parts.append(f"{', ' if number else ''}{column}=")
        parts.append(exp.Coalesce(this=_written(exp.column(column)), expressions=[_text("NULL")]))
    return parts


def _joined(parts: Sequence[str | exp.Expression]) -> exp.Expression:
    texts = [_text(part) if isinstance(part, str) else part for part in parts]
    return exp.Concat(expressions=texts, safe=False, coalesce=False)


def _as(expression: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=expression, alias=exp.to_identifier(name))


def _if(condition: exp.Expression, then: exp.Expression, otherwise: exp.Expression) -> exp.If:
    return exp.If(this=condition, true=then, false=otherwise)


def _above_0(column: str) -> exp.GT:
    return exp.GT(this=exp.column(column), expression=_number(0))


def _sum(column: str) -> exp.Sum:
    return exp.Sum(this=exp.column(column))


def _none_if_0(flag: str) -> exp.Nullif:
    return exp.Nullif(this=_sum(flag), expression=_number(0))


def _written(value: exp.Expression) -> exp.Cast:
    return exp.Cast(this=value, to=exp.DataType.build("text"))


def _or_empty(text: exp.Expression) -> exp.Coalesce:
    return exp.Coalesce(this=text, expressions=[_text("")])


def _all_texts(text: exp.Expression, separator: str) -> exp.GroupConcat:
    return exp.GroupConcat(this=text, separator=_text(separator))


def _number(value: int) -> exp.Literal:
    return exp.Literal.number(value)


def _text(text: str) -> exp.Literal:
    return exp.Literal.string(text)
