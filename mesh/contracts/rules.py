"""All rules of a contract as SQLGlot expressions in the BigQuery dialect.

Row rules are conditions on one row; like a CHECK constraint, a condition that is NULL counts as
kept, and `required` alone decides about NULL. Table rules are queries of offending rows. Ids are
stable: a derived rule is called `<column id>.<kind>`, the grain `grain.unique`, and a stated rule
by its own id, which holds no dot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp, parse_one

from mesh.contracts.model import Column, Contract, StatedRule, Value
from mesh.contracts.sql import DIALECT, TABLE, ParsedRule, RuleSqlError, parse_rule
from mesh.contracts.standard import ContractInvalid
from mesh.files.problems import Problem

Resolve = Callable[[str], exp.Table]
"""From the qualified name of a product to the table or view that holds it in an environment."""


@dataclass(frozen=True)
class RowRule:
    """A condition that must hold for each row.

    kind: required, enum, range, length, pattern, multiple_of, or sql for a stated rule.
    column: the name of the column that a derived rule belongs to, else None.
    columns: the names of all columns that the condition speaks of.
    condition: a boolean expression over these columns, BigQuery dialect; treat it as read-only.
    line: where the promise stands.
    """

    id: str
    kind: str
    description: str
    dimension: str
    severity: str
    column: str | None
    columns: tuple[str, ...]
    condition: exp.Expression = field(compare=False, repr=False)
    line: int = 1

    def broken(self) -> exp.Expression:
        """TRUE for a row that breaks the rule, FALSE or NULL for one that keeps it."""
        return exp.not_(self.condition.copy())

    def sql(self, dialect: str = DIALECT) -> str:
        """The condition as text."""
        return self.condition.sql(dialect=dialect)


@dataclass(frozen=True)
class TableRule:
    """A query that must find no offending row.

    kind: unique, row_count, or sql for a stated rule.
    columns: of a unique rule, the columns that are unique together.
    references: the other products that the query reads, `<domain>.<product>`.
    whole_table: whether the query is only right on the complete table, not on an interval of it.
    minimum, maximum: the bounds of a row_count rule.
    line: where the promise stands.
    """

    id: str
    kind: str
    description: str
    dimension: str
    severity: str
    columns: tuple[str, ...]
    references: tuple[str, ...]
    whole_table: bool
    query: exp.Select = field(compare=False, repr=False)
    minimum: int | None = None
    maximum: int | None = None
    line: int = 1

    def offending(self, table: exp.Expression, resolve: Resolve | None = None) -> exp.Select:
        """The query of the offending rows of `table` (a table or a subquery).

        resolve: where the referenced products are; by default at their own names. BigQuery dialect
        in meaning; write it with `.sql(dialect=…)` for either engine.
        """
        return bind(self.query, table, resolve)

    def count(self, table: exp.Expression, resolve: Resolve | None = None) -> exp.Select:
        """The query of the number of offending rows: one row with the column `offending`."""
        rows = self.offending(table, resolve).subquery("offending_rows")
        return exp.select(exp.alias_(exp.Count(this=exp.Star()), "offending")).from_(rows)


def bind(query: exp.Select, table: exp.Expression, resolve: Resolve | None = None) -> exp.Select:
    """Put real tables in the place of `${table}` and of the referenced products."""
    bound = query.copy()
    for node in list(bound.find_all(exp.Table)):
        alias = node.alias or ("this_table" if node.name == TABLE else node.name)
        if node.name == TABLE and not node.db:
            target = table.copy()
        elif node.db:
            product = f"{node.db}.{node.name}"
            target = resolve(product).copy() if resolve else exp.to_table(product, dialect=DIALECT)
        else:
            continue
        if isinstance(target, exp.Query) and not isinstance(target, exp.Subquery):
            target = target.subquery()
        target.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        if node is bound:
            return target
        node.replace(target)
    for column in bound.find_all(exp.Column):
        if column.table == TABLE:
            column.set("table", exp.to_identifier("this_table"))
    return bound


def rules_of(contract: Contract) -> tuple[tuple[RowRule, ...], tuple[TableRule, ...]]:
    """All row rules and all table rules of a contract.

    Raises ContractInvalid with every stated rule whose SQL cannot be used.
    """
    rows = [rule for column in contract.columns for rule in derived_rules(column)]
    tables = list(_unique_rules(contract))
    problems = []
    for stated in contract.rules:
        try:
            rule = _stated_rule(contract, stated)
        except RuleSqlError as error:
            line = stated.query_line
            problems.append(Problem(contract.path, line, error.rule, error.message, error.fix))
            continue
        if isinstance(rule, RowRule):
            rows.append(rule)
        else:
            tables.append(rule)
    if problems:
        raise ContractInvalid(problems)
    return tuple(rows), tuple(tables)


def _stated_rule(contract: Contract, stated: StatedRule) -> RowRule | TableRule:
    common = {
        "id": stated.id,
        "description": stated.description,
        "dimension": stated.dimension,
        "severity": stated.severity,
        "line": stated.line,
    }
    if stated.metric == "rowCount":
        return TableRule(
            kind="row_count",
            columns=(),
            references=(),
            whole_table=True,
            query=_row_count_query(stated.minimum, stated.maximum),
            minimum=stated.minimum,
            maximum=stated.maximum,
            **common,
        )
    if stated.metric == "duplicateValues":
        return _unique(contract, stated.columns, common)
    parsed: ParsedRule = parse_rule(stated.query or "")
    if parsed.condition is not None:
        return RowRule(
            kind="sql",
            column=None,
            columns=parsed.columns,
            condition=parsed.condition,
            **common,
        )
    return TableRule(
        kind="sql",
        columns=(),
        references=parsed.references,
        whole_table=True,
        query=parsed.offending,
        **common,
    )


def _unique_rules(contract: Contract) -> list[TableRule]:
    rules = []
    if contract.grain:
        first = contract.column(contract.grain[0])
        common = {
            "id": "grain.unique",
            "description": contract.grain_label,
            "dimension": "uniqueness",
            "severity": "error",
            "line": first.line_of("primaryKey") if first else contract.line,
        }
        rules.append(_unique(contract, contract.grain, common))
    for column in contract.columns:
        if column.unique and contract.grain != (column.name,):
            common = {
                "id": f"{column.id}.unique",
                "description": f"No two rows have the same {column.name}.",
                "dimension": "uniqueness",
                "severity": "error",
                "line": column.line_of("unique"),
            }
            rules.append(_unique(contract, (column.name,), common))
    return rules


def _unique(contract: Contract, names: tuple[str, ...], common: dict) -> TableRule:
    columns = [exp.column(name) for name in names]
    count = exp.Count(this=exp.Star())
    query = (
        exp.select(*columns, exp.alias_(count, "copies"))
        .from_(exp.table_(TABLE))
        .group_by(*[column.copy() for column in columns])
        .having(exp.GT(this=count.copy(), expression=exp.Literal.number(1)))
    )
    timed = any(
        column is not None and column.logical_type in ("date", "timestamp")
        for column in map(contract.column, names)
    )
    return TableRule(
        kind="unique",
        columns=names,
        references=(),
        whole_table=not timed,
        query=query,
        **common,
    )


def _row_count_query(minimum: int | None, maximum: int | None) -> exp.Select:
    count = exp.Count(this=exp.Star())
    bounds: list[exp.Expression] = []
    if minimum is not None:
        bounds.append(exp.LT(this=count.copy(), expression=exp.Literal.number(minimum)))
    if maximum is not None:
        bounds.append(exp.GT(this=count.copy(), expression=exp.Literal.number(maximum)))
    return (
        exp.select(exp.alias_(count, "row_count")).from_(exp.table_(TABLE)).having(exp.or_(*bounds))
    )


def derived_rules(column: Column) -> list[RowRule]:
    """The row rules that follow from what a contract says of one column."""
    found = []

    def add(kind: str, dimension: str, key: str, what: str, condition: exp.Expression) -> None:
        found.append(
            RowRule(
                id=f"{column.id}.{kind}",
                kind=kind,
                description=f"{column.name} {what}.",
                dimension=dimension,
                severity="error",
                column=column.name,
                columns=(column.name,),
                condition=condition,
                line=column.line_of(key),
            )
        )

    def this() -> exp.Column:
        return exp.column(column.name)

    if column.required:
        there = exp.not_(exp.Is(this=this(), expression=exp.Null()))
        add("required", "completeness", "required", "is there", there)
    if column.enum:
        values = [allowed.value for allowed in column.enum]
        condition = this().isin(*[_literal(column, value) for value in values])
        add("enum", "conformity", "enum", "is one of " + ", ".join(map(str, values)), condition)
    bounds = _bounds(column)
    if bounds:
        what = "is " + " and ".join(f"{text} {value}" for text, value, _ in bounds)
        condition = exp.and_(
            *[
                operator(this=this(), expression=_literal(column, value))
                for _, value, operator in bounds
            ]
        )
        add("range", "conformity", "logicalTypeOptions", what, condition)
    lengths = []
    if column.min_length is not None:
        lengths.append(("at least", exp.GTE, column.min_length))
    if column.max_length is not None:
        lengths.append(("at most", exp.LTE, column.max_length))
    if lengths:
        what = "has " + " and ".join(f"{text} {size}" for text, _, size in lengths) + " characters"
        condition = exp.and_(
            *[
                operator(this=_characters(this()), expression=exp.Literal.number(size))
                for _, operator, size in lengths
            ]
        )
        add("length", "conformity", "logicalTypeOptions", what, condition)
    if column.pattern is not None:
        condition = exp.RegexpLike(this=this(), expression=exp.Literal.string(column.pattern))
        add("pattern", "conformity", "logicalTypeOptions", f"matches {column.pattern}", condition)
    if column.multiple_of is not None:
        what = f"is a multiple of {column.multiple_of}"
        add("multiple_of", "conformity", "logicalTypeOptions", what, _multiple(column, this))
    return found


def _characters(text: exp.Column) -> exp.Expression:
    """CHAR_LENGTH: LENGTH counts the bytes of BYTES, and SQLGlot makes other engines ask which."""
    length = parse_one("CHAR_LENGTH(text)", dialect=DIALECT)
    length.set("this", text)
    return length


def _bounds(column: Column) -> list[tuple[str, Value, type[exp.Binary]]]:
    stated = (
        ("at least", column.minimum, exp.GTE),
        ("above", column.exclusive_minimum, exp.GT),
        ("at most", column.maximum, exp.LTE),
        ("below", column.exclusive_maximum, exp.LT),
    )
    return [(text, value, operator) for text, value, operator in stated if value is not None]


def _literal(column: Column, value: Value) -> exp.Expression:
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float):
        return exp.Literal.number(repr(value))
    text = exp.Literal.string(value)
    if column.logical_type == "date":
        return exp.cast(text, exp.DataType.Type.DATE)
    if column.logical_type == "timestamp":
        return exp.cast(text, exp.DataType.Type.TIMESTAMPTZ)
    return text


def _multiple(column: Column, this: Callable[[], exp.Column]) -> exp.Expression:
    """Exact for steps such as 0.25; for steps such as 0.1 to a millionth of a step."""
    step = column.multiple_of or 1
    literal = exp.Literal.number(repr(step))
    if column.logical_type == "integer" and float(step).is_integer():
        rest = exp.Mod(this=this(), expression=exp.Literal.number(int(step)))
        return exp.EQ(this=rest, expression=exp.Literal.number(0))

    def steps() -> exp.Expression:
        return exp.Div(this=this(), expression=literal.copy(), typed=False, safe=False)

    rounded = exp.Round(this=steps())
    if float(step).as_integer_ratio()[1] <= 1024:
        return exp.EQ(this=steps(), expression=rounded)
    distance = exp.Abs(this=exp.Paren(this=exp.Sub(this=steps(), expression=rounded)))
    return exp.LT(this=distance, expression=exp.Literal.number("0.000001"))
