"""What is stored in an environment on DuckDB: rows, lengths of texts, rows per month."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlmesh.core.model import Model
from sqlmesh.utils.date import to_date

from mesh.contracts import usable_contracts
from mesh.contracts.types import TIMED
from mesh.cost.sizes import BYTES_OF, TEXT_OVERHEAD, TableSize
from mesh.environments import Opened
from mesh.environments.names import short_name
from mesh.errors import WrongUse
from mesh.prove.project import BigQueryProject


def is_inlined(model: Model) -> bool:
    """Whether nothing is stored of a model: who reads it reads what it is made from."""
    return (model.kind.is_view and not model.kind.is_materialized) or model.kind.is_embedded


def table_sizes(project: BigQueryProject, local: Opened, environment: str) -> dict[str, TableSize]:
    """The size of every stored table that a model or a query can read, by `schema.name`.

    WrongUse if there is no environment of that name, or no table of a source. A model that the
    environment does not have counts as empty; of a column that it does not have yet, a value counts
    what its type takes.
    """
    with local.readable_errors():
        built = local.environment(environment)
        # What an environment itself says of its models is enough: their snapshots take a second.
        there = {short_name(info.name): info for info in local.readable(built)}
        sizes = {}
        for name, model in project.models.items():
            if is_inlined(model):
                continue
            if model.kind.is_external:
                table = exp.to_table(name, dialect="bigquery")
            elif name in there:
                table = local.view(there[name], built)
            else:
                sizes[name] = TableSize(0, {})
                continue
            if not local.context.engine_adapter.table_exists(table):
                raise WrongUse(
                    f"there is no table {name} to count the rows of.",
                    fix=f"Load it, and plan what reads it: `sqlmesh plan {environment}`.",
                )
            sizes[name] = _measure(project, local, name, table)
    return sizes


def _measure(project: BigQueryProject, local: Opened, name: str, table: exp.Table) -> TableSize:
    columns = {column.lower(): type_ for column, type_ in project.columns(name).items()}
    there = {column.lower() for column in local.context.engine_adapter.columns(table)}
    widths = [
        _mean_bytes(column, type_)
        if column in there
        else exp.Literal.number(_bytes_of(type_) or TEXT_OVERHEAD)
        for column, type_ in columns.items()
    ]
    query = exp.select(exp.Count(this=exp.Star()), *widths).from_(table.copy())
    ((rows, *means),) = local.rows(query)
    column = partition_column(project, name)
    months = {}
    if column is not None:
        times = [column, *(c for c, type_ in columns.items() if type_ in TIMED)]
        time = next((c for c in times if c.lower() in there), column)
        month = parse_one(f"DATE_TRUNC(DATE({time}), MONTH)", dialect="bigquery")
        counted = (
            exp.select(exp.alias_(month, "first_day"), exp.Count(this=exp.Star()))
            .from_(table.copy())
            .where(exp.column(time).is_(exp.null()).not_())
            .group_by("1")
        )
        months = {to_date(day): float(count) for day, count in local.rows(counted)}
    sizes = dict(zip(columns, (float(mean or 0) for mean in means), strict=True))
    return TableSize(float(rows), sizes, column, months, _by_days(project, name))


def partition_column(project: BigQueryProject, name: str) -> str | None:
    """The column whose days or months are the partitions of a table; None without any.

    SQLMesh has no word for the partitions of a source: its contract says `partitioned: true`.
    """
    for expression in project.models[name].partitioned_by:
        column = expression.find(exp.Column)
        if column is not None:
            return column.name
    if name not in project.project.sources:
        return None
    contract = usable_contracts(project.project.contracts).get(name)
    stated = (column.name for column in contract.columns if column.partitioned) if contract else ()
    return next(iter(stated), None)


def _by_days(project: BigQueryProject, name: str) -> bool:
    """Whether partitions are days, or hours. Of a source nobody says: months are more, not less."""
    stated = [one for one in project.models[name].partitioned_by if one.find(exp.Column)]
    return bool(stated) and stated[0].text("unit").upper() in ("", "DAY", "HOUR")


def _mean_bytes(column: str, type_: str) -> exp.Expr:
    """The mean bytes of a column's values, as an expression for DuckDB; NULLs count 0."""
    this = exp.column(column, quoted=True)
    fixed = _bytes_of(type_)
    if fixed is not None:
        size: exp.Expr = exp.Literal.number(fixed)
    else:
        text = this.copy() if type_ == "STRING" else exp.cast(this.copy(), "text")
        octets = exp.Anonymous(
            this="OCTET_LENGTH", expressions=[exp.Anonymous(this="ENCODE", expressions=[text])]
        )
        size = octets + exp.Literal.number(TEXT_OVERHEAD)
    sized = exp.func("IF", this.copy().is_(exp.null()), exp.Literal.number(0), size)
    return exp.func("AVG", sized)


def _bytes_of(type_: str) -> float | None:
    """The bytes of each value of a type, however many digits it has; None where they differ."""
    return BYTES_OF.get(type_.partition("(")[0])
