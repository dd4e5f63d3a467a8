"""How BigQuery lets a table be partitioned, clustered and merged into.

The rules are those of Google's reference for CREATE TABLE and of its guides to partitioned and
clustered tables. Each yields what is wrong in words that say what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.core.model.kind import SCDType2ByTimeKind
from sqlmesh.utils.date import to_datetime

from mesh.contracts.types import bigquery_type
from mesh.prove.partition_filters import REQUIRED, prunes, requires_filter

if TYPE_CHECKING:
    from sqlmesh import Model

MOST_PARTITIONS_PER_JOB = 4_000
MOST_PARTITIONS_PER_TABLE = 10_000
MOST_CLUSTERING_COLUMNS = 4
_DAYS_OF = {"HOUR": 1 / 24, "DAY": 1, "MONTH": 30.4, "YEAR": 365.2}
_TRUNCATIONS = {
    "DATE": (exp.DateTrunc, "DATE_TRUNC", ("MONTH", "YEAR")),
    "TIMESTAMP": (exp.TimestampTrunc, "TIMESTAMP_TRUNC", ("HOUR", "DAY", "MONTH", "YEAR")),
    "DATETIME": (exp.DatetimeTrunc, "DATETIME_TRUNC", ("HOUR", "DAY", "MONTH", "YEAR")),
}
_CLUSTERED = (
    *("BOOL", "DATE", "DATETIME", "GEOGRAPHY", "RANGE", "STRING", "TIMESTAMP"),
    *("INT64", "NUMERIC", "BIGNUMERIC", "UNKNOWN"),
)
# What a model's own words call the table that is merged into.
_MERGED_INTO = ("target", "__MERGE_TARGET__")


def storing_limits(
    model: Model, partition: exp.Expr | None, columns: Mapping[str, str]
) -> Iterator[str]:
    """What is wrong with how a model's table is stored.

    partition: by what SQLMesh partitions it, which adds the unit to a column. columns: their types.
    """
    if len(model.partitioned_by) > 1:
        yield "BigQuery partitions by one column: take the others into clustered_by."
    elif partition is not None:
        refused = _partition(partition, columns)
        if refused:
            yield refused
        else:
            yield from _partitions(model, partition)
    yield from _clustering(model, columns)
    yield from _merged(model)


def _partition(partition: exp.Expr, columns: Mapping[str, str]) -> str | None:
    """Why BigQuery does not partition by an expression, if so."""
    column = partition.find(exp.Column)
    written = partition.sql("bigquery", comments=False)
    name = column.name if column is not None else ""
    kind = columns.get(name, "UNKNOWN")
    if kind not in (*_TRUNCATIONS, "INT64", "UNKNOWN"):
        return f"BigQuery cannot partition by {name}, a {kind}: take a date or a time."
    if kind == "INT64" and not isinstance(partition, exp.RangeBucket):
        return (
            f"BigQuery partitions by {name}, an INT64, in ranges alone: write "
            f"RANGE_BUCKET({name}, GENERATE_ARRAY(0, 1000000, 1000)), or take a date."
        )
    if isinstance(partition, exp.Column):
        if kind in ("TIMESTAMP", "DATETIME"):
            return f"BigQuery partitions by {name}, a {kind}, by a unit: {_instead(name, kind)}."
        return None
    if isinstance(partition, (exp.RangeBucket, exp.Date)) and isinstance(
        partition.this, exp.Column
    ):
        return None
    for one, (form, _, units) in _TRUNCATIONS.items():
        if isinstance(partition, form) and isinstance(partition.this, exp.Column):
            if kind not in (one, "UNKNOWN"):
                break
            if _unit(partition) in units:
                return None
            kind = one
    return f"BigQuery cannot partition by {written}: {_instead(name, kind)}."


def _instead(name: str, kind: str) -> str:
    if kind == "UNKNOWN":
        return "take a date, DATE(moment), or a TRUNC of a column to its MONTH or YEAR"
    _, function, units = _TRUNCATIONS[kind]
    by_day = f"take {name} for days, or " if kind == "DATE" else ""
    return f"{by_day}write {function}({name}, …) with {', '.join(units[:-1])} or {units[-1]}"


def _unit(partition: exp.Expr) -> str:
    unit = partition.args.get("unit")
    return unit.sql("bigquery").strip("'").upper() if unit is not None else "DAY"


def _partitions(model: Model, partition: exp.Expr) -> Iterator[str]:
    """Whether there are more of them than BigQuery allows."""
    if not model.start or isinstance(partition, exp.RangeBucket):
        # Without a start, SQLMesh builds it from yesterday on.
        return
    granularity = _unit(partition)
    days = _DAYS_OF[granularity]
    start = to_datetime(model.start)
    whole = (datetime.now(UTC) - start).days / days
    job = whole
    batch = getattr(model.kind, "batch_size", None)
    if batch:
        job = min(whole, batch * model.interval_unit.seconds / 86_400 / days)
    if whole > MOST_PARTITIONS_PER_TABLE:
        yield (
            f"partitions by {granularity.lower()} since {start:%Y} are {whole:,.0f}, and BigQuery "
            f"allows {MOST_PARTITIONS_PER_TABLE:,} in a table: partition by month."
        )
    elif job > MOST_PARTITIONS_PER_JOB:
        yield (
            f"one job would change {job:,.0f} partitions by {granularity.lower()}, and BigQuery "
            f"allows {MOST_PARTITIONS_PER_JOB:,}: partition by month, or give the kind a "
            "batch_size."
        )


def _clustering(model: Model, columns: Mapping[str, str]) -> Iterator[str]:
    if len(model.clustered_by) > MOST_CLUSTERING_COLUMNS:
        yield (
            f"clustered_by names {len(model.clustered_by)} columns, and BigQuery allows "
            f"{MOST_CLUSTERING_COLUMNS}: keep the leading ones."
        )
    for expression in model.clustered_by:
        column = expression.unnest()
        if not isinstance(column, exp.Column) or column.table:
            written = expression.sql("bigquery", comments=False)
            yield f"BigQuery clusters by columns alone, not by {written}: make a column of it."
            continue
        kind = columns.get(column.name, "UNKNOWN")
        if kind.partition("(")[0].partition("<")[0] not in _CLUSTERED:
            yield f"BigQuery cannot cluster by {column.name}, which is {kind}: take a key."


def _merged(model: Model) -> Iterator[str]:
    """A table that is read whole to merge rows into it, and may not be read whole."""
    if not requires_filter(model):
        return
    if not model.partitioned_by:
        yield f"{REQUIRED} needs partitions: give it a partitioned_by, or leave {REQUIRED} out."
    elif model.kind.is_scd_type_2:
        yield (
            f"SQLMesh reads the whole history before it adds to it, which {REQUIRED} forbids: "
            f"leave {REQUIRED} out."
        )
    elif model.kind.is_incremental_by_unique_key:
        filter_ = getattr(model.kind, "merge_filter", None)
        column = model.partitioned_by[0].find(exp.Column)
        name = column.name if column is not None else ""
        if filter_ is None or not any(prunes(filter_, one, name) for one in _MERGED_INTO):
            yield (
                f"from the second run on, MERGE reads the whole table, which {REQUIRED} forbids: "
                f"compare target.{name} with a constant in the kind's merge_filter, or leave "
                f"{REQUIRED} out."
            )


def history_refused(model: Model, columns: Mapping[str, str]) -> str | None:
    """Why BigQuery does not compare the times of a history with those of its rows, if so."""
    if not isinstance(model.kind, SCDType2ByTimeKind):
        return None
    changed = model.kind.updated_at_name.name
    kept, given = bigquery_type(model.kind.time_data_type), columns.get(changed)
    if given is None or kept == given or not {kept, given} <= {"TIMESTAMP", "DATETIME"}:
        return None
    written = exp.DataType.build(given, dialect="bigquery").sql(model.dialect or "bigquery")
    return (
        f"BigQuery does not compare {changed}, a {given}, with the {kept} that SQLMesh keeps as "
        f"the history's times: write time_data_type {written} in the kind."
    )
