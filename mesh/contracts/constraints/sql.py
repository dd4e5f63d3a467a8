"""Rules of type `sql`: a query that counts offending rows, held to columns that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from mesh.contracts.comparing import compare_queries
from mesh.contracts.constraints.base import COMPARATORS, Effect, Schema, StatedQuality, TablePromise
from mesh.contracts.findings import Finding, Found, Purpose
from mesh.contracts.rules import RowRule, Rule, Scope, TableRule
from mesh.contracts.sql import DIALECT, TABLE, ParsedRule, RuleSqlError, parse_rule
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

RULE_SQL = Purpose(
    "RULE_SQL", "The SQL of a rule is one query that only reads, in what both engines understand."
)


@dataclass(frozen=True, kw_only=True)
class Sql(TablePromise):
    """A query on one row at a time is a rule about rows, any other one about the table."""

    kind: ClassVar[str] = "sql"
    type: ClassVar[str] = "sql"
    needs: ClassVar[Mapping[str, str]] = {"query": "Write a query that counts the offending rows."}
    uses: ClassVar[frozenset[str]] = frozenset({"query", *COMPARATORS})
    query: str

    @classmethod
    def read(cls, keys: Mapping[str, Any]) -> Self:
        return cls(query=keys.get("query") or "")

    @classmethod
    def misuse(cls, stated: StatedQuality) -> Found:
        others = [key for key in COMPARATORS[1:] if stated.keys.get(key) is not None]
        for key in others:
            message = f"{stated.name} compares with `{key}`."
            fix = "Let the query count offending rows, and write `mustBe: 0`."
            yield Finding(stated.at(key), message, fix)
        expected = stated.keys.get("mustBe")
        if not others and (expected != 0 or isinstance(expected, bool)):
            message = f"{stated.name} does not say that it must find nothing."
            yield Finding(stated.at("mustBe"), message, "Write `mustBe: 0`.")

    @classmethod
    def references(cls, stated: StatedQuality) -> Iterator[tuple[Steps, str]]:
        parsed = _parsed(stated)
        if isinstance(parsed, ParsedRule):
            yield from ((stated.at("query"), name) for name in parsed.references)

    @classmethod
    def malformed(cls, stated: StatedQuality) -> Found:
        parsed = _parsed(stated)
        if isinstance(parsed, RuleSqlError):
            yield Finding(stated.at("query"), parsed.message, parsed.fix)

    @classmethod
    def unresolved(cls, stated: StatedQuality, own: Mapping[str, str], known: Schema) -> Found:
        parsed = _parsed(stated)
        if isinstance(parsed, ParsedRule):
            try:
                for name in parsed.columns:
                    if name not in own:
                        raise _no_column(name, own)
                resolved(parsed.offending, parsed.references, own, known)
            except RuleSqlError as error:
                yield Finding(stated.at("query"), error.message, error.fix)

    def rule(self, facts: Rule, type_of: Callable[[str], str]) -> Rule:
        """Raises RuleSqlError when the query cannot be used."""
        parsed = parse_rule(self.query)
        if parsed.condition is not None:
            return RowRule(**vars(facts), columns=parsed.columns, condition=parsed.condition)
        return TableRule(
            **vars(facts),
            scope=Scope.WHOLE,
            query=parsed.offending,
            references=parsed.references,
        )

    def text(self) -> str:
        return " ".join(self.query.split())

    def compare(self, new: Self, renamed: Mapping[str, str]) -> Effect | None:
        return compare_queries(self.query, new.query, renamed)


def _parsed(stated: StatedQuality) -> ParsedRule | RuleSqlError | None:
    """The query of a rule, or why it is none; None where none is stated."""
    query = stated.keys.get("query") or ""
    try:
        return parse_rule(query) if query.strip() else None
    except RuleSqlError as error:
        return error


def resolved(
    query: exp.Select, references: Collection[str], own: Mapping[str, str], schema: Schema
) -> exp.Select | None:
    """A query with tables and types of its columns.

    Raises RuleSqlError for what is not there, or cannot be compared. None where columns of a
    product it refers to are not known.
    """
    if any(reference not in schema for reference in references):
        return None
    known: dict[str, object] = {"contract": {TABLE: dict(own)}}
    for reference in references:
        domain, _, name = reference.partition(".")
        known.setdefault(domain, {})
        known[domain][name] = dict(schema[reference])  # type: ignore[index]
    query = query.copy()
    for table in query.find_all(exp.Table):
        if table.name == TABLE:
            table.set("db", exp.to_identifier("contract"))
    columns = MappingSchema(known, dialect=DIALECT)
    try:
        qualified = qualify(
            query, schema=columns, dialect=DIALECT, expand_stars=False, quote_identifiers=False
        )
        query = annotate_types(qualified, schema=columns, dialect=DIALECT)
    except OptimizeError as error:
        found = re.search(r"[Cc]olumn[:'\"` ]+([\w.]+)", str(error))
        if found:
            read = (schema.get(f"{t.db}.{t.name}", own) for t in query.find_all(exp.Table))
            every = {name for columns in read for name in columns}
            raise _no_column(found.group(1).rpartition(".")[2], every) from None
        message = f"The query cannot be resolved: {shown(error, 100).replace(TABLE, '${table}')}."
        raise RuleSqlError(message, "Check tables and columns.") from None
    except (SqlglotError, RecursionError) as error:
        message = f"The query cannot be resolved: {shown(error, 100)}."
        raise RuleSqlError(message, "Write it more simply.") from None
    _conditions_are_boolean(query)
    _operands_fit(query)
    return query


def _no_column(name: str, known: Iterable[str]) -> RuleSqlError:
    message = f"The rule speaks of the column `{shown(name)}`, which is not there."
    return RuleSqlError(message, suggestion(name, known))


def _conditions_are_boolean(query: exp.Expr) -> None:
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
            raise RuleSqlError(message, "Compare it with something.")


_GROUPS = (
    ("a number", exp.DataType.NUMERIC_TYPES),
    ("text", exp.DataType.TEXT_TYPES),
    ("true or false", {exp.DataType.Type.BOOLEAN}),
    ("a date", {exp.DataType.Type.DATE}),
    ("a moment", {exp.DataType.Type.TIMESTAMPTZ}),
)


def type_group(node: exp.Expr) -> str | None:
    """What an annotated expression is, in words: those of one group can be compared."""
    kind = node.type.this if node.type else None
    return next((name for name, kinds in _GROUPS if kind in kinds), None)


def _operands_fit(query: exp.Expr) -> None:
    for node in query.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE):
        left, right = type_group(node.left), type_group(node.right)
        written = node.left if isinstance(node.left, exp.Literal) else node.right
        if left is None or right is None or left == right:
            continue
        if isinstance(written, exp.Literal) and written.is_string and "text" in (left, right):
            other = right if left == "text" else left
            if other in ("a date", "a moment"):
                continue
        message = f"`{_text(node)}` compares {left} with {right}."
        raise RuleSqlError(message, "Compare values of one type.")


def _text(node: exp.Expr) -> str:
    clean = node.copy()
    for column in clean.find_all(exp.Column):
        column.set("table", None)
        column.set("db", None)
    if isinstance(clean, exp.Column):
        clean = exp.column(clean.name)
    return shown(clean.sql(dialect=DIALECT).replace(TABLE, "${table}"))
