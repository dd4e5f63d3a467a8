"""The queries behind the audits of contracts.

An audit of SQLMesh's counts the rows of its query and reports the count alone. A person needs the
rule and some of the rows, so these queries raise an error of the engine's that says both; they
return no row when all is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp, parse_one

from mesh.contracts.rules import bind
from mesh.contracts.sql import DIALECT

SAMPLES = 5


def broken_rows(
    table: exp.Expression,
    product: str,
    grain: Sequence[str],
    rules: Iterable[tuple[str, exp.Expression]],
) -> exp.Select:
    """One scan of `table` for all conditions; a condition that is NULL counts as kept.

    rules: id and condition of each. The error names each broken rule with its number of rows, and
    shows the grain and the columns in question of up to five rows.
    """
    rules = list(rules)
    broken = [exp.not_(exp.paren(condition)) for _, condition in rules]
    findings = [_finding(rule_id, condition) for rule_id, condition in rules]
    rows = (
        exp.select(
            *(exp.alias_(condition, f"breaks_{i}") for i, condition in enumerate(broken)),
            exp.alias_(_joined([_values(grain), " breaks", *findings]), "sample"),
            parse_one("ROW_NUMBER() OVER () AS nth", dialect=DIALECT),
        )
        .from_(table.copy())
        .where(exp.or_(*(condition.copy() for condition in broken)))
    )
    counts = [
        exp.alias_(exp.func("COUNTIF", exp.column(f"breaks_{i}"), dialect=DIALECT), f"rows_{i}")
        for i in range(len(rules))
    ]
    total = exp.alias_(exp.Count(this=exp.Star()), "failing")
    summary = exp.select(total, *counts, _samples("sample")).from_(rows.subquery("broken_rows"))
    parts: list[str | exp.Expression] = [f"{product} breaks its contract."]
    parts += [_if_any(f" Rule {rule_id}: ", f"rows_{i}") for i, (rule_id, _) in enumerate(rules)]
    return _raise_if_any(summary, _joined([*parts, " For example: ", exp.column("samples")]))


def broken_tables(
    tables: Iterable[tuple[str, exp.Select, exp.Expression]], product: str
) -> exp.Select:
    """One query of offending rows per rule.

    tables: id of the rule, its query, and the table that stands for the query's own.
    """
    counts = []
    for rule_id, query, table in tables:
        offending = bind(query, table)
        numbered = (
            exp.select(
                parse_one("TO_JSON_STRING(offending) AS sample", dialect=DIALECT),
                parse_one("ROW_NUMBER() OVER () AS nth", dialect=DIALECT),
            )
            .from_(offending.subquery("offending"))
            .subquery("numbered")
        )
        counts.append(
            exp.select(
                exp.alias_(exp.Literal.string(rule_id), "rule"),
                exp.alias_(exp.Count(this=exp.Star()), "failing"),
                _samples("sample"),
            ).from_(numbered)
        )
    if not counts:
        return exp.select("0 AS failing").where(exp.false())
    by_rule = counts[0]
    for query in counts[1:]:
        by_rule = exp.union(by_rule, query, distinct=False)
    finding = _joined(
        [
            " Rule ",
            exp.column("rule"),
            ": ",
            _text(exp.column("failing")),
            " failing. For example: ",
            exp.column("samples"),
        ]
    )
    aggregated = exp.func("STRING_AGG", finding, exp.Literal.string(""), dialect=DIALECT)
    summary = (
        exp.select(
            exp.alias_(exp.Count(this=exp.Star()), "failing"),
            exp.alias_(aggregated, "findings"),
        )
        .from_(by_rule.subquery("by_rule"))
        .where(exp.column("failing") > 0)
    )
    message = _joined([f"{product} breaks its contract.", exp.column("findings")])
    return _raise_if_any(summary, message)


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
    return rows.subquery("audited")


def _raise_if_any(summary: exp.Select, message: exp.Expression) -> exp.Select:
    raised = exp.Anonymous(this="ERROR", expressions=[message])
    return (
        exp.select("failing")
        .from_(summary.subquery("summary"))
        .where(exp.func("IF", exp.column("failing") > 0, raised, exp.false()))
    )


def _finding(rule_id: str, condition: exp.Expression) -> exp.Expression:
    """What a row has to do with a rule: nothing, or the rule's id and the values it speaks of."""
    columns = dict.fromkeys(column.name for column in condition.find_all(exp.Column))
    text = _joined([f" {rule_id} (", _values(list(columns)), ")"])
    return exp.func("IF", exp.not_(exp.paren(condition.copy())), text, exp.Literal.string(""))


def _if_any(label: str, count: str) -> exp.Expression:
    text = _joined([label, _text(exp.column(count)), " failing."])
    return exp.func("IF", exp.column(count) > 0, text, exp.Literal.string(""))


def _values(columns: Sequence[str]) -> exp.Expression:
    parts: list[str | exp.Expression] = []
    for number, column in enumerate(columns):
        parts.append(f"{', ' if number else ''}{column}=")
        parts.append(_text(exp.column(column)))
    return _joined(parts)


def _text(value: exp.Expression) -> exp.Expression:
    return exp.func("COALESCE", exp.cast(value, "STRING", dialect=DIALECT), "'NULL'")


def _joined(parts: Sequence[str | exp.Expression]) -> exp.Expression:
    """One text of several; none of them NULL, or all would be."""
    texts = [exp.Literal.string(part) if isinstance(part, str) else part for part in parts]
    safe = [part if isinstance(part, exp.Literal) else _or_empty(part) for part in texts]
    return exp.Concat(expressions=safe, safe=False, coalesce=False)


def _or_empty(text: exp.Expression) -> exp.Expression:
    if isinstance(text, exp.Column):
        return exp.func("COALESCE", text, exp.Literal.string(""))
    return text


def _samples(column: str) -> exp.Expression:
    """The first few values of a numbered query, as one text named `samples`."""
    few = exp.func("IF", exp.column("nth") <= SAMPLES, exp.column(column), exp.Null())
    joined = exp.func("STRING_AGG", few, exp.Literal.string("; "), dialect=DIALECT)
    return exp.alias_(joined, "samples")
