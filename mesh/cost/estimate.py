"""What the project costs: a full build, a month of runs, and a look at each chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import itemgetter

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlmesh.utils.date import to_date
from sqlmesh.utils.errors import SQLMeshError

from mesh.contracts import usable_contracts
from mesh.contracts.types import today
from mesh.cost.runs import days_of_run, runs_a_month
from mesh.cost.scan import Relations, scan
from mesh.cost.sizes import Scan, TableSize
from mesh.cost.statistics import is_inlined, partition_column
from mesh.deliveries import months_after
from mesh.errors import WrongUse
from mesh.prove.project import BigQueryProject
from mesh.prove.run import ChartQuery


@dataclass(frozen=True)
class ModelCost:
    """Bytes that one model's statements scan; billed is scanned with BigQuery's minimum.

    monthly: all runs of a month, of which there are `runs` by the model's cron. monthly_audits: the
    part of the month that the contracts' audits scan.
    """

    model: str
    monthly: float
    monthly_billed: float
    monthly_audits: float
    full: float
    full_billed: float
    runs: float = 1.0


@dataclass(frozen=True)
class ChartCost:
    """Bytes that one look at a chart scans, if nothing is cached."""

    chart: str
    scanned: float
    billed: float


@dataclass(frozen=True)
class Cost:
    """What everything scans, for data of the size that was asked for.

    rows: of the largest source. month: the first day of the month whose runs count.
    """

    rows: int
    month: date
    models: tuple[ModelCost, ...]
    charts: tuple[ChartCost, ...]
    sizes: Mapping[str, TableSize] = field(default_factory=dict, compare=False, repr=False)

    @property
    def unbuilt(self) -> list[str]:
        """The models that the environment does not have, and that count as empty."""
        return sorted(name for name, size in self.sizes.items() if not size.columns)

    @property
    def monthly(self) -> float:
        return sum(model.monthly for model in self.models)

    @property
    def full(self) -> float:
        return sum(model.full for model in self.models)

    @property
    def monthly_build(self) -> float:
        """Without the audits."""
        return sum(model.monthly - model.monthly_audits for model in self.models)

    @property
    def dashboards(self) -> float:
        return sum(chart.scanned for chart in self.charts)


def estimate(
    project: BigQueryProject,
    sizes: Mapping[str, TableSize],
    *,
    rows: int | None = None,
    charts: Iterable[ChartQuery] = (),
) -> Cost:
    """The cost when the largest source has `rows` rows; as many as there are, without.

    Without sources it is the largest table that counts. How tables grow with it: see `growth`.
    """
    sources = [size for name, size in sizes.items() if name in project.project.sources]
    there = max((size.rows for size in sources or sizes.values()), default=0)
    if not there:
        raise WrongUse(
            "there are no rows to count from.",
            fix="Load the sources, and plan an environment: `sqlmesh plan dev`.",
        )
    factor = rows / there if rows else 1.0
    scaled = {name: size.scaled(growth(project, name, factor)) for name, size in sizes.items()}
    relations = relations_of(project, scaled)
    month = typical_month(scaled)
    run = _Statements(project, relations)
    queries = {name: one for name, one in project.models.items() if one.is_sql}
    models = [run.cost(name, month) for name, one in queries.items() if not one.kind.is_embedded]
    looked_at = []
    for chart in charts:
        one = scan(parse_one(chart.sql, dialect="bigquery"), relations)
        looked_at.append(ChartCost(chart.subject, one.scanned, one.billed))
    return Cost(rows or int(there), month, tuple(models), tuple(looked_at), scaled)


def growth(project: BigQueryProject, name: str, factor: float) -> float:
    """How many times the rows of a table grow when those of the largest source grow `factor` times.

    By its key: a table with one row per value of columns whose powers the project's settings tell
    grows with the largest of these powers, and one without any such column does not grow. All else
    is taken to grow in proportion, which is too much rather than too little.
    """
    powers = project.project.settings.growth
    keys = _key(project, name)
    known = {powers[key] for key in keys if key in powers}
    if keys and not any(known):
        return 1.0
    return factor ** max(known) if known and keys <= powers.keys() else factor


def _key(project: BigQueryProject, name: str) -> set[str]:
    if name in project.project.sources:
        contract = usable_contracts(project.project.contracts).get(name)
        return set(contract.grain) if contract else set()
    grains = project.models[name].grains
    return {column.name for key in grains for column in key.find_all(exp.Column)}


def relations_of(project: BigQueryProject, sizes: Mapping[str, TableSize]) -> Relations:
    """Schemas, views and sizes of all models."""
    views = {}
    for name, model in project.models.items():
        if is_inlined(model):
            query = project.query(name, plain=True)
            if query is not None:
                views[name] = query
    schemas = {name: project.columns(name) for name in project.models}
    return Relations(schemas, views, sizes)


def typical_month(sizes: Mapping[str, TableSize]) -> date:
    """The newest month that has at least the mean of the rows of the last twelve months.

    Of the largest table that is stored by months; the newest of all may hold a few days only. This
    month, where nothing is stored by months.
    """
    by_months = [(size.rows, size.months) for size in sizes.values() if size.months]
    if not by_months:
        return today().replace(day=1)
    _, months = max(by_months, key=itemgetter(0))
    newest = sorted(months)[-12:]
    mean = sum(months[month] for month in newest) / len(newest)
    return max(month for month in newest if months[month] >= mean)


@dataclass(frozen=True)
class _Statements:
    """What SQLMesh runs for the models of a project, and what it scans."""

    project: BigQueryProject
    relations: Relations

    def cost(self, name: str, month: date) -> ModelCost:
        model = self.project.models[name]
        run = full = self._spent(name, *days_of_run(model, month))
        # What is built whole is the same in each run: nothing in it is about an interval.
        if model.kind.is_incremental:
            last = months_after(month) - timedelta(days=1)
            full = self._spent(name, self._first_day(name), last, fresh=True)
        runs = runs_a_month(model.cron)
        monthly, billed, audits = (size * runs for size in run)
        return ModelCost(name, monthly, billed, audits, *full[:2], runs=runs)

    def _spent(
        self, name: str, start: date, end: date, *, fresh: bool = False
    ) -> tuple[float, float, float]:
        """What those for some days scan, what of it is billed, and what audits scan."""
        built = [*self._build(name, start, end, fresh=fresh)]
        audits = [*self._audits(name, start, end)]
        audited = sum(one.scanned for one in audits)
        scanned = sum(one.scanned for one in built) + audited
        return scanned, sum(one.billed for one in (*built, *audits)), audited

    def _first_day(self, name: str) -> date:
        """Where a full build of a model begins."""
        defaults = self.project.context.config.model_defaults
        start = self.project.models[name].start or defaults.start
        return to_date(start) if start else date.min

    def _build(self, name: str, start: date, end: date, *, fresh: bool) -> Iterable[Scan]:
        """The statement that fills a model's table: nothing for a view.

        Into a table that is there, SQLMesh merges: what may be replaced is read, all its columns.
        Of a model by time range that is the partitions of the run. A key may stand anywhere, and
        which partitions new rows fall into is known only then: there it is the whole table.
        """
        model = self.project.models[name]
        if name in self.relations.views:
            return
        query = self.project.query(name, start=start.isoformat(), end=end.isoformat(), plain=True)
        if query is None:
            return
        reads = dict(scan(query, self.relations).tables)
        own = self.relations.sizes.get(name)
        merges = model.kind.is_incremental and not model.kind.is_incremental_unmanaged
        if own is not None and merges and not fresh:
            partitioned = partition_column(self.project, name) is not None
            by_time = model.kind.is_incremental_by_time_range and partitioned
            rows = own.rows_between(start, end) if by_time else own.rows
            reads[name] = reads.get(name, 0) + rows * sum(own.columns.values())
        yield Scan(reads)

    def _audits(self, name: str, start: date, end: date) -> Iterable[Scan]:
        """What the audits scan after the model was built."""
        first, last = start.isoformat(), end.isoformat()
        try:
            audits = self.project.audits(name, start=first, end=last, plain=True)
        except (SQLMeshError, SqlglotError):
            return
        for query in audits.values():
            yield scan(query, self.relations)
