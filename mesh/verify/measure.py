"""What the engine counts for one product: all row rules in one scan, each table rule by a query.

A query gives the number of offenders and up to five of them at once, so that a rule that is broken
costs what one that is kept costs. Only for a broken row rule is the table looked at once more, to
the fifth row that breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.utils.date import to_datetime

from mesh.contracts import Contract
from mesh.contracts.rules import Resolve, RowRule, Scope, TableRule
from mesh.verify.engine import Engine, EngineRefuses, Row

if TYPE_CHECKING:
    import ibis

SAMPLE = 5
_COUNT = "number_of_offenders"


@dataclass(frozen=True)
class Finding:
    """failing: how many rows or groups break a rule, None when it could not be counted.

    problem: why it could not.
    """

    failing: int | None
    sample: tuple[Row, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Scan:
    """What one pass over a product told: its rows, failing rows by rule, and its span of time.

    newest, oldest: text where they are beyond Python's calendar, such as `infinity`.
    """

    rows: int | None
    failing: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    newest: datetime | str | None = None
    oldest: datetime | str | None = None


@dataclass(frozen=True)
class Measures:
    """Measures a product when it is asked, and each thing once.

    name: the table or view of the product; table: the same for ibis.
    resolve: from a product that a rule refers to, to its table or view in the environment.
    ahead: sources that hold deliveries which the environment does not show.
    """

    engine: Engine
    contract: Contract
    name: exp.Table
    table: ibis.Table
    resolve: Resolve
    ahead: frozenset[str] = frozenset()

    def _time_column(self, kind: str) -> str | None:
        """The column that a service level is measured on, where it is a time."""
        level = self.contract.service_level(kind)
        if level is None or level.element not in self.table.columns:
            return None
        found = self.table.schema()[level.element]
        return level.element if found.is_temporal() and not found.is_time() else None

    @cached_property
    def scan(self) -> Scan:
        rules = self.contract.row_rules()
        there = set(self.table.columns)
        problems = {rule.id: missing for rule in rules if (missing := _missing(rule, there))}
        checkable = [rule for rule in rules if rule.id not in problems]
        try:
            return self._scan(checkable, problems)
        except EngineRefuses as error:
            whole = str(error)
        # One rule that the engine cannot run, say on a column of another type, must not hide
        # what the others would find.
        failing: dict[str, int] = {}
        for rule in checkable:
            try:
                failing |= self._scan([rule], {}).failing
            except EngineRefuses as error:
                problems[rule.id] = str(error)
        try:
            rest = self._scan([], {})
        except EngineRefuses:
            return Scan(None, problems={rule.id: whole for rule in rules})
        return Scan(rest.rows, failing, problems, rest.newest, rest.oldest)

    def _scan(self, rules: list[RowRule], problems: dict[str, str]) -> Scan:
        query = exp.select(exp.Count(this=exp.Star()).as_("row_count")).from_(self.name.copy())
        schema: dict = {"row_count": "int64"}
        for number, rule in enumerate(rules):
            query = query.select(exp.alias_(exp.CountIf(this=rule.broken()), f"rule_{number}"))
            schema[f"rule_{number}"] = "int64"
        ends = (("freshness", "newest", exp.Max), ("retention", "oldest", exp.Min))
        for kind, alias, aggregate in ends:
            if column := self._time_column(kind):
                query = query.select(exp.alias_(aggregate(this=exp.column(column)), alias))
                schema[alias] = self.table.schema()[column]
        row = self.engine.rows(query, schema)[0]
        failing = {rule.id: row[f"rule_{number}"] for number, rule in enumerate(rules)}
        times = _moment(row.get("newest")), _moment(row.get("oldest"))
        return Scan(row["row_count"], failing, dict(problems), *times)

    def row_rule(self, rule: RowRule) -> Finding:
        """What breaks a row rule; the scan is shared, a sample is taken when there is one."""
        scan = self.scan
        if rule.id in scan.problems:
            return Finding(None, problem=scan.problems[rule.id])
        failing = scan.failing[rule.id]
        if not failing:
            return Finding(0)
        names = dict.fromkeys(
            name for name in (*self.contract.grain, *rule.columns) if name in self.table.columns
        )
        query = (
            exp.select(*[exp.column(name) for name in names])
            .from_(self.name.copy())
            .where(rule.broken())
            .limit(SAMPLE)
        )
        return Finding(failing, tuple(self.engine.rows(query)))

    def table_rule(self, rule: TableRule) -> Finding:
        """What breaks a table rule; a bound on the row count is answered by the scan."""
        if rule.scope is Scope.COUNT:
            return self._row_count(rule)
        try:
            offending = rule.offending(self.name, self.resolve).subquery("offenders")
            total = exp.alias_(exp.Window(this=exp.Count(this=exp.Star())), _COUNT)
            query = exp.select(exp.Star(), total).from_(offending).limit(SAMPLE)
            found = self.engine.rows(query)
        except EngineRefuses as error:
            return Finding(None, problem=str(error))
        if not found:
            return Finding(0)
        totals = [row.pop(_COUNT) for row in found]
        return Finding(totals[0], tuple(found))

    def _row_count(self, rule: TableRule) -> Finding:
        rows = self.scan.rows
        if rows is None:
            return Finding(None, problem="the rows could not be counted")
        kept = rule.is_kept_by(rows)
        return Finding(0) if kept else Finding(1, ({"row_count": rows},))


def _missing(rule: RowRule, there: set[str]) -> str:
    missing = [name for name in rule.columns if name not in there]
    return f"there is no column {', '.join(missing)}" if missing else ""


def _moment(value: date | datetime | str | None) -> datetime | str | None:
    """A date as its first moment; always with the time zone UTC. What is no date stays its text."""
    return value if value is None or isinstance(value, str) else to_datetime(value)
