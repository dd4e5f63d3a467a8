"""The proof of a whole project, in one start of the analyzer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlmesh.utils.errors import SQLMeshError

from mesh.contracts import Contract, ContractInvalid, find
from mesh.contracts.engines import Difference, told_apart
from mesh.contracts.rules import bind
from mesh.contracts.types import LOGICAL
from mesh.deliveries import COLUMNS as LOG
from mesh.environments.names import is_public
from mesh.errors import WrongUse
from mesh.project import Project
from mesh.prove.analyzer import Analyzer, Refusal
from mesh.prove.findings import Finding, Proof
from mesh.prove.limits import function_limits, model_limits
from mesh.prove.materialized import materialized_limits
from mesh.prove.partition_filters import filtered_tables, unfiltered_reads
from mesh.prove.place import line_in_file
from mesh.prove.planner import planner_limits
from mesh.prove.project import PROJECT, BigQueryProject, chosen_models, open_for_bigquery
from mesh.prove.storing import history_refused
from mesh.prove.types import same_type

_CREATED = re.compile(r"CREATE (?:OR REPLACE )?TABLE (?:IF NOT EXISTS )?((?:`[^`]+`\.?)+)", re.I)

# A column's name in BigQuery; what has none is called $col3, _col_3 or by its value.
_COLUMN_NAME = re.compile(
    r"(?!_col_\d+$)(?!_(TABLE_|FILE_|PARTITION|ROW_TIMESTAMP|COLIDENTIFIER|_ROOT__))"
    r"(?!_CHANGE_(TYPE|TIMESTAMP|SEQUENCE_NUMBER))[A-Z_][A-Z0-9_]{0,299}",
    re.IGNORECASE,
)

T = TypeVar("T")
_Place = tuple[int | None, int | None]
"""Line and column of a text, from 1; None where nobody says."""
_Fault = tuple[str, str, _Place]
"""The rule, a message, and where in the query."""


@dataclass(frozen=True)
class ChartQuery:
    """A query that a dashboard sends: its name, where it is defined, its SQL for BigQuery."""

    subject: str
    path: Path
    line: int
    sql: str


@dataclass
class _Run:
    project: BigQueryProject
    analyzer: Analyzer
    required: dict[str, str]
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    statements: int = 0

    def refusal(self, sql: str) -> Refusal | None:
        self.statements += 1
        return self.analyzer.analyze(sql).refusal

    def differences(self, query: exp.Expr) -> Iterator[Difference]:
        """What DuckDB understands otherwise in a query, if the project runs there too."""
        return told_apart(query) if self.project.on_duckdb else iter(())

    def said(self, sql: str) -> str | None:
        """What Google says against a statement; None if it takes it."""
        refusal = self.refusal(sql)
        return _said(refusal) if refusal else None


def prove(
    project: Project,
    models: Sequence[str] = (),
    *,
    charts: Iterable[ChartQuery] = (),
    tell: Callable[[str, float], None] = lambda what, done: None,
) -> Proof:
    """Let Google's analyzer read all that BigQuery would be given.

    models: `schema.name` or the name alone; by default all models, and the charts. tell: hears
    what is looked at, and how much of all is done, from 0 to 1.
    WrongUse if a model is not there.
    """
    tell("the project", 0.0)
    files = open_for_bigquery(project)
    chosen = [name for name in chosen_models(files, models) if files.models[name].is_sql]
    tell("Google's analyzer", 0.0)
    run = _Run(files, Analyzer(project.cache / "googlesql"), filtered_tables(files))
    _add_tables(run)
    findings: list[Finding] = []
    queries = [] if models else list(charts)
    subjects = (*chosen, *(query.subject for query in queries))
    for number, name in enumerate(chosen):
        tell(name, number / len(subjects))
        findings += _prove_model(run, name)
    for number, query in enumerate(queries, start=len(chosen)):
        tell(query.subject, number / len(subjects))
        findings += _prove_chart(run, query)
    run.analyzer.close()
    return Proof(subjects, run.statements, tuple(dict.fromkeys(findings)))


def _add_tables(run: _Run) -> None:
    """Each model under its own name and its physical table's, with the columns that it promises.

    So a model that is wrong makes no findings in those that read it.
    """
    project = run.project.project
    outside = {(one.schema, one.name): one.columns for one in project.sources.values()}
    if project.settings.deliveries:
        # No model reads the log, but audits do.
        outside |= {(project.settings.deliveries, name): one for name, one in LOG.items()}
    for parts, kinds in outside.items():
        run.analyzer.add_table((PROJECT, *parts), kinds)
        run.analyzer.add_table(parts, kinds)
    for name in run.project.models:
        columns = run.columns[name] = _columns(run, name)
        known = {c: t for c, t in columns.items() if t != "UNKNOWN"}
        if not known:
            continue
        full = exp.to_table(run.project.models[name].fqn, dialect="bigquery")
        # Whoever leaves the catalog of a model out reads it in the one that is used by default.
        short = full.db, full.name
        for called in (_parts(full), short, (PROJECT, *short)):
            run.analyzer.add_table(called, known)
        if not run.project.models[name].kind.is_external:
            run.analyzer.add_table(_parts(run.project.table(name)), known)


def _promised(project: BigQueryProject, name: str) -> dict[str, str]:
    contract = _contract(project, name)
    if contract is not None:
        return {column.name: column.bigquery_type for column in contract.columns}
    return project.columns(name)


def _contract(project: BigQueryProject, name: str) -> Contract | None:
    if not project.models[name].is_sql or not is_public(name):
        return None
    try:
        return find(name, project.project.contracts)
    except WrongUse:
        return None
    except ContractInvalid:
        # A draft may wait there until it is finished.
        if name in project.project.settings.uncontracted:
            return None
        raise


def _columns(run: _Run, name: str) -> dict[str, str]:
    """A model's columns for those that read it: as promised, else as Google sees them.

    SQLMesh guesses what nobody promised and no cast says, and guesses wrong of arrays and records.
    """
    promised, model = _promised(run.project, name), run.project.models[name]
    # What a model itself says of its columns, its query is not asked.
    is_stated = not model.is_sql or model.columns_to_types_ is not None
    if _contract(run.project, name) is not None or is_stated:
        return promised
    seen, managed = _analyzed(run, name), model.managed_columns
    return {**seen, **{c: t for c, t in promised.items() if not seen or c in managed}}


def _analyzed(run: _Run, name: str) -> dict[str, str]:
    """The columns that Google sees in a model's query; none if it refuses it."""
    query, _ = _rendered(lambda: run.project.query(name))
    if query is None:
        return {}
    columns = run.analyzer.analyze(query.sql(dialect="bigquery")).columns
    return {column.name: column.type for column in columns}


def _rendered(work: Callable[[], T]) -> tuple[T | None, str]:
    """What SQLMesh makes of a model, or why it cannot."""
    try:
        return work(), ""
    except (SQLMeshError, SqlglotError) as error:
        return None, " ".join(str(error).split()) or type(error).__name__


def _parts(table: exp.Table) -> tuple[str, ...]:
    return (table.catalog or PROJECT, table.db, table.name)


def _prove_model(run: _Run, name: str) -> Iterator[Finding]:
    path = run.project.path(name)
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    for message in model_limits(run.project, name, run.columns[name]):
        yield Finding(name, "limit", path, 1, message)
    query, why = _rendered(lambda: run.project.query(name))
    if why:
        yield Finding(name, "not_rendered", path, 1, f"SQLMesh cannot render the query: {why}")
    if query is None:
        return
    sql = query.sql(dialect="bigquery", pretty=True)
    found = [
        Finding(name, rule, path, line_in_file(source, sql, *place), message)
        for rule, message, place in _faults(run, sql, query)
    ]
    if clash := history_refused(run.project.models[name], run.columns[name]):
        header = source.upper().splitlines()
        line = next((n for n, text in enumerate(header, 1) if "SCD_TYPE_2" in text), 1)
        found.append(Finding(name, "refused", path, line, clash))
    for message, phrase in materialized_limits(run.project.models[name], query):
        line = line_in_file(source, sql, *_place(sql, phrase))
        found.append(Finding(name, "limit", path, line, message))
    if all(finding.rule == "partition_filter" for finding in found):
        found += _outputs(run, name, path, source, sql)
    yield from found
    if not any(finding.rule in ("refused", "function", "planner") for finding in found):
        yield from _wrapped(run, name, path)
        yield from _audits(run, name, path)


def _place(sql: str, phrase: str, skipped: int = 0) -> _Place:
    """The last place of a phrase in a rendered query.

    skipped: how many characters of the phrase stand before the word that is looked for.
    """
    position = sql.rfind(phrase)
    if position < 0:
        return None, None
    position += skipped
    return sql.count("\n", 0, position) + 1, position - sql.rfind("\n", 0, position)


def _faults(run: _Run, sql: str, parsed: exp.Expr | None = None) -> Iterator[_Fault]:
    """What is wrong with a query. parsed: the same, if it is known."""
    refusal = run.refusal(sql)
    if refusal is not None:
        place = refusal.line, refusal.column
        yield "refused", f"BigQuery refuses this: {_said(refusal)}", place
        return
    query = parsed if parsed is not None else parse_one(sql, dialect="bigquery")
    for message, word in function_limits(sql):
        yield "function", message, (word.line, word.start)
    for rule, found in (
        ("engines", ((str(one), one.text) for one in run.differences(query))),
        ("planner", planner_limits(query, run.said)),
        ("partition_filter", unfiltered_reads(query, run.required)),
    ):
        for message, phrase in found:
            yield rule, message, _place(sql, phrase)


def _said(refusal: Refusal) -> str:
    return refusal.message.replace(f"{PROJECT}.", "")


def _outputs(run: _Run, name: str, path: Path, source: str, sql: str) -> Iterator[Finding]:
    """Whether BigQuery's columns are those that were promised, in name, type and order."""
    given = run.analyzer.analyze(sql).columns
    # SQLMesh writes some columns itself, such as from when to when a row was valid.
    managed = run.project.models[name].managed_columns
    promised = {c: t for c, t in _promised(run.project, name).items() if c not in managed}
    contract = _contract(run.project, name)
    by = "the contract" if contract else "SQLMesh"
    for position, column in enumerate(given, 1):
        if not _COLUMN_NAME.fullmatch(column.name):
            what, fix = f"is called `{column.name}`", "name it by letters, digits and _ alone"
            # SQLMesh calls some after their number or their text.
            if column.name.startswith("_col_") or not column.name[:1].isidentifier():
                what, fix = "has no name", "write AS and letters"
            elif column.name.startswith("_"):
                fix = "BigQuery has such columns of its own"
            message = f"column {position} of the query {what}: {fix}."
            yield Finding(name, "output", path, line_in_file(source, sql, None, None), message)
    names = [column.name for column in given]
    if sorted(names) != sorted(promised):
        missing = ", ".join(sorted(set(promised) - set(names))) or "none"
        extra = ", ".join(sorted(set(names) - set(promised))) or "none"
        message = (
            f"the columns in BigQuery are not those of {by}: missing {missing}; too many {extra}."
        )
        yield Finding(name, "output", path, line_in_file(source, sql, None, None), message)
    elif contract and names != list(promised):
        message = f"the columns are in another order than in {by}: {', '.join(promised)}."
        yield Finding(name, "output", path, line_in_file(source, sql, None, None), message)
    if not contract and run.project.models[name].kind.is_view:
        # Of a view BigQuery takes what the query gives; what SQLMesh guesses of it is not asked.
        return
    for column in given:
        expected = promised.get(column.name)
        if expected in (None, "UNKNOWN") or same_type(expected, column.type):
            continue
        line = line_in_file(source, sql, *_place(sql, f"AS `{column.name}`", 3))
        fix = f", or promise {column.type}" if contract and column.type in LOGICAL else ""
        message = (
            f"column {column.name} is {column.type} in BigQuery, and {expected} by {by}"
            f"{'' if contract else ', which stores it so'}: cast it{fix}."
        )
        yield Finding(name, "output", path, line, message)


def _wrapped(run: _Run, name: str, path: Path) -> Iterator[Finding]:
    """What SQLMesh puts around the query: CREATE, MERGE, views, descriptions, labels."""
    statements, why = _rendered(lambda: run.project.wrapped(name))
    if why:
        yield Finding(name, "not_rendered", path, 1, f"SQLMesh cannot build the model: {why}")
    variables: dict[str, str] = {}
    for statement in dict.fromkeys(statements or ()):
        declared = re.match(r"(?s)DECLARE (\w+) (ARRAY<\w+>) DEFAULT \((.*)\);?$", statement)
        if declared:
            variables[declared.group(1)] = f"CAST([] AS {declared.group(2)})"
            # What it is made from is a query like the others.
            statement = f"SELECT ({declared.group(3)})"
        for variable, value in variables.items():
            statement = re.sub(rf"`?\b{variable}\b`?", value, statement)
        run.statements += 1
        analysis = run.analyzer.analyze(statement)
        if analysis.refusal is not None:
            message = f"BigQuery refuses what SQLMesh runs for it: {_said(analysis.refusal)}"
            yield Finding(name, "refused", path, 1, message)
            return
        created = _CREATED.match(statement)
        if created and "__temp_" in created.group(1) and analysis.columns:
            parts = tuple(created.group(1).strip("`").split("`.`"))
            run.analyzer.add_table(parts, {c.name: c.type for c in analysis.columns})


def _audits(run: _Run, name: str, path: Path) -> Iterator[Finding]:
    audits, why = _rendered(lambda: run.project.audits(name))
    if why:
        yield Finding(name, "audit", path, 1, f"SQLMesh cannot render an audit: {why}")
    for audit, query in (audits or {}).items():
        sql = query.sql(dialect="bigquery", identify=True)
        refusal = run.refusal(sql)
        if refusal is not None:
            rules = list(_broken_rules(run, name))
            yield from rules
            if not rules:
                message = f"BigQuery refuses the audit {audit}: {_said(refusal)}"
                file, source = run.project.audit_source(name, audit)
                line = line_in_file(source, sql, refusal.line, refusal.column)
                yield Finding(name, "audit", file, line, message)
        wrong = (*planner_limits(query, run.said), *unfiltered_reads(query, run.required))
        for message, _ in wrong:
            yield Finding(name, "audit", path, 1, f"audit {audit}: {message}")


def _broken_rules(run: _Run, name: str) -> Iterator[Finding]:
    """The rules of a model's contract that BigQuery refuses, each where it stands."""
    contract = _contract(run.project, name)
    if contract is None:
        return
    table = exp.to_table(contract.product, dialect="bigquery")
    queries = [
        (rule.id, rule.line, exp.select(rule.condition.copy()).from_(table.copy()))
        for rule in contract.row_rules()
    ]
    queries += [(rule.id, rule.line, bind(rule.query, table)) for rule in contract.table_rules()]
    for rule_id, line, query in queries:
        refusal = run.refusal(query.sql(dialect="bigquery"))
        if refusal is not None:
            message = f"BigQuery refuses the rule {rule_id}: {_said(refusal)}"
            yield Finding(name, "audit", contract.path, line, message)


def _prove_chart(run: _Run, chart: ChartQuery) -> Iterator[Finding]:
    for rule, message, _ in _faults(run, chart.sql):
        yield Finding(chart.subject, rule, chart.path, chart.line, message)
