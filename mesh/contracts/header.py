"""The header of a model as its contract states it, as properties of SQLMesh's MODEL block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from sqlglot import exp, parse_one
from sqlglot.optimizer.simplify import simplify

from mesh.contracts.audits import AUDIT, CheckedRule, broken_contract, rules_of, sharing, within
from mesh.contracts.findings import ContractInvalid
from mesh.contracts.follow import is_let_pass
from mesh.contracts.load import find
from mesh.contracts.model import Contract
from mesh.contracts.previews import PREVIEW
from mesh.contracts.readers import grants
from mesh.contracts.reconciling import differences, of_interval
from mesh.contracts.rules import Scope, TableRule
from mesh.contracts.sql import DIALECT, column_named
from mesh.contracts.types import TIMED
from mesh.errors import WrongUse
from mesh.files.problems import suggestion
from mesh.project import Project, examples_shown

if TYPE_CHECKING:
    from sqlmesh.core.macros import MacroEvaluator


def model_properties(
    product: str,
    project: Project,
    audits: Sequence[exp.Expr] = (),
    schema: str = "",
    gateway: str | None = None,
) -> list[exp.Property]:
    """All properties of the model of a data product; ContractInvalid if its contract is not.

    audits: others of the model's. SQLMesh takes one list of audits, from one place. schema: that of
    the model. gateway: by which it is loaded, by default the usual one: who may read is told
    otherwise on BigQuery.
    """
    try:
        contract = find(product, project.contracts, schema)
        references = {name for rule in contract.table_rules() for name in rule.references}
    except (WrongUse, ContractInvalid) as error:
        if is_let_pass(error):
            return []
        raise
    properties: dict[str, exp.Expr] = {
        "owner": _text(contract.owner),
        "description": _text(contract.description),
        "grain": _tuple(*map(column_named, contract.grain)),
        "column_descriptions": _tuple(
            *(
                exp.EQ(this=column_named(column.name), expression=_text(text))
                for column in contract.columns
                if (text := column.description)
            )
        ),
        "tags": _tuple(*map(_text, contract.tags)),
        "virtual_properties": _tuple(_labels(contract)),
        "grants": _grants(contract, on_bigquery=project.is_on_bigquery(gateway)),
        "audits": _tuple(contract_audit(contract), *audits),
    }
    references |= _read_by(audits, project)
    if references:
        tables = (exp.to_table(name, dialect=DIALECT) for name in sorted(references))
        properties["depends_on"] = _tuple(*tables)
    return [
        exp.Property(this=exp.to_identifier(name), value=value)
        for name, value in properties.items()
    ]


def _read_by(audits: Sequence[exp.Expr], project: Project) -> set[str]:
    """The models that the project's own audits of these names read: they are built before."""
    from sqlmesh.core.audit import load_multiple_audits
    from sqlmesh.core.dialect import parse

    wanted = {audit.name.lower() for audit in audits}
    found: set[str] = set()
    for file in sorted(project.root.glob("audits/*.sql")) if wanted else ():
        written = parse(file.read_text(encoding="utf-8"), default_dialect=DIALECT)
        for audit in load_multiple_audits(written, path=file, dialect=DIALECT):
            if audit.name in wanted:
                tables = audit.query.find_all(exp.Table)
                found |= {f"{table.db}.{table.name}" for table in tables if table.db}
    return found


def _text(text: str) -> exp.Literal:
    return exp.Literal.string(" ".join(text.split()))


def _tuple(*parts: exp.Expr) -> exp.Tuple:
    return exp.Tuple(expressions=[*parts])


def _labels(contract: Contract) -> exp.EQ:
    """Labels of the view in BigQuery; their values know no dots."""
    labels = {
        "domain": contract.domain,
        "product": contract.name,
        "contract_version": str(contract.version).replace(".", "_"),
    }
    pairs = [_tuple(_text(key), _text(value)) for key, value in labels.items()]
    return exp.EQ(this=exp.column("labels"), expression=exp.Array(expressions=pairs))


def _grants(contract: Contract, *, on_bigquery: bool) -> exp.Tuple:
    """The privilege to read, for each role that may."""
    privilege, readers = grants(contract, on_bigquery=on_bigquery)
    names = exp.Array(expressions=[_text(reader) for reader in readers])
    return _tuple(exp.EQ(this=_text(privilege), expression=names))


def source_audits(table: str, project: Project) -> list[exp.Property]:
    """The audit of a model that lets a source's table through, interval by interval.

    No interval sees what the source promises of all its rows: that its grain is unique, and what
    it says of the time alone. So these are asked beyond the interval whenever one is built.
    table: with or without its schema. Raises WrongUse when no table of a source is meant.
    """
    named = [one for name, one in project.sources.items() if table in (name, one.name)]
    if len(named) != 1:
        several = " or ".join(one.product for one in named)
        raise WrongUse(
            f"{'More than one' if named else 'No'} table of a source is called {table}.",
            fix=f"Write {several}." if named else suggestion(table, project.sources),
        )
    contract = find(named[0].product, project.contracts)
    source = exp.to_table(contract.product, dialect=DIALECT)
    audit = contract_audit(contract, source)
    return [exp.Property(this=exp.to_identifier("audits"), value=_tuple(audit))]


def audit_query(evaluator: MacroEvaluator, *arguments: exp.Expr) -> exp.Select:
    """The query of the audit of a contract, from the audit's arguments in their order."""
    this_model, source, product, interval, months, grain, rows, tables = arguments
    conditions = row_conditions(rows)
    own = isinstance(source, exp.Null)
    every_row = _all_rows(this_model)
    table = every_row if own else source_table(source)
    # Of a model that is built by another way than by time, any row may be new.
    by_time = every_row is not this_model
    if isinstance(months, exp.Array) or (by_time and not own):
        # What the models let through was checked when it came in; the source can hold anything.
        everywhere = () if own else conditions
        audited = audited_interval(evaluator, table, interval, months, everywhere)
    else:
        audited = this_model if own else table
    return broken_contract(
        product.name,
        audited,
        [column.name for column in grain.expressions],
        conditions,
        checked_rules(
            tables,
            audited,
            table,
            by_months=isinstance(months, exp.Array),
            preview=own and PREVIEW in evaluator.locals,
        ),
        examples=examples_shown(),
    )


def _all_rows(this_model: exp.Expr) -> exp.Expr:
    """The table that SQLMesh lets an audit see the built interval of; itself where it sees all."""
    query = this_model.unnest()
    if not isinstance(query, exp.Select) or not query.args.get("where"):
        return this_model
    return exp.select("*").from_(query.args["from_"].this.copy()).subquery()


def audited_interval(
    evaluator: MacroEvaluator,
    table: exp.Expr,
    interval: exp.Expr,
    months: exp.Expr,
    everywhere: Sequence[tuple[str, exp.Expr]] = (),
) -> exp.Expr:
    """The rows of `table` that are to be checked.

    interval: the time column with its type, as `column::DATE`, or NULL.
    months: pairs of dates, the first and the last day of spans of months, or NULL: then the
    interval that SQLMesh is building, or all rows where SQLMesh builds no interval, as in a view.
    everywhere: rules, of which those about the time alone are checked outside of the interval too:
    a row without a time, or with one before or after all that is ever built, is in no interval.
    """
    if not isinstance(interval, exp.Cast):
        return table
    if isinstance(months, exp.Array):
        spans = [(low.name, high.name) for low, high in (m.expressions for m in months.expressions)]
    elif "start_date" in evaluator.locals:
        spans = [(str(evaluator.locals["start_date"]), str(evaluator.locals["end_date"]))]
    else:
        return table
    time = interval.this.name
    broken = [
        _negated(condition)
        for _, condition in everywhere
        if {column.name for column in condition.find_all(exp.Column)} == {time}
    ]
    return within(table, time, interval.to, spans, broken)


def _negated(condition: exp.Expr) -> exp.Expr:
    """NOT of a condition, in words by which BigQuery can tell what partitions to leave out."""
    if isinstance(condition, exp.Not):
        return condition.this.copy()
    return simplify(exp.not_(condition.copy()), dialect=DIALECT)


def source_table(source: exp.Expr) -> exp.Expr:
    """The argument `source` of the audit: a name with a dot is read as a column of a table."""
    names = [part.name for part in source.parts] if isinstance(source, exp.Column) else []
    return exp.to_table(".".join(names), dialect=DIALECT) if names else source


def row_conditions(rules: exp.Expr) -> list[tuple[str, exp.Expr]]:
    """Id and condition of each rule in the argument `rows` of the audit."""
    return [(rule.expressions[0].name, _read(rule.expressions[1])) for rule in rules_of(rules)]


def _read(rule: exp.Expr) -> exp.Expr:
    """What a rule asks, from its text; states of before hold it as SQL.

    SQLMesh wrote that SQL as text, in which `%` has lost the brackets around what it is of.
    """
    if rule.is_string:
        return parse_one(rule.name, dialect=DIALECT)
    if rule.find(exp.Mod):
        raise WrongUse(
            "what its contract promised when it was planned cannot be read any more: an older "
            "revision of this project planned it.",
            fix="Plan this environment again: `sqlmesh plan`.",
        )
    return rule.unnest()


def checked_rules(
    rules: exp.Expr,
    audited: exp.Expr,
    whole: exp.Expr | None,
    *,
    by_months: bool = False,
    preview: bool = False,
) -> list[CheckedRule]:
    """The rules of the argument `tables` of the audit.

    audited: the rows for rules that an interval can break. whole: the table for rules that are only
    right on all of it; None, as older versions in SQLMesh's state say, leaves them out.
    by_months: whether just some months of a view are audited, whose other rows
    were: then of the rules about all of it only its number of rows is asked for again, since the
    others compare sums that the same code has made. preview: whether a part of the table was built:
    then how many rows it has is not asked for, nor what is compared with other products, of which
    other parts may be.
    """
    found = []
    for rule in rules_of(rules):
        name, scope, query = rule.expressions
        asked = _read(query)
        # What compares two sides is told by these alone.
        select = cast("exp.Select", differences(asked) if isinstance(asked, exp.Union) else asked)
        compares = any(table.db for table in select.find_all(exp.Table))
        if preview and (compares or scope.name == Scope.COUNT):
            continue
        held = of_interval(select, audited) if scope.name == Scope.GROUPS else None
        if held or scope.name == Scope.INTERVAL:
            found.append(CheckedRule(name.name, held or select))
        elif whole is not None and (scope.name == Scope.COUNT or not by_months):
            table = None if whole is audited else whole
            if table and scope.name == Scope.KEYS:
                table = sharing(table, audited, select.expressions[0].name)
            found.append(CheckedRule(name.name, select, table))
    return found


def contract_audit(contract: Contract, source: exp.Expr | None = None) -> exp.Expr:
    """One audit for all rules; they stand in its arguments.

    So a rule that is edited shows in SQLMesh's diff, and what an environment was checked against
    is in its state. A rule is a text: as SQL, SQLMesh would write and read it in the dialect of the
    model, where it can mean something else, such as NULL for a division by zero.

    source: the table to be checked instead of the model's own.
    """
    conditions = [_tuple(_text(r.id), _written(r.condition)) for r in contract.row_rules()]
    queries = [
        _tuple(_text(r.id), _text(_scope(r, source)), _written(r.sides or r.query))
        for r in contract.table_rules()
    ]
    arguments = {
        "product": _text(contract.product),
        "source": source or exp.Null(),
        "interval": _interval(contract),
        "months": exp.Null(),
        "grain": exp.Array(expressions=[column_named(name) for name in contract.grain]),
        "rows": _tuple(*conditions),
        "tables": _tuple(*queries) if queries else exp.Null(),
    }
    named = [
        exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
        for name, value in arguments.items()
    ]
    return exp.Anonymous(this=AUDIT, expressions=named)


def _written(rule: exp.Expr) -> exp.Literal:
    return exp.Literal.string(rule.sql(dialect=DIALECT))


def _scope(rule: TableRule, source: exp.Expr | None) -> Scope:
    """What this query reads: of what is built here, every row could have become a copy."""
    return Scope.WHOLE if rule.scope is Scope.KEYS and source is None else rule.scope


def _interval(contract: Contract) -> exp.Expr:
    """The column that says when a row's events happened, with its type; NULL if none says so.

    It is part of the grain, or alone; of several it cannot be told.
    """
    timed = [column for column in contract.columns if column.bigquery_type in TIMED]
    found = [column for column in timed if column.grain_position] or timed
    if len(found) != 1:
        return exp.Null()
    return exp.cast(column_named(found[0].name), found[0].bigquery_type, dialect=DIALECT)
