"""What every dashboard is checked for, whatever kinds of charts it has: one record per rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mesh.contracts import Contract
from mesh.contracts.constraints.base import refusal
from mesh.contracts.constraints.multiple_of import MultipleOf
from mesh.contracts.constraints.sql import Sql
from mesh.contracts.sql import DIALECT, condition_on
from mesh.contracts.types import NUMERIC_TYPES, comparable
from mesh.dashboards.kinds import Chart
from mesh.dashboards.kinds.base import RULES, Found, Look, rule
from mesh.dashboards.marks import IsColumn, IsMetric, IsValue
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

__all__ = ["RULES"]
NON_ADDITIVE = "non_additive"
"""The tag of a column, in its contract, whose values must not be added over rows."""
AS_OF_FIX = (
    "Name a column that holds that day, not a month's first. A product of kind VIEW or FULL can "
    "have one, `MAX(<day>) OVER () AS as_of`; of one that is incremental, which sees one interval "
    "at a time, publish a view that has it."
)


@rule("SOURCE_UNKNOWN", "A source is a data product with a contract.", of_data=True)
def _source_unknown(look: Look) -> Iterator[Found]:
    for alias, source in look.board.sources.items():
        if source.product not in look.contracts:
            message = f"`{shown(source.product)}` is no product with a contract."
            fix = suggestion(source.product, look.contracts)
            yield Found(("sources", alias, "product"), message, fix)


@rule(
    "SOURCE_VERSION", "The contract's version is one that the dashboard was made for.", of_data=True
)
def _source_version(look: Look) -> Iterator[Found]:
    for alias, source, contract in look.sources():
        here: Steps = ("sources", alias, "version")
        fits = in_range(str(contract.version), source.version)
        if fits is None:
            message = f"`{shown(source.version)}` is no range of versions."
            yield Found(here, message, "Write for example `>=1.0.0 <2.0.0`.")
        elif not fits:
            message = (
                f"{contract.product} has version {contract.version}, which is not in "
                f"`{shown(source.version)}`."
            )
            fix = "See what changed in the contract, mend the charts, and then widen the range."
            yield Found(here, message, fix)


def in_range(version: str, text: str) -> bool | None:
    """Whether a version is in a range such as `>=1.0.0 <2.0.0`; None when that is no range."""
    # Blanks may stand after a sign, and between parts; a version alone is that version.
    parts = re.sub(r"([<>=])\s+", r"\1", text).replace(",", " ").split()
    signed = [part if part[0] in "<>" else f"=={part.lstrip('=')}" for part in parts]
    try:
        return SpecifierSet(",".join(signed)).contains(version) if signed else None
    except InvalidSpecifier:
        return None


@rule("SOURCE_PERSONAL", "No chart reads a product with a personal column.", of_data=True)
def _source_personal(look: Look) -> Iterator[Found]:
    for alias, _, contract in look.sources():
        if contract.personal_columns:
            names = ", ".join(f"`{column.name}`" for column in contract.personal_columns)
            message = f"{contract.product} has personal columns: {names}."
            fix = "Read a mart: a product of the dashboards that holds counts of users only."
            yield Found(("sources", alias, "product"), message, fix)


@rule(
    "READER_PERSONAL",
    "The role as which dashboards read may read no product with a personal column.",
    of_data=True,
)
def _reader_personal(look: Look) -> Iterator[Found]:
    reader = look.board.reader
    for contract in look.contracts.values():
        if contract.personal_columns and any(role.name == reader for role in contract.roles):
            message = f"`{reader}` may read {contract.product}, which has personal columns."
            fix = f"Take the role out of {contract.path.name}: who sees a dashboard sees no person."
            yield Found(("reader",), message, fix)


@rule("SOURCE_ROLE", "The contract lets dashboards read the product.", of_data=True)
def _source_role(look: Look) -> Iterator[Found]:
    reader = look.board.reader
    known = {role.name for contract in look.contracts.values() for role in contract.roles}
    if reader and known and reader not in known:
        yield Found(("reader",), f"No contract has a role `{reader}`.", suggestion(reader, known))
        return
    for alias, _, contract in look.sources():
        if not any(role.name == (reader or role.name) for role in contract.roles):
            message = f"The contract of {contract.product} has no role" + (
                f" `{reader}`." if reader else "."
            )
            fix = "Dashboards read the consumer's products: name one of those."
            yield Found(("sources", alias, "product"), message, fix)


@rule("SOURCE_AS_OF", "The data go up to one day, the same for all rows.", of_data=True)
def _source_as_of(look: Look) -> Iterator[Found]:
    for alias, source in look.board.sources.items():
        contract = look.contract(alias)
        if contract and _is_first_of_month(contract, source.as_of):
            message = f"`{shown(source.as_of)}` is always the first day of a month, as the "
            message += f"contract of {contract.product} says: the page would end its data there."
            yield Found(("sources", alias, "as_of"), message, AS_OF_FIX)
            continue
        charts = [
            f"`{chart.id}`"
            for chart in look.board.charts
            if chart.source == alias and source.as_of in chart.told_apart_by
        ]
        if charts:
            message = f"`{shown(source.as_of)}` is not one day up to which all data go: charts "
            message += f"tell rows apart by it ({', '.join(charts)})."
            yield Found(("sources", alias, "as_of"), message, AS_OF_FIX)


def _is_first_of_month(contract: Contract, name: str) -> bool:
    """Whether a rule of the contract says so; a month's last days would not seem to be there."""
    month = f"DATE_TRUNC({name}, MONTH)"
    said = {f"EXTRACT(DAY FROM {name}) = 1", f"{name} = {month}", f"{month} = {name}"}
    queries = [one.promise.query for one in contract.rules if isinstance(one.promise, Sql)]
    conditions = (condition_on(name, query) for query in queries)
    return any(one and one.sql(DIALECT).replace("`", "") in said for one in conditions)


@rule(
    "SOURCE_ALIAS", "Charts and metrics name a source of the dashboard; each is used.", of_data=True
)
def _source_alias(look: Look) -> Iterator[Found]:
    sources, charts = look.board.sources, look.board.charts
    named: list[tuple[Steps, str]] = [
        (("metrics", name, "source"), metric.source) for name, metric in look.board.metrics.items()
    ]
    named += [(("charts", n, "source"), chart.source) for n, chart in enumerate(charts)]
    for steps, alias in named:
        if alias not in sources:
            message = f"There is no source `{shown(alias)}`."
            yield Found(steps, message, suggestion(alias, sources))
    for alias in sources:
        if not any(chart.source == alias for chart in charts):
            yield Found(("sources", alias), f"No chart reads the source `{alias}`.", "Take it out.")


@rule(
    "METRIC_UNKNOWN", "Charts name a metric of their dashboard, of their own source.", of_data=True
)
def _metric_unknown(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Chart):
        for mark in chart.marks:
            if not isinstance(mark.what, IsMetric):
                continue
            metric = look.board.metrics.get(mark.value)
            if metric is None:
                message = f"There is no metric `{shown(mark.value)}`."
                fix = suggestion(mark.value, look.board.metrics)
                yield Found((*here, *mark.steps), message, fix)
            elif metric.source != chart.source:
                message = (
                    f"`{mark.value}` is of the source `{metric.source}`, not `{chart.source}`."
                )
                fix = "Define a metric of the chart's own source."
                yield Found((*here, *mark.steps), message, fix)


@rule("METRIC_UNUSED", "A metric is there to be shown.")
def _metric_unused(look: Look) -> Iterator[Found]:
    seen = {name for chart in look.board.charts for name in chart.metric_names}
    # One that a chart names wrongly is not one to be taken out.
    for name in look.board.metrics if seen <= look.board.metrics.keys() else ():
        if name not in seen:
            yield Found(("metrics", name), f"No chart shows the metric `{name}`.", "Take it out.")


@rule("METRIC_NOT_ADDITIVE", "What must not be added over rows is not added.", of_data=True)
def _metric_not_additive(look: Look) -> Iterator[Found]:
    for name, metric in look.board.metrics.items():
        column = look.column(metric.source, metric.field)
        if column and metric.aggregate == "sum" and NON_ADDITIVE in column.tags:
            why = " ".join(column.description.split())
            message = f"`{metric.field}` must not be added over rows: {why}"
            fix = "Write `aggregate: value`, and let each chart name one row."
            yield Found(("metrics", name, "aggregate"), message, fix)


@rule(
    "METRIC_NOT_ONE_ROW",
    "A metric that takes one row's value needs a chart that names one row.",
    of_data=True,
)
def _metric_not_one_row(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Chart):
        contract = look.contract(chart.source)
        named = chart.row_columns | look.board.picked(chart)
        if contract is None or any(key <= named for key in contract.keys):
            continue
        if any(contract.column(name) is None for name in named):
            continue  # A name that is misspelt leaves nothing open, and is told by itself.
        open_ = [column for column in contract.grain if column not in named]
        for mark in chart.marks:
            metric = look.board.metrics.get(mark.value) if isinstance(mark.what, IsMetric) else None
            if metric and metric.source == chart.source and metric.aggregate == "value":
                message = (
                    f"`{mark.value}` takes the value of one row, but the chart leaves "
                    f"{', '.join(f'`{column}`' for column in open_)} open."
                )
                fix = "Filter it to one value, make it the dimension, or have it picked."
                yield Found((*here, *mark.steps), message, fix)


@rule("FIELD_UNKNOWN", "A field is a column of the product.", of_data=True)
def _field_unknown(look: Look) -> Iterator[Found]:
    for mark, contract in look.marks:
        if isinstance(mark.what, IsColumn) and contract.column(mark.value) is None:
            message = f"{contract.product} has no column `{shown(mark.value)}`."
            fix = suggestion(mark.value, (column.name for column in contract.columns))
            yield Found(mark.steps, message, fix)


@rule("FIELD_TYPE", "A field has a type that can be used in its place.", of_data=True)
def _field_type(look: Look) -> Iterator[Found]:
    for mark, contract in look.marks:
        column = contract.column(mark.value) if isinstance(mark.what, IsColumn) else None
        if column and isinstance(mark.what, IsColumn):
            types = mark.what.types
            if types and column.logical_type not in types:
                message = f"`{column.name}` is {column.logical_type}; here it must be "
                message += f"{' or '.join(types)}."
                fits = [c.name for c in contract.columns if c.logical_type in types]
                fix = f"Columns of such a type are: {', '.join(fits) or 'none'}."
                yield Found(mark.steps, message, fix)
            if mark.what.listed and not column.enum:
                message = f"`{column.name}` has any number of values: nobody can choose among them."
                fix = "Name a column whose contract lists the allowed values."
                yield Found(mark.steps, message, fix)
        of = contract.column(mark.field or "") if isinstance(mark.what, IsValue) else None
        if of and not of.enum and comparable(of.logical_type, mark.value) is None:
            message = f"`{shown(mark.value)}` is not {of.logical_type}, as `{of.name}` is."
            like = f"`{of.examples[0]}`" if of.examples else f"a {of.logical_type}"
            yield Found(mark.steps, message, f"Write a value such as {like}.")
    yield from _formats(look)


def _formats(look: Look) -> Iterator[Found]:
    """Metrics whose numbers are of another type than their format shows."""
    for name, metric in look.board.metrics.items():
        column = look.column(metric.source, metric.field)
        fitting = "integer" if metric.format == "count" else "number"
        if column and column.logical_type in NUMERIC_TYPES and column.logical_type != fitting:
            message = f"`{metric.field}` is {column.logical_type}, which is not shown as "
            message += f"`{metric.format}`."
            fix = "Write `format: count` for whole numbers, and only for them."
            yield Found(("metrics", name, "format"), message, fix)


@rule(
    "METRIC_ROUNDED", "A count that its product rounds down is told as all it can be.", of_data=True
)
def _metric_rounded(look: Look) -> Iterator[Found]:
    for name, metric in look.board.metrics.items():
        column = look.column(metric.source, metric.field)
        promise = column.promise(MultipleOf) if column and metric.format == "count" else None
        steps = int(promise.step) if promise else 1
        if metric.rounded_to not in ((1, steps) if steps > 1 else (None, 1)):
            message = f"`{metric.field}` comes in steps of {steps}, says its contract."
            fix = f"Write `rounded_to: {steps}`, or 1 if the count is exact."
            yield Found(("metrics", name), message, fix)
        elif (metric.rounded_to or 1) > 1 and metric.aggregate == "sum":
            message = f"`{metric.field}` is rounded down: a sum would be off by more with each row."
            yield Found(("metrics", name, "aggregate"), message, "Write `aggregate: value`.")


@rule("VALUE_UNKNOWN", "A filter and a label name a value that the column can have.", of_data=True)
def _value_unknown(look: Look) -> Iterator[Found]:
    for mark, contract in look.marks:
        column = contract.column(mark.field or "") if isinstance(mark.what, IsValue) else None
        values = [str(allowed.value) for allowed in column.enum] if column else []
        if column and values and str(mark.value) not in values:
            message = f"`{column.name}` is never `{shown(mark.value)}`."
            yield Found(mark.steps, message, suggestion(str(mark.value), values))
        elif (
            column
            and isinstance(mark.value, str)
            and column.logical_type not in NUMERIC_TYPES
            and (reason := refusal(column.promises, column.logical_type, mark.value))
        ):
            message = f"`{column.name}` is never `{shown(mark.value)}`, which {reason}."
            yield Found(mark.steps, message, "Write a value that its contract allows.")


@rule("FILTER", "A column is filtered once, by `equals` or by `one_of`.", of_data=True)
def _filter(look: Look) -> Iterator[Found]:
    for here, chart in look.charts(Chart):
        filtered: set[str] = set()
        for number, condition in enumerate(chart.filters):
            steps: Steps = (*here, "filters", number)
            if (condition.equals is None) == (condition.one_of is None):
                message = f"The filter on `{shown(condition.field)}` does not say one thing."
                yield Found(steps, message, "Write either `equals` or `one_of`.")
            if condition.field in filtered:
                message = f"`{shown(condition.field)}` is filtered twice."
                yield Found(steps, message, "Filter it once; `one_of` takes several values.")
            filtered.add(condition.field)
