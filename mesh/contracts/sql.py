"""The SQL of rules: parsed, held to reading, and split into row rules and table rules.

A rule of type `sql` counts offending rows and must find none:

    SELECT COUNT(*) FROM ${table} WHERE NOT (<condition>)      a row rule: the condition holds
    SELECT COUNT(*) FROM (<offending rows>) AS offending       a table rule

`${table}` is the product itself, other products are named `<domain>.<product>`. The text is in the
BigQuery dialect, and limited to what DuckDB and the peer run the same, unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from mesh.files.problems import shown, suggestion

DIALECT = "bigquery"
TABLE = "__contract_table__"
"""The name that stands for `${table}` in a parsed rule."""
MAX_LENGTH = 10_000
MAX_PARENTHESES = 40

_PLACEHOLDER = re.compile(r"`?\$\{table\}`?")
_ALLOWED = frozenset(
    {
        # clauses
        exp.Select,
        exp.From,
        exp.Where,
        exp.Group,
        exp.Having,
        exp.Order,
        exp.Ordered,
        exp.Limit,
        exp.Distinct,
        exp.With,
        exp.CTE,
        exp.Subquery,
        exp.Join,
        exp.Union,
        exp.Except,
        exp.Intersect,
        exp.Window,
        exp.WindowSpec,
        exp.Table,
        exp.TableAlias,
        exp.Alias,
        exp.Identifier,
        exp.Column,
        exp.Star,
        exp.Paren,
        exp.Tuple,
        # values and conditions
        exp.Literal,
        exp.Boolean,
        exp.Null,
        exp.And,
        exp.Or,
        exp.Not,
        exp.EQ,
        exp.NEQ,
        exp.GT,
        exp.GTE,
        exp.LT,
        exp.LTE,
        exp.Is,
        exp.In,
        exp.Between,
        exp.Like,
        exp.Exists,
        exp.Neg,
        exp.Add,
        exp.Sub,
        exp.Mul,
        exp.Div,
        exp.Mod,
        exp.Case,
        exp.If,
        exp.Cast,
        exp.DataType,
        exp.Var,
        # functions that both engines run the same
        exp.Abs,
        exp.Avg,
        exp.Ceil,
        exp.Coalesce,
        exp.Concat,
        exp.Count,
        exp.CurrentDate,
        exp.CurrentTimestamp,
        exp.Extract,
        exp.Floor,
        exp.Greatest,
        exp.Least,
        exp.Length,
        exp.Lower,
        exp.Max,
        exp.Min,
        exp.Nullif,
        exp.Replace,
        exp.Round,
        exp.RowNumber,
        exp.Sign,
        exp.StartsWith,
        exp.Substring,
        exp.Sum,
        exp.Trim,
        exp.Upper,
        exp.Lag,
        exp.Lead,
    }
)
_FUNCTIONS = (
    "ABS, AVG, CASE, CAST, CEIL, COALESCE, CONCAT, COUNT, CURRENT_DATE, CURRENT_TIMESTAMP, "
    "EXTRACT, FLOOR, GREATEST, IF, LAG, LEAD, LEAST, LENGTH, LOWER, MAX, MIN, MOD, NULLIF, "
    "REPLACE, ROUND, ROW_NUMBER, SIGN, STARTS_WITH, SUBSTR, SUM, TRIM, UPPER"
)
_ONE_QUERY = (
    "Write `SELECT COUNT(*) FROM ${table} WHERE NOT (<condition>)`, "
    "or `SELECT COUNT(*) FROM (<offending rows>) AS offending`."
)


class RuleSqlError(Exception):
    """A rule that cannot be used: the lint rule it breaks, what is wrong, what to write."""

    def __init__(self, rule: str, message: str, fix: str):
        super().__init__(message)
        self.rule, self.message, self.fix = rule, message, fix


@dataclass(frozen=True)
class ParsedRule:
    """condition: of a row rule, what must hold for each row (NULL counts as holding), else None.

    offending: the query of the offending rows, with TABLE in the place of the product.
    references: the qualified names of the other products that the query reads.
    columns: the columns of the product itself that a row rule speaks of.
    """

    condition: exp.Expression | None
    offending: exp.Select
    references: tuple[str, ...]
    columns: tuple[str, ...]


def parse_rule(query: str) -> ParsedRule:
    """Parse the query of a `sql` rule. Nothing is run. Raises RuleSqlError."""
    select = _one_select(query)
    _only_reads(select)
    references = _tables(select)
    if not _counts_rows(select):
        raise RuleSqlError("RULE_SQL", "The query does not count offending rows.", _ONE_QUERY)
    condition = _row_condition(select)
    offending = select.copy()
    offending.set("expressions", [exp.Star()])
    columns: tuple[str, ...] = ()
    if condition is not None:
        columns = tuple(dict.fromkeys(c.name for c in condition.find_all(exp.Column)))
        for column in condition.find_all(exp.Column):
            column.set("table", None)
    elif offending.args.get("joins"):
        message = "The outer query joins, so its rows could have two columns of one name."
        raise RuleSqlError("RULE_SQL", message, _ONE_QUERY)
    return ParsedRule(condition, offending, references, columns)


def _one_select(query: str) -> exp.Select:
    def refuse(message: str, fix: str = _ONE_QUERY) -> RuleSqlError:
        return RuleSqlError("RULE_SQL", message, fix)

    if len(query) > MAX_LENGTH:
        raise refuse(f"The query is longer than {MAX_LENGTH:,} characters.", "Split the rule.")
    text = _PLACEHOLDER.sub(TABLE, query)
    if TABLE in query or "${" in text or "{" in text:
        raise refuse("The query uses a placeholder other than `${table}`.")
    depth = deepest = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    if deepest > MAX_PARENTHESES:
        raise refuse("The query is nested too deeply.", "Split the rule.")
    try:
        statements = [s for s in sqlglot.parse(text, dialect=DIALECT) if s is not None]
    except SqlglotError as error:
        raise refuse(f"The query is no SQL: {_parse_error(error)}.", "Correct it.") from None
    except RecursionError:
        raise refuse("The query is nested too deeply.", "Split the rule.") from None
    except Exception as error:
        raise refuse(f"The query is no SQL: {shown(error, 100)}.", "Correct it.") from None
    if len(statements) != 1:
        count = "no" if not statements else str(len(statements))
        raise refuse(f"The rule holds {count} statements.", "Write exactly one query.")
    if not isinstance(statements[0], exp.Select):
        kind = shown(statements[0].key.upper() if statements[0].key != "command" else "a command")
        raise refuse(f"The rule is no query but {kind}.")
    return statements[0]


def _parse_error(error: SqlglotError) -> str:
    first = (getattr(error, "errors", None) or [{}])[0]
    if first.get("description"):
        return shown(f"{first['description']} near `{first.get('highlight', '')}`", 120)
    return shown(re.sub(r"\x1b\[[0-9;]*m", "", str(error)), 120)


def _only_reads(select: exp.Select) -> None:
    for node in select.walk():
        if type(node) in _ALLOWED and not (
            isinstance(node, exp.Select) and (node.args.get("into") or node.args.get("locks"))
        ):
            continue
        if isinstance(node, exp.Func):
            name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            raise RuleSqlError(
                "RULE_SQL",
                f"The function `{shown(name).upper()}` is not allowed in a rule.",
                f"Use what both engines run the same: {_FUNCTIONS}.",
            )
        raise RuleSqlError(
            "RULE_SQL",
            f"`{_node_text(node)}` is not allowed in a rule.",
            "Use plain SELECT, JOIN, WHERE, GROUP BY, HAVING and conditions on columns.",
        )


def _node_text(node: exp.Expression) -> str:
    try:
        return shown(node.sql(dialect=DIALECT))
    except Exception:  # SQLMesh, once imported, parses macros to nodes that cannot be written
        return shown(node.name or node.key)


def _tables(select: exp.Select) -> tuple[str, ...]:
    """The other products a query names; anything else that could be read is refused."""
    ctes = {cte.alias for cte in select.find_all(exp.CTE)}
    references: dict[str, None] = {}
    own = False
    for table in select.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.catalog:
            raise RuleSqlError(
                "RULE_SQL",
                f"The rule reads `{_node_text(table)}`, which is no product.",
                "Read only `${table}` and products by `<domain>.<product>`.",
            )
        if table.db:
            references[f"{table.db}.{table.name}"] = None
        elif table.name == TABLE:
            own = True
        elif table.name not in ctes:
            raise RuleSqlError(
                "RULE_SQL",
                f"The rule reads `{shown(table.name)}`, which is no product.",
                "Write `${table}` for the product itself, and `<domain>.<product>` for others.",
            )
    if not own:
        raise RuleSqlError("RULE_SQL", "The rule does not read `${table}`.", _ONE_QUERY)
    return tuple(references)


def _counts_rows(select: exp.Select) -> bool:
    if len(select.expressions) != 1:
        return False
    count = select.expressions[0].unalias()
    if not isinstance(count, exp.Count) or not isinstance(count.this, exp.Star):
        return False
    return not any(
        select.args.get(key) for key in ("group", "having", "limit", "distinct", "order")
    )


def _row_condition(select: exp.Select) -> exp.Expression | None:
    """What must hold for each row, when the query looks at one row of the product at a time."""
    source = select.args.get("from_") or select.args.get("from")
    where = select.args.get("where")
    plain = (
        source is not None
        and isinstance(source.this, exp.Table)
        and source.this.name == TABLE
        and not select.args.get("joins")
        and not select.args.get("with_")
        and not select.args.get("with")
    )
    if not plain or where is None or where.find(exp.Query, exp.AggFunc, exp.Window):
        return None
    condition = where.this.copy()
    if isinstance(condition, exp.Not):
        return condition.this.unnest()
    return exp.not_(condition)


Schema = Mapping[str, Mapping[str, str]]
"""Column name to BigQuery type, by qualified product name."""


def check_columns(rule: ParsedRule, own: Mapping[str, str], schema: Schema) -> None:
    """Check a rule against the columns it can see. Raises RuleSqlError.

    own: the columns of the product itself; schema: those of the products it refers to. Products
    without columns here were complained about elsewhere, so the rule is not checked further.
    """
    if any(reference not in schema for reference in rule.references):
        return
    if rule.condition is not None:
        for name in rule.columns:
            if name not in own:
                raise _no_column(name, own)
    known: dict[str, object] = {"contract": {TABLE: dict(own)}}
    for reference in rule.references:
        domain, _, name = reference.partition(".")
        known.setdefault(domain, {})
        known[domain][name] = dict(schema[reference])  # type: ignore[index]
    query = rule.offending.copy()
    for table in query.find_all(exp.Table):
        if table.name == TABLE:
            table.set("db", exp.to_identifier("contract"))
    try:
        query = qualify(
            query, schema=known, dialect=DIALECT, expand_stars=False, quote_identifiers=False
        )
        query = annotate_types(query, schema=known, dialect=DIALECT)
    except OptimizeError as error:
        found = re.search(r"[Cc]olumn[:'\"` ]+([\w.]+)", str(error))
        if found:
            every = {*own, *(name for ref in rule.references for name in schema[ref])}
            raise _no_column(found.group(1).rpartition(".")[2], every) from None
        message = f"The query cannot be resolved: {shown(error, 100).replace(TABLE, '${table}')}."
        raise RuleSqlError("RULE_COLUMN", message, "Check tables and columns.") from None
    except (SqlglotError, RecursionError) as error:
        message = f"The query cannot be resolved: {shown(error, 100)}."
        raise RuleSqlError("RULE_SQL", message, "Write it more simply.") from None
    _conditions_are_boolean(query)
    _operands_fit(query)


def _no_column(name: str, known: Iterable[str]) -> RuleSqlError:
    message = f"The rule speaks of the column `{shown(name)}`, which is not there."
    return RuleSqlError("RULE_COLUMN", message, suggestion(name, known))


def _conditions_are_boolean(query: exp.Expression) -> None:
    places = [w.this for w in query.find_all(exp.Where, exp.Having, exp.Not)]
    for join in query.find_all(exp.Join):
        if join.args.get("on"):
            places.append(join.args["on"])
    for connector in query.find_all(exp.And, exp.Or):
        places += [connector.left, connector.right]
    for place in places:
        kind = place.type
        if kind is None or kind.this in (exp.DataType.Type.UNKNOWN, exp.DataType.Type.NULL):
            continue
        if kind.this != exp.DataType.Type.BOOLEAN:
            message = f"`{_text(place)}` is no condition: it is {kind.sql(dialect=DIALECT)}."
            raise RuleSqlError("RULE_COLUMN", message, "Compare it with something.")


_GROUPS = (
    ("a number", exp.DataType.NUMERIC_TYPES),
    ("text", exp.DataType.TEXT_TYPES),
    ("true or false", {exp.DataType.Type.BOOLEAN}),
    ("a date", {exp.DataType.Type.DATE}),
    ("a moment", {exp.DataType.Type.TIMESTAMPTZ}),
)


def _group(node: exp.Expression) -> str | None:
    kind = node.type.this if node.type else None
    return next((name for name, kinds in _GROUPS if kind in kinds), None)


def _operands_fit(query: exp.Expression) -> None:
    for node in query.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE):
        left, right = _group(node.left), _group(node.right)
        written = node.left if isinstance(node.left, exp.Literal) else node.right
        if left is None or right is None or left == right:
            continue
        if isinstance(written, exp.Literal) and written.is_string and "text" in (left, right):
            other = right if left == "text" else left
            if other in ("a date", "a moment"):
                continue
        message = f"`{_text(node)}` compares {left} with {right}."
        raise RuleSqlError("RULE_COLUMN", message, "Compare values of one type.")


def _text(node: exp.Expression) -> str:
    clean = node.copy()
    for column in clean.find_all(exp.Column):
        column.set("table", None)
        column.set("db", None)
    if isinstance(clean, exp.Column):
        clean = exp.column(clean.name)
    return shown(clean.sql(dialect=DIALECT).replace(TABLE, "${table}"))
