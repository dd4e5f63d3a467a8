"""The SQL of rules: parsed, held to reading, and split into row rules and table rules.

A rule of type `sql` counts offending rows and must find none:

    SELECT COUNT(*) FROM ${table} WHERE NOT (<condition>)      a row rule: the condition holds
    SELECT COUNT(*) FROM (<offending rows>) AS offending       a table rule

`${table}` is the product itself, other products are named `<domain>.<product>`. The text is in the
BigQuery dialect, and limited to what DuckDB and the peer run the same, unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects import BigQuery
from sqlglot.errors import SqlglotError

from mesh.contracts.copies import install as copy_notes_at_once
from mesh.contracts.engines import told_apart
from mesh.contracts.medians import is_median, values_of
from mesh.contracts.translation import install as keep_division_together
from mesh.contracts.translation import say_blanks
from mesh.files.problems import shown

# Rules are copied and written for DuckDB wherever they are read.
copy_notes_at_once()
keep_division_together()
DIALECT = "bigquery"
TABLE = "__contract_table__"
"""The name that stands for `${table}` in a parsed rule."""
MAX_LENGTH = 10_000
MAX_PARENTHESES = 40

# What SQLGlot may read as something else than a name, reserved or not.
_WORDS = frozenset(
    {*sqlglot.Tokenizer.KEYWORDS, *BigQuery.Tokenizer.KEYWORDS}
    | {*BigQuery.Parser.NO_PAREN_FUNCTION_PARSERS}
)
_PLACEHOLDER = re.compile(r"`?\$\{table\}`?")
# Names of SQLGlot's nodes: clauses, values and conditions, functions that both engines run alike.
_ALLOWED = """
    Select From Where Group Having Order Ordered Limit Distinct With CTE Subquery Join Union Except
    Intersect Window WindowSpec Table TableAlias Alias Identifier Column Star Paren Tuple

    Literal Boolean Null And Or Not EQ NEQ GT GTE LT LTE Is In Between Like Exists Neg Add Sub Mul
    Div Mod Case If Cast DataType Var

    Abs Avg Ceil Coalesce Concat Count CurrentDate CurrentTimestamp Extract Floor Greatest Least
    Length Lower Max Min Nullif Replace Round RowNumber Sign StartsWith Substring Sum Trim Upper
    Lag Lead Exp Ln Pow Sqrt
"""
_IN_EXPRESSIONS = """
    Array CountIf Date DateAdd DateDiff DateFromUnixDate DateSub DateTrunc IntDiv Interval
    RegexpExtract RegexpReplace SafeDivide Split TimestampTrunc UnixMicros
"""
_FUNCTIONS = """
    ABS AVG CASE CAST CEIL COALESCE CONCAT COUNT CURRENT_DATE CURRENT_TIMESTAMP EXP EXTRACT FLOOR
    GREATEST IF LAG LEAD LEAST LENGTH LN LOWER MAX MIN MOD NULLIF POW REPLACE ROUND ROW_NUMBER SIGN
    SQRT STARTS_WITH SUBSTR SUM TRIM UPPER
"""
_MORE_FUNCTIONS = """
    COUNTIF DATE DATE_ADD DATE_DIFF DATE_FROM_UNIX_DATE DATE_SUB DATE_TRUNC DIV MEDIAN_OF
    REGEXP_EXTRACT REGEXP_REPLACE SAFE_DIVIDE SPLIT TIMESTAMP_TRUNC UNIX_MICROS
"""


@dataclass(frozen=True)
class _Place:
    """What SQL can be made of where it stands.

    nodes: of SQLGlot's; functions: these by their names; plain: what else to write.
    instead: of what the engines understand otherwise, around what both run the same.
    """

    nodes: frozenset[type]
    functions: tuple[str, ...]
    plain: str
    instead: str


_QUERY = _Place(
    frozenset(getattr(exp, name) for name in _ALLOWED.split()),
    tuple(_FUNCTIONS.split()),
    "Use plain SELECT, JOIN, WHERE, GROUP BY, HAVING and conditions on columns.",
    # The peer runs whole queries as they are written, and few functions are the same everywhere.
    "A rule of type `sql` runs on each engine as it is written: have the model make a column of "
    "it ({}), and ask that one",
)
_EXPRESSION = _Place(
    # Expressions are written for each engine.
    _QUERY.nodes | {getattr(exp, name) for name in _IN_EXPRESSIONS.split()},
    tuple(sorted(f"{_FUNCTIONS} {_MORE_FUNCTIONS}".split())),
    "Use plain values, functions and conditions on columns.",
    "{}",
)
_ONE_QUERY = (
    "Write `SELECT COUNT(*) FROM ${table} WHERE NOT (<condition>)`, "
    "or `SELECT COUNT(*) FROM (<offending rows>) AS offending`."
)


@lru_cache(maxsize=1)
def _reserved_by() -> dict[str, str]:
    """Words and the engine that reserves them.

    Also DuckDB's: the peer runs whole queries as they are written, and quotes no name for it.
    """
    listed = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    with duckdb.connect() as engine:
        words = {word: "DuckDB" for (word,) in engine.execute(listed).fetchall()}
    return words | dict.fromkeys(BigQuery.Generator.RESERVED_KEYWORDS, "BigQuery")


def is_plain(name: str) -> bool:
    """Whether a rule can name a column so, without quotes or its table before it."""
    return name.isidentifier() and name.lower() not in _reserved_by()


def column_named(name: str, table: str | None = None) -> exp.Column:
    """A column by its name, in quotes where it could be read as a word of SQL without them."""
    quoted = not is_plain(name) or name.upper() in _WORDS
    return exp.column(name, table=table, quoted=quoted)


class RuleSqlError(Exception):
    """A rule that cannot be used: what is wrong, and what to write."""

    def __init__(self, message: str, fix: str):
        super().__init__(message)
        self.message, self.fix = message, fix


@dataclass(frozen=True)
class ParsedRule:
    """condition: of a row rule, what must hold for each row (NULL counts as holding), else None.

    offending: the query of the offending rows, with TABLE in the place of the product.
    references: the qualified names of the other products that the query reads.
    columns: the columns of the product itself that a row rule speaks of.
    All expressions are shared: treat them as read-only.
    """

    condition: exp.Expr | None
    offending: exp.Select
    references: tuple[str, ...]
    columns: tuple[str, ...]


@lru_cache(maxsize=1024)
def parse_rule(query: str) -> ParsedRule:
    """Parse the query of a `sql` rule. Nothing is run. Raises RuleSqlError."""
    select = _one_select(query)
    _only_reads(select, _QUERY)
    _no_reserved_names(select)
    references = _tables(select)
    if TABLE not in references:
        raise RuleSqlError("The rule does not read `${table}`.", _ONE_QUERY)
    if not _counts_rows(select):
        raise RuleSqlError("The query does not count offending rows.", _ONE_QUERY)
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
        raise RuleSqlError(message, _ONE_QUERY)
    others = tuple(name for name in references if name != TABLE)
    return ParsedRule(condition, offending, others, columns)


def condition_on(column: str, query: str) -> exp.Expr | None:
    """What a rule says of each row, if it may speak of a column; None of any other query.

    To parse all rules takes longer than to read all files, so the text is looked at first.
    """
    if column not in query or query.upper().count("SELECT") != 1:
        return None
    try:
        return parse_rule(query).condition
    except RuleSqlError:
        # The check of the rule itself tells what is wrong with it.
        return None


@dataclass(frozen=True)
class ParsedExpression:
    """An expression over the columns of a row or a group. Shared: treat it as read-only.

    references: the qualified names of the products that its subqueries read.
    """

    node: exp.Expr
    references: tuple[str, ...]


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> ParsedExpression:
    """Parse an expression of a rule. Nothing is run. Raises RuleSqlError."""
    select = _one_select(f"SELECT {text}")
    alone = {key for key, value in select.args.items() if value} == {"expressions"}
    if not alone or len(select.expressions) != 1 or isinstance(select.expressions[0], exp.Alias):
        message = f"`{shown(text)}` is no single expression."
        raise RuleSqlError(message, "Write one value or condition in SQL.")
    _only_medians(select)
    _only_reads(select, _EXPRESSION)
    references = tuple(name for name in _tables(select) if name != TABLE)
    for column in select.find_all(exp.Column):
        inner = column.parent_select
        source = inner.args.get("from_") if inner and not inner.args.get("joins") else None
        if source and not column.table and isinstance(source.this, exp.Table):
            # Else it could be one of the query around it, as far as planners see.
            column.set("table", exp.to_identifier(source.this.alias_or_name))
    return ParsedExpression(select.expressions[0], references)


def _only_medians(select: exp.Select) -> None:
    for node in select.find_all(exp.Anonymous):
        if is_median(node) and values_of(node) is None:
            raise RuleSqlError(
                f"`{_node_text(node)}` does not say which values there are.",
                f"Write `{node.name.upper()}(<column>, <least>, <greatest>, <step>)`, such as "
                "`MEDIAN_OF(score, 0.5, 5.0, 0.5)`.",
            )


def _one_select(query: str) -> exp.Select:
    def refuse(message: str, fix: str = _ONE_QUERY) -> RuleSqlError:
        return RuleSqlError(message, fix)

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
    say_blanks(statements[0])
    return statements[0]


def _parse_error(error: SqlglotError) -> str:
    first = (getattr(error, "errors", None) or [{}])[0]
    if first.get("description"):
        return shown(f"{first['description']} near `{first.get('highlight', '')}`", 120)
    return shown(re.sub(r"\x1b\[[0-9;]*m", "", str(error)), 120)


def _only_reads(select: exp.Select, place: _Place) -> None:
    for one in told_apart(select):
        said = f"Of `{shown(one.text)}` BigQuery {one.how}, so the rule is another on each engine."
        fix = place.instead.format(one.instead)
        raise RuleSqlError(said, f"{fix[0].upper()}{fix[1:]}.")
    for node in select.walk():
        if place is _EXPRESSION and (is_median(node) or _names_first_day(node)):
            continue
        if type(node) in place.nodes and not (
            isinstance(node, exp.Select) and (node.args.get("into") or node.args.get("locks"))
        ):
            continue
        # As it is written: SQLGlot has names of its own, and calls few of them functions.
        written = re.match(r"(\w+)\(", _node_text(node))
        name = written[1] if written else node.sql_name() if isinstance(node, exp.Func) else ""
        if name:
            raise RuleSqlError(
                f"The function `{shown(name).upper()}` is not allowed in a rule.",
                f"Use what both engines run the same: {', '.join(place.functions)}.",
            )
        raise RuleSqlError(f"`{_node_text(node)}` is not allowed in a rule.", place.plain)


def _names_first_day(node: exp.Expr) -> bool:
    """Whether it is the week of a DATE_TRUNC or DATE_DIFF, as WEEK(MONDAY)."""
    return isinstance(node, exp.WeekStart) and isinstance(node.parent, exp.DateTrunc | exp.DateDiff)


def _no_reserved_names(select: exp.Select) -> None:
    for identifier in select.find_all(exp.Identifier):
        named = identifier.parent.args if identifier.parent else {}
        before_the_dot = named.get("table") or named.get("db")
        behind_a_dot = before_the_dot is not None and before_the_dot is not identifier
        engine = _reserved_by().get(identifier.name.lower())
        if engine and not identifier.quoted and not behind_a_dot:
            name = shown(identifier.name)
            raise RuleSqlError(
                f"`{name}` is a reserved word of {engine}.",
                f"Choose another name; of a column, write its table before it: `t.{name}`.",
            )


def _node_text(node: exp.Expr) -> str:
    try:
        return shown(node.sql(dialect=DIALECT))
    except Exception:  # SQLMesh, once imported, parses macros to nodes that cannot be written
        return shown(node.name or node.key)


def _tables(select: exp.Select) -> tuple[str, ...]:
    """The products a query names, TABLE for its own; anything else is refused."""
    ctes = {cte.alias for cte in select.find_all(exp.CTE)}
    references: dict[str, None] = {}
    for table in select.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.catalog:
            raise RuleSqlError(
                f"The rule reads `{_node_text(table)}`, which is no product.",
                "Read only `${table}` and products by `<domain>.<product>`.",
            )
        if table.db:
            references[f"{table.db}.{table.name}"] = None
        elif table.name == TABLE:
            references[TABLE] = None
        elif table.name not in ctes:
            raise RuleSqlError(
                f"The rule reads `{shown(table.name)}`, which is no product.",
                "Write `${table}` for the product itself, and `<domain>.<product>` for others.",
            )
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


def _row_condition(select: exp.Select) -> exp.Expr | None:
    """What must hold for each row, when the query looks at one row of the product at a time."""
    source = select.args.get("from_")
    where = select.args.get("where")
    plain = (
        source is not None
        and isinstance(source.this, exp.Table)
        and source.this.name == TABLE
        and not select.args.get("joins")
        and not select.args.get("with_")
    )
    if not plain or where is None or where.find(exp.Query, exp.AggFunc, exp.Window):
        return None
    condition = where.this.copy()
    if isinstance(condition, exp.Not):
        return condition.this.unnest()
    return exp.not_(condition)
