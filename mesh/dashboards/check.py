"""A dashboard against the contracts of its sources: what `mesh dashboards check` finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mesh.contracts import Column, Contract, load_contracts
from mesh.contracts.load import CONTRACTS
from mesh.dashboards import spec
from mesh.dashboards.read import SPECS, DashboardInvalid, Loaded, read_spec, spec_paths
from mesh.dashboards.versions import in_range
from mesh.files.problems import Problem, shown, suggestion
from mesh.files.tree import Steps

NON_ADDITIVE = "non_additive"
"""The tag of a column, in its contract, whose values must not be added over rows."""
READER = "bi_reader"
COLUMNS = 12
MAX_SLICES = 10
NUMBERS = ("integer", "number")
RULES: Mapping[str, str] = {
    "SOURCE_UNKNOWN": "A source is a data product with a contract.",
    "SOURCE_VERSION": "The contract's version is one that the dashboard was made for.",
    "SOURCE_PERSONAL": "No chart reads a product with a personal column.",
    "SOURCE_ROLE": "The contract lets dashboards read the product.",
    "SOURCE_ALIAS": "Charts and metrics name a source of the dashboard; each is used.",
    "METRIC_UNKNOWN": "Charts name a metric of their dashboard, of their own source.",
    "METRIC_UNUSED": "A metric is there to be shown.",
    "METRIC_NOT_ADDITIVE": "What must not be added over rows is not added.",
    "METRIC_NOT_ONE_ROW": "A metric that takes one row's value needs a chart that names one row.",
    "FIELD_UNKNOWN": "A field is a column of the product.",
    "FIELD_TYPE": "A field has a type that can be used in its place.",
    "VALUE_UNKNOWN": "A filter and a label name a value that the column can have.",
    "FILTER": "A column is filtered once, by `equals` or by `one_of`.",
    "TABLE_COLUMN": "A column of a table is a dimension or a metric.",
    "PIE_SLICES": "A pie has at most ten slices; the rest is Others.",
    "TOP": "The product counted Others for just as many values as the chart shows.",
    "GRID": "Charts lie inside the twelve columns and do not overlap.",
    "ID_DUPLICATE": "Ids are unique: lineage and links tell charts apart by them.",
}


def check(root: Path = SPECS, contracts: Path = CONTRACTS) -> tuple[int, list[Problem]]:
    """How many specs there are in a folder, and every problem of every one, sorted."""
    known = load_contracts(contracts)
    paths, problems = spec_paths(root), []
    for path in paths:
        loaded, wrong = read_spec(path)
        problems += wrong
        if loaded:
            problems += check_dashboard(loaded, known)
    return len(paths), sorted(set(problems))


def checked_dashboards(root: Path = SPECS, contracts: Path = CONTRACTS) -> list[Loaded]:
    """All dashboards of a folder. Raises DashboardInvalid when one does not keep to a contract."""
    _, problems = check(root, contracts)
    if problems:
        raise DashboardInvalid(problems)
    return [loaded for loaded, _ in map(read_spec, spec_paths(root)) if loaded]


def check_dashboard(loaded: Loaded, contracts: Mapping[str, Contract]) -> list[Problem]:
    """All that is wrong with one dashboard that could be read."""
    return list(_Checker(loaded, contracts).problems())


class _Checker:
    def __init__(self, loaded: Loaded, contracts: Mapping[str, Contract]):
        self.dashboard, self.tree, self.contracts = loaded.dashboard, loaded.tree, contracts

    def problem(self, steps: Steps, rule: str, message: str, fix: str) -> Problem:
        return Problem(self.tree.path, self.tree.line(steps), rule, message, fix)

    def contract(self, alias: str) -> Contract | None:
        source = self.dashboard.sources.get(alias)
        return self.contracts.get(source.product) if source else None

    def problems(self) -> Iterator[Problem]:
        for alias, source in self.dashboard.sources.items():
            yield from self.source(alias, source)
        for name, metric in self.dashboard.metrics.items():
            yield from self.metric(name, metric)
        ids: dict[str, int] = {}
        for index, chart in enumerate(self.dashboard.charts):
            if chart.id in ids:
                first = self.tree.line(("charts", ids[chart.id], "id"))
                message = f"The id `{chart.id}` stands twice: first on line {first}."
                steps: Steps = ("charts", index, "id")
                yield self.problem(steps, "ID_DUPLICATE", message, "Rename one of them.")
            ids.setdefault(chart.id, index)
            yield from self.chart(index, chart)
        yield from self.unused()
        yield from self.grid()

    def source(self, alias: str, source: spec.Source) -> Iterator[Problem]:
        here: Steps = ("sources", alias)
        contract = self.contracts.get(source.product)
        if contract is None:
            message = f"`{shown(source.product)}` is no product with a contract."
            fix = suggestion(source.product, self.contracts)
            yield self.problem((*here, "product"), "SOURCE_UNKNOWN", message, fix)
            return
        fits = in_range(contract.version, source.version)
        if fits is None:
            message = f"`{shown(source.version)}` is no range of versions."
            fix = "Write for example `>=1.0.0 <2.0.0`."
            yield self.problem((*here, "version"), "SOURCE_VERSION", message, fix)
        elif not fits:
            message = (
                f"{contract.product} has version {contract.version}, which is not in "
                f"`{shown(source.version)}`."
            )
            fix = "See what changed in the contract, mend the charts, and then widen the range."
            yield self.problem((*here, "version"), "SOURCE_VERSION", message, fix)
        if contract.personal_columns:
            names = ", ".join(f"`{column.name}`" for column in contract.personal_columns)
            message = f"{contract.product} has personal columns: {names}."
            fix = "Read a mart: a product of the dashboards that holds counts of users only."
            yield self.problem((*here, "product"), "SOURCE_PERSONAL", message, fix)
        if not any(role.name == READER for role in contract.roles):
            message = f"The contract of {contract.product} has no role `{READER}`."
            fix = "Dashboards read the consumer's products: name one of those."
            yield self.problem((*here, "product"), "SOURCE_ROLE", message, fix)
        for key in ("as_of", "window_start"):
            name = getattr(source, key)
            if name is not None:
                yield from self.field(contract, name, (*here, key), ("date",))

    def field(
        self, contract: Contract | None, name: str, at: Steps, types: Iterable[str] = ()
    ) -> Iterator[Problem]:
        """Problems of a column's name, in a place where only these logical types can stand."""
        if contract is None:
            return
        column = contract.column(name)
        if column is None:
            message = f"{contract.product} has no column `{shown(name)}`."
            fix = suggestion(name, (column.name for column in contract.columns))
            yield self.problem(at, "FIELD_UNKNOWN", message, fix)
        elif types and column.logical_type not in types:
            message = f"`{name}` is {column.logical_type}; here it must be {' or '.join(types)}."
            fits = [c.name for c in contract.columns if c.logical_type in types]
            fix = f"Columns of such a type are: {', '.join(fits) or 'none'}."
            yield self.problem(at, "FIELD_TYPE", message, fix)

    def value(
        self, contract: Contract | None, field: str, value: spec.Scalar, at: Steps
    ) -> Iterator[Problem]:
        column = contract.column(field) if contract else None
        if column is None:
            return
        if column.enum:
            values = [str(allowed.value) for allowed in column.enum]
            if str(value) not in values:
                message = f"`{field}` is never `{shown(value)}`."
                fix = suggestion(str(value), values)
                yield self.problem(at, "VALUE_UNKNOWN", message, fix)
        elif not _has_type(value, column):
            message = f"`{shown(value)}` is not {column.logical_type}, as `{field}` is."
            yield self.problem(at, "FIELD_TYPE", message, f"Write a value such as {_like(column)}.")

    def metric(self, name: str, metric: spec.Metric) -> Iterator[Problem]:
        here: Steps = ("metrics", name)
        if metric.source not in self.dashboard.sources:
            yield self.alias(metric.source, (*here, "source"))
            return
        contract = self.contract(metric.source)
        yield from self.field(contract, metric.field, (*here, "field"), NUMBERS)
        column = contract.column(metric.field) if contract else None
        fitting = "integer" if metric.format == "count" else "number"
        if column and column.logical_type in NUMBERS and column.logical_type != fitting:
            message = f"`{metric.field}` is {column.logical_type}, which is not shown as "
            message += f"`{metric.format}`."
            fix = "Write `format: count` for whole numbers, and only for them."
            yield self.problem((*here, "format"), "FIELD_TYPE", message, fix)
        if column and metric.aggregate == "sum" and _must_not_be_added(column):
            message = f"`{metric.field}` must not be added over rows: {_reason(column)}"
            fix = "Write `aggregate: value`, and let each chart name one row."
            yield self.problem((*here, "aggregate"), "METRIC_NOT_ADDITIVE", message, fix)

    def alias(self, name: str, at: Steps) -> Problem:
        message = f"There is no source `{shown(name)}`."
        return self.problem(at, "SOURCE_ALIAS", message, suggestion(name, self.dashboard.sources))

    def chart(self, index: int, chart: spec.Chart) -> Iterator[Problem]:
        here: Steps = ("charts", index)
        if chart.source not in self.dashboard.sources:
            yield self.alias(chart.source, (*here, "source"))
            return
        contract = self.contract(chart.source)
        filtered: set[str] = set()
        for number, condition in enumerate(chart.filters):
            yield from self.filter(contract, condition, (*here, "filters", number))
            if condition.field in filtered:
                message = f"`{shown(condition.field)}` is filtered twice."
                fix = "Filter it once; `one_of` takes several values."
                yield self.problem((*here, "filters", number), "FILTER", message, fix)
            filtered.add(condition.field)
        if isinstance(chart, spec.Pie | spec.Bar):
            at = (*here, "dimension")
            yield from self.field(contract, chart.dimension.field, (*at, "field"))
            for value in chart.dimension.labels:
                steps = (*at, "labels", value)
                yield from self.value(contract, chart.dimension.field, value, steps)
        if not isinstance(chart, spec.Scorecard):
            # A table shows what it is sorted by as the place of each row.
            types = ("integer",) if isinstance(chart, spec.Table) else ()
            yield from self.field(contract, chart.sort.field, (*here, "sort", "field"), types)
        if isinstance(chart, spec.Pie):
            yield from self.slices(contract, chart, here)
        if isinstance(chart, spec.Table):
            yield from self.table(contract, chart, here)
        yield from self.chart_metrics(contract, chart, here)

    def filter(
        self, contract: Contract | None, condition: spec.Filter, here: Steps
    ) -> Iterator[Problem]:
        yield from self.field(contract, condition.field, (*here, "field"))
        if (condition.equals is None) == (condition.one_of is None):
            message = f"The filter on `{shown(condition.field)}` does not say one thing."
            yield self.problem(here, "FILTER", message, "Write either `equals` or `one_of`.")
            return
        key = "equals" if condition.one_of is None else "one_of"
        for value in condition.values:
            yield from self.value(contract, condition.field, value, (*here, key))

    def slices(self, contract: Contract | None, chart: spec.Pie, here: Steps) -> Iterator[Problem]:
        top = chart.top
        if top is not None:
            yield from self.field(contract, top.others, (*here, "top", "others"), ("boolean",))
            yield from self.field(contract, top.rank, (*here, "top", "rank"), ("integer",))
            if top.count + 1 > MAX_SLICES:
                message = f"{top.count} slices and Others are more than {MAX_SLICES}."
                fix = f"Write `count: {MAX_SLICES - 1}`."
                yield self.problem((*here, "top", "count"), "PIE_SLICES", message, fix)
            rank = contract.column(top.rank) if contract else None
            if rank and rank.maximum is not None and rank.maximum != top.count + 1:
                message = (
                    f"{contract.product if contract else ''} counts Others after the first "
                    f"{int(rank.maximum) - 1} values, not after {top.count}."
                )
                fix = f"Write `count: {int(rank.maximum) - 1}`."
                yield self.problem((*here, "top", "count"), "TOP", message, fix)
            return
        column = contract.column(chart.dimension.field) if contract else None
        if column is None:
            return
        pinned = [f.values for f in chart.filters if f.field == column.name]
        count = 2 if column.logical_type == "boolean" else len(pinned[0] if pinned else column.enum)
        if count == 0 or count > MAX_SLICES:
            how = f"{count} values" if count else "any number of values"
            message = f"`{column.name}` has {how}; a pie has at most {MAX_SLICES} slices."
            fix = "Add `top`, with a product that counts Others."
            yield self.problem((*here, "dimension"), "PIE_SLICES", message, fix)

    def table(self, contract: Contract | None, chart: spec.Table, here: Steps) -> Iterator[Problem]:
        yield from self.field(contract, chart.key, (*here, "key"))
        yield from self.field(contract, chart.choice.field, (*here, "choice", "field"))
        chosen = contract.column(chart.choice.field) if contract else None
        if chosen and not chosen.enum:
            message = f"`{chosen.name}` has any number of values: nobody can choose among them."
            fix = "Name a column whose contract lists the allowed values."
            yield self.problem((*here, "choice", "field"), "FIELD_TYPE", message, fix)
        for key, value in (
            (("default",), chart.choice.default),
            *((("labels", label), label) for label in chart.choice.labels),
        ):
            yield from self.value(contract, chart.choice.field, value, (*here, "choice", *key))
        comparison = chart.comparison
        at: Steps = (*here, "comparison")
        yield from self.field(contract, comparison.field, (*at, "field"))
        for key in ("start", "end"):
            yield from self.field(contract, getattr(comparison, key), (*at, key), ("date",))
        for key in ("new", "hidden"):
            yield from self.value(contract, comparison.field, getattr(comparison, key), (*at, key))
        visible = {name for one in chart.columns for name in (one.dimension, one.detail)}
        for number, name in enumerate(chart.search):
            steps: Steps = (*here, "search", number)
            yield from self.field(contract, name, steps, ("string",))
            if name not in visible:
                message = f"`{shown(name)}` is searched, but no column shows it."
                fix = "Show it as a dimension or a detail, or take it out."
                yield self.problem(steps, "TABLE_COLUMN", message, fix)
        for number, column in enumerate(chart.columns):
            steps = (*here, "columns", number)
            if (column.dimension is None) == (column.metric is None):
                message = "The column is neither a dimension nor a metric, or both."
                yield self.problem(steps, "TABLE_COLUMN", message, "Name one of the two.")
            for key in ("dimension", "detail"):
                name = getattr(column, key)
                if name is not None:
                    yield from self.field(contract, name, (*steps, key))

    def chart_metrics(
        self, contract: Contract | None, chart: spec.Chart, here: Steps
    ) -> Iterator[Problem]:
        for name in spec.metrics_of(chart):
            at = self.place_of(chart, name, here)
            metric = self.dashboard.metrics.get(name)
            if metric is None:
                message = f"There is no metric `{shown(name)}`."
                fix = suggestion(name, self.dashboard.metrics)
                yield self.problem(at, "METRIC_UNKNOWN", message, fix)
            elif metric.source != chart.source:
                message = f"`{name}` is of the source `{metric.source}`, not `{chart.source}`."
                fix = "Define a metric of the chart's own source."
                yield self.problem(at, "METRIC_UNKNOWN", message, fix)
            elif metric.aggregate == "value" and contract:
                loose = [column for column in contract.grain if column not in _named(chart)]
                if loose:
                    message = (
                        f"`{name}` takes the value of one row, but the chart leaves "
                        f"{', '.join(f'`{column}`' for column in loose)} open."
                    )
                    fix = "Filter it to one value, or make it the dimension."
                    yield self.problem(at, "METRIC_NOT_ONE_ROW", message, fix)

    def place_of(self, chart: spec.Chart, name: str, here: Steps) -> Steps:
        """Where a chart names a metric."""
        if isinstance(chart, spec.Bar) and name in chart.metrics:
            return (*here, "metrics", chart.metrics.index(name))
        if isinstance(chart, spec.Table):
            for number, column in enumerate(chart.columns):
                for key in ("metric", "change"):
                    if getattr(column, key) == name:
                        return (*here, "columns", number, key)
        metric = getattr(chart, "metric", None)
        return (*here, "metric" if metric == name else "share")

    def unused(self) -> Iterator[Problem]:
        shown_metrics = {n for chart in self.dashboard.charts for n in spec.metrics_of(chart)}
        for name in self.dashboard.metrics:
            if name not in shown_metrics:
                message = f"No chart shows the metric `{name}`."
                yield self.problem(("metrics", name), "METRIC_UNUSED", message, "Take it out.")
        used = {chart.source for chart in self.dashboard.charts}
        for alias in self.dashboard.sources:
            if alias not in used:
                message = f"No chart reads the source `{alias}`."
                yield self.problem(("sources", alias), "SOURCE_ALIAS", message, "Take it out.")

    def grid(self) -> Iterator[Problem]:
        taken: dict[tuple[int, int], str] = {}
        for index, chart in enumerate(self.dashboard.charts):
            place, steps = chart.position, ("charts", index, "position")
            if place.column + place.width - 1 > COLUMNS:
                message = f"`{chart.id}` ends in column {place.column + place.width - 1}."
                fix = f"The grid has {COLUMNS} columns: make it narrower, or move it left."
                yield self.problem(steps, "GRID", message, fix)
            cells = [
                (row, column)
                for row in range(place.row, place.row + place.height)
                for column in range(place.column, place.column + place.width)
            ]
            other = next((taken[cell] for cell in cells if cell in taken), None)
            if other:
                message = f"`{chart.id}` lies over `{other}`."
                yield self.problem(steps, "GRID", message, "Move or resize one of them.")
            taken.update((cell, chart.id) for cell in cells if cell not in taken)


def _named(chart: spec.Chart) -> set[str]:
    """The columns that have one value in each row that a chart shows."""
    names = {f.field for f in chart.filters if f.one_of is None or len(f.one_of) == 1}
    if isinstance(chart, spec.Pie | spec.Bar):
        names |= {chart.dimension.field, chart.sort.field}
    if isinstance(chart, spec.Table):
        names |= {chart.key, chart.choice.field}
    return names


def _must_not_be_added(column: Column) -> bool:
    words = set(column.name.split("_"))
    return NON_ADDITIVE in column.tags or bool(
        words & {"median", "share", "rank", "year", "change", "id"}
    )


def _reason(column: Column) -> str:
    return " ".join(column.description.split())


def _has_type(value: spec.Scalar, column: Column) -> bool:
    kind = column.logical_type
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _like(column: Column) -> str:
    return f"`{column.examples[0]}`" if column.examples else f"a {column.logical_type}"
