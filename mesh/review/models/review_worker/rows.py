"""The data diff: rows of products in two environments, by SQLMesh's table diff."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isnan

from sqlmesh import Context
from sqlmesh.core.table_diff import TableDiff

from .facts import RowDiff, one_line, short

SAMPLES = 5


def environments_differ(context: Context, source: str, target: str) -> tuple[list[str], str]:
    """Products that have other versions in the two environments, and why there are none."""
    environments = [context.state_reader.get_environment(name) for name in (source, target)]
    for name, environment in zip((source, target), environments, strict=True):
        if environment is None:
            return [], f"there is no environment {name}"
    old, new = ({short(s.name): s for s in one.snapshots} for one in environments if one)
    planned = {short(s.name): s.fingerprint.data_hash for s in context.snapshots.values()}
    stale = [n for n, s in new.items() if n in planned and s.fingerprint.data_hash != planned[n]]
    if stale:
        return [], f"{target} was not planned with this change ({stale[0]} is another there)"
    return sorted(n for n in new if n in old and old[n].version != new[n].version), ""


def data_diff(
    context: Context,
    source: str,
    target: str,
    products: list[str],
    personal: Mapping[str, Collection[str]],
) -> tuple[RowDiff, ...]:
    """One entry per product. personal: columns by product that may not be shown.

    Of a product without a contract no values are shown: nobody says which of them are personal.
    """
    models = {short(name): name for name in context.models}
    found = []
    for product in (name for name in products if name in models):
        try:
            diffs = context.table_diff(
                source=source,
                target=target,
                select_models=[models[product]],
                show=False,
                skip_grain_check=True,
                limit=50,
            )
            found += [_one(product, diff, personal.get(product)) for diff in diffs or []]
        except Exception as error:
            found.append(RowDiff(product, one_line(error)))
    return tuple(found)


def _one(product: str, diff: TableDiff, personal: Collection[str] | None) -> RowDiff:
    rows = diff.row_diff()
    records = [] if personal is None else rows.joined_sample.head(SAMPLES).to_dict("records")
    samples = [
        {
            str(key): _plain(value)
            for key, value in record.items()
            if not _shows(key, personal or ())
        }
        for record in records
    ]
    return RowDiff(
        product,
        before=int(rows.source_count),
        after=int(rows.target_count),
        added=int(rows.t_only_count),
        removed=int(rows.s_only_count),
        changed=int(rows.join_count) - int(rows.full_match_count),
        # Of no rows that both have there is no share.
        match={
            str(name): round(share, 2)
            for name, share in rows.column_stats["pct_match"].astype(float).items()
            if not isnan(share)
        },
        samples=tuple(sample for sample in samples if sample),
    )


def _shows(key: object, personal: Collection[str]) -> bool:
    """Whether a column of the sample holds personal values; it may carry the name of a side."""
    words = str(key).lower().replace("`", "").replace('"', "")
    return any(
        words == p or words.endswith(f"__{p}") or words.startswith(f"{p}__")
        for p in map(str.lower, personal)
    )


def _plain(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)
