"""Rules about columns: the model has those of its contract, and personal ones are called so."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import ErrorLevel, exp, parse_one
from sqlmesh.core.model import Model, SqlModel

from mesh.contracts import Column, Contract
from mesh.contracts.personal import NOT_PERSONAL, person
from mesh.contracts.types import DUCKDB_TYPE, NUMERIC_TYPES, bigquery_type, stored_types
from mesh.environments.names import short_name
from mesh.errors import Location
from mesh.lint.persons import Origin, Persons
from mesh.lint.rule import ContractRule
from mesh.project import display


class ColumnsMatchContract(ContractRule):
    """A consumer reads columns by name, type and order as the contract states them."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        contract = contracts.get(name)
        if contract is None:
            return
        types = stored_types(model)
        actual = {column: bigquery_type(kind) for column, kind in types.items()}
        by_model = _told(model)
        told = {
            column.name: _on_duckdb(types[column.name])
            for column in contract.columns
            if column.name in by_model and column.logical_type in NUMERIC_TYPES
        }
        for column in contract.columns:
            where = contract.location(column.line)
            found = actual.get(column.name)
            if found is None:
                yield (
                    f"{name}: column {column.name} is in the contract ({where}) but not in the "
                    "model: select it, or change the contract and its major version."
                )
            elif found != column.bigquery_type:
                where = contract.location(column.line_of("physicalType"))
                yield (
                    f"{name}: column {column.name} is {column.bigquery_type} in the contract "
                    f"({where}) but {found} in the model: cast it, or change the contract and "
                    "its major version."
                )
            elif told.get(column.name, stated := _on_duckdb(column.duckdb_type)) != stated:
                where = contract.location(column.line)
                yield (
                    f"{name}: column {column.name} is {column.duckdb_type} on DuckDB by the "
                    f"contract ({where}) but {told[column.name]} by the model: cast it to "
                    f"{_written(column, model.dialect)}, or change its `{DUCKDB_TYPE}`."
                )
        promised = [column.name for column in contract.columns]
        for extra in actual:
            if extra not in promised:
                yield (
                    f"{name}: column {extra} is in the model but not in the contract "
                    f"({contract.location(contract.columns[-1].line)}): add it to the contract "
                    "with a new minor version, or leave it out of the model."
                )
        if sorted(actual) == sorted(promised) and list(actual) != promised:
            yield (
                f"{name}: the model has its columns in the order {', '.join(actual)}, the contract "
                f"({contract.location(contract.columns[0].line)}) in the order "
                f"{', '.join(promised)}: write the final SELECT in the contract's order."
            )


def _told(model: Model) -> set[str]:
    """The columns whose type the model itself says: of others it is inferred, roughly for DuckDB's
    kinds of numbers.
    """
    known = {*(model.columns_to_types or {})}
    if model.kind.is_seed:
        return known
    if not isinstance(model, SqlModel) or not isinstance(model.query, exp.Select):
        return set()
    selected = model.query.selects
    return known & {one.alias_or_name for one in selected if isinstance(one.unalias(), exp.Cast)}


def _on_duckdb(kind: exp.DataType | str) -> str:
    """A type as DuckDB reads it, which gives a decimal without a size one of its own."""
    text = kind if isinstance(kind, str) else kind.sql(dialect="duckdb")
    return exp.DataType.build(text, dialect="duckdb").sql(dialect="duckdb")


def _written(column: Column, dialect: str) -> str:
    """The type of a column in a model's dialect, so that a cast to it makes the one on DuckDB."""
    native = exp.DataType.build(column.duckdb_type, dialect="duckdb").sql(dialect=dialect)
    for text in (native, column.duckdb_type):
        if _on_duckdb(exp.DataType.build(text, dialect=dialect)) == _on_duckdb(column.duckdb_type):
            return text
    return column.bigquery_type


class ExplicitColumns(ContractRule):
    """What a public model gives must be read off its last SELECT: every column named and cast."""

    needed = False

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        if not self.is_product(model) or not isinstance(model, SqlModel):
            return
        if not isinstance(model.query, exp.Query):
            return
        for projection in model.query.selects:
            if projection.is_star:
                yield f"{name}: SELECT * in a public model: name and cast every column."
            elif not isinstance(projection.unalias(), exp.Cast):
                text = projection.alias_or_name
                column = contracts[name].column(text) if name in contracts else None
                kind = _written(column, model.dialect) if column else "<type>"
                alias = (projection.args.get("alias") or projection.this).sql(model.dialect)
                yield (
                    f"{name}: column {text}{_place(model, projection)} is not cast: write "
                    f"`{_bracketed(projection.unalias(), model.dialect)}::{kind} AS {alias}`."
                )


def _place(model: Model, projection: exp.Expr) -> str:
    lines = (node.meta["line"] for node in projection.walk() if "line" in node.meta)
    line = next(lines, None)
    return f" ({Location(display(model._path), line)})" if model._path and line else ""


def _bracketed(node: exp.Expr, dialect: str) -> str:
    """An expression as text, all of which a cast behind it is of."""
    text = node.sql(dialect=dialect, comments=False)
    read = parse_one(f"{text}::INT", dialect=dialect, error_level=ErrorLevel.IGNORE)
    is_whole = isinstance(read, exp.Cast) and read.this.sql(dialect=dialect) == text
    return text if is_whole else f"({text})"


class PersonalColumnsAreClassified(ContractRule):
    """Whoever handles personal data must be told so by the contract."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        contract = contracts.get(name)
        if contract is None:
            return
        known = {
            person(column.name): one.location(column.line_of("classification"))
            for one in contracts.values()
            for column in one.personal_columns
        }
        persons = Persons(self.context.models, contracts)
        for column in model.columns_to_types or {}:
            promised = contract.column(column)
            if promised is None or promised.personal or NOT_PERSONAL in promised.tags:
                continue
            place = known.get(person(column))
            where = contract.location(promised.line_of("classification"))
            stated = f"is classified {promised.classification} in the contract ({where})"
            made_of = None if place else persons.origin(model, column)
            # Beside who it is of, everybody sees that a value is of a person.
            told_apart = not (place or made_of or contract.personal_columns)
            of_each = persons.of_each(model, column) if told_apart else None
            if origin := made_of or of_each:
                what = "made of" if made_of else "a value of each"
                yield (
                    f"{name}: column {column} is {what} {_named(origin)}, but {stated}: write "
                    f"`classification: personal`, or the tag `{NOT_PERSONAL}` where its values "
                    "tell nobody apart."
                )
            elif place:
                yield (
                    f"{name}: column {column} leads to a person ({place} says so), but {stated}: "
                    "write `classification: personal`, or leave the column out."
                )


def _named(origin: Origin) -> str:
    producer, column = origin
    place = producer.location(column.line_of("classification"))
    return f"{producer.product}.{column.name}, which leads to a person ({place})"
