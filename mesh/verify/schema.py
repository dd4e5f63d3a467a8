"""A contract as a Pandera schema on the ibis backend.

Pandera judges: columns, types and one check per scan. How many rows fail, and which, its ibis
backend would find by pulling the outcome of every row into pandas, even with `n_failure_cases`; so
each check answers with one truth value, and the counts behind it stay with the Measures.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandera.ibis as pa
from pandera.errors import SchemaErrorReason, SchemaErrors
from sqlglot import exp

from mesh.contracts.constraints import RowCount
from mesh.contracts.rules import RowRule, TableRule
from mesh.contracts.types import is_statable
from mesh.project import examples_shown
from mesh.verify.levels import Judge, Levels
from mesh.verify.measure import SAMPLE, Measures
from mesh.verify.report import Outcome, Status

WARNING = "warning"


def outcome_of(rule: RowRule | TableRule, measures: Measures) -> Outcome:
    """What a rule finds, and what is told of it."""
    finding = measures.row_rule(rule) if isinstance(rule, RowRule) else measures.table_rule(rule)
    status, message = Status.KEPT, ""
    # The number of rows of a table says nothing of anybody.
    told = examples_shown() or rule.kind == RowCount.kind
    if finding.failing is None:
        status, message = Status.UNCHECKED, f"it could not be checked: {finding.problem}"
    elif finding.failing and (ahead := _ahead(rule, measures)):
        # Compared with later rows than any that the environment could have.
        status = Status.WARNED
        message = f"{', '.join(ahead)}: deliveries are there that are not shown yet"
    elif finding.failing:
        status = Status.WARNED if rule.severity == WARNING else Status.BROKEN
    return Outcome(
        rule=rule.id,
        kind=rule.kind,
        description=rule.description,
        dimension=rule.dimension,
        status=status,
        where=measures.contract.location(rule.line),
        checked=None if finding.failing is None else measures.scan.rows,
        failing=finding.failing,
        sample=() if message or not told else finding.sample,
        message=message,
    )


def _ahead(rule: RowRule | TableRule, measures: Measures) -> list[str]:
    references = rule.references if isinstance(rule, TableRule) else ()
    own = measures.contract.product in measures.ahead
    return [] if own else sorted(measures.ahead.intersection(references))


class Judgement:
    """The outcomes of one product, gathered while Pandera runs the checks of its schema."""

    def __init__(self, measures: Measures, levels: Levels):
        self.measures = measures
        self.contract = measures.contract
        self.levels = levels
        self.outcomes: dict[str, Outcome] = {}

    def schema(self) -> pa.DataFrameSchema:
        """The schema of the contract.

        Null values and the order of columns are checks of our own: Pandera's take one more scan
        per column, or stop at the first column that is out of place.
        """
        type_of, on = self.measures.engine.type_of, self.measures.engine.dialect
        columns = {
            column.name: pa.Column(type_of(column.type_on(on)), nullable=True, required=True)
            for column in self.contract.columns
        }
        checks = [
            self._check("columns.extra", self._extra),
            self._check("columns.order", self._order),
            self._check("rows", *map(self._of_rule, self.contract.row_rules())),
        ]
        for rule in self.contract.table_rules():
            checks.append(self._check(rule.id, self._of_rule(rule)))
        for name, judge in self.levels.judges(self.contract, self.measures, self.outcomes):
            checks.append(self._check(name, judge))
        return pa.DataFrameSchema(columns, checks=checks, name=self.contract.product)

    def run(self) -> tuple[Outcome, ...]:
        """Validate, and give all outcomes: columns first, then rows, table and service levels."""
        self.failure: Exception | None = None
        broken: list[Any] = []
        try:
            self.schema().validate(self.measures.table, lazy=True)
        except SchemaErrors as error:
            broken = list(error.schema_errors)
        if self.failure is not None:  # Pandera takes a defect of a check for bad data.
            raise self.failure
        return (*self._columns(broken), *self.outcomes.values())

    def _check(self, name: str, *judges: Judge) -> pa.Check:
        def keeps(_: Any) -> bool:
            try:
                found = [judge() for judge in judges]
            except Exception as error:
                self.failure = self.failure or error
                raise
            self.outcomes.update({outcome.rule: outcome for outcome in found})
            return all(outcome.ok for outcome in found)

        return pa.Check(keeps, name=name, n_failure_cases=SAMPLE)

    def _of_rule(self, rule: RowRule | TableRule) -> Judge:
        return partial(outcome_of, rule, self.measures)

    def _about_columns(
        self, rule: str, description: str, wrong: list[str], line: int, told: str = ""
    ) -> Outcome:
        return Outcome(
            rule=rule,
            kind="columns",
            description=description,
            dimension="conformity",
            status=Status.BROKEN if wrong else Status.KEPT,
            where=self.contract.location(line),
            checked=len(self.contract.columns),
            failing=len(wrong),
            message=told or "; ".join(wrong),
        )

    def _extra(self) -> Outcome:
        table, engine = self.measures.table, self.measures.engine
        stated = {column.name for column in self.contract.columns}
        types = {
            name: engine.type_text(kind)
            for name, kind in table.schema().items()
            if name not in stated
        }
        # Nobody here can cast what a source has in lists and records.
        is_source, dialect = self.contract.is_of_source, engine.dialect
        extra = [
            f"{name} ({kind}) is not in the contract"
            for name, kind in types.items()
            if not is_source or is_statable(exp.DataType.build(kind, dialect=dialect))
        ]
        line = self.contract.line_of("schema")
        return self._about_columns("columns.extra", "There is no other column.", extra, line)

    def _order(self) -> Outcome:
        stated = [column.name for column in self.contract.columns]
        real = [name for name in self.measures.table.columns if name in stated]
        expected = [name for name in stated if name in real]
        moved = [name for name, other in zip(real, expected, strict=True) if name != other]
        told = f"they stand in the order {', '.join(real)}" if moved else ""
        what = "The columns stand in the order of the contract."
        line = self.contract.line_of("schema")
        return self._about_columns("columns.order", what, moved, line, told)

    def _columns(self, errors: list[Any]) -> list[Outcome]:
        """What Pandera itself found: columns that are missing or of another type."""
        contract, table, engine = self.contract, self.measures.table, self.measures.engine
        absent = [
            str(error.failure_cases)
            for error in errors
            if error.reason_code is SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME
        ]
        mistyped = [
            column
            for error in errors
            if error.reason_code is SchemaErrorReason.WRONG_DATATYPE
            and (column := contract.column(error.schema.name))
        ]
        lines = [column.line_of("name") for name in absent if (column := contract.column(name))]
        types = [
            f"{column.name} is {engine.type_text(table.schema()[column.name])}, "
            f"promised {column.type_on(engine.dialect)}"
            for column in mistyped
        ]
        line = contract.line_of("schema")
        return [
            self._about_columns(
                "columns.present",
                "Every column is there.",
                [f"{name} is missing" for name in absent],
                lines[0] if lines else line,
            ),
            self._about_columns(
                "columns.types",
                "Every column has its type.",
                types,
                mistyped[0].line_of("physicalType") if mistyped else line,
            ),
        ]
