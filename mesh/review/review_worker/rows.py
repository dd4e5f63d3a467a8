"""The data diff: rows of products in two environments, by SQLMesh's table diff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .project import short

SAMPLES = 5


def environments_differ(context: Any, source: str, target: str) -> tuple[list[str], str]:
    """Products that have other versions in the two environments, and why there are none."""
    state = context.state_reader
    for name in (source, target):
        if state.get_environment(name) is None:
            return [], f"there is no environment {name}"
    old, new = (
        {short(s.name): s for s in state.get_environment(name).snapshots}
        for name in (source, target)
    )
    planned = {short(s.name): s.fingerprint.data_hash for s in context.snapshots.values()}
    stale = [n for n, s in new.items() if n in planned and s.fingerprint.data_hash != planned[n]]
    if stale:
        return [], f"{target} was not planned with this change ({stale[0]} is another there)"
    return sorted(n for n in new if n in old and old[n].version != new[n].version), ""


def data_diff(
    context: Any, source: str, target: str, products: list[str], personal: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """One entry per product. personal: columns by product that may not be shown.

    Of a product without a contract no values are shown: nobody says which of them are personal.
    """
    models = {short(name): name for name in context.models}
    found = []
    for product in products:
        if product not in models:
            continue
        try:
            diffs = context.table_diff(
                source=source,
                target=target,
                select_models=[models[product]],
                show=False,
                skip_grain_check=True,
                limit=50,
            )
            for diff in diffs or []:
                found.append(_one(product, diff, personal.get(product)))
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            found.append({"product": product, "problem": text})
    return found


def _one(product: str, diff: Any, personal: list[str] | None) -> dict[str, Any]:
    rows = diff.row_diff()
    match = {
        str(row.Index): round(float(row.pct_match), 2) for row in rows.column_stats.itertuples()
    }
    records = [] if personal is None else rows.joined_sample.head(SAMPLES).to_dict("records")
    samples = [
        {key: _plain(value) for key, value in record.items() if not _shows(key, personal or ())}
        for record in records
    ]
    return {
        "product": product,
        "before": int(rows.source_count),
        "after": int(rows.target_count),
        "added": int(rows.t_only_count),
        "removed": int(rows.s_only_count),
        "changed": int(rows.join_count) - int(rows.full_match_count),
        "match": match,
        "samples": [sample for sample in samples if sample],
    }


def _shows(key: str, personal: Iterable[str]) -> bool:
    """Whether a column of the sample holds personal values; it may carry the name of a side."""
    words = str(key).lower().replace("`", "").replace('"', "")
    return any(
        words == p or words.endswith(f"__{p}") or words.startswith(f"{p}__")
        for p in map(str.lower, personal)
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)
