"""Intervals of shares of ratings, of which many are one user's."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlmesh import macro


@macro()
def effective_count(evaluator, share, variance, ratings, users) -> exp.Expression:
    """As many independent ratings would leave the share as uncertain as these do.

    At most as many as there are. Where all users agree, the variance between them is nothing, and
    each counts once; of none and of all it is nothing but for rounding.
    """
    p, v, n, k = (one.sql("bigquery") for one in (share, variance, ratings, users))
    return parse_one(
        f"LEAST({n}, COALESCE(SAFE_DIVIDE(NULLIF({p} * (1 - {p}), 0), {v}), {k}))",
        dialect="bigquery",
    )


@macro()
def wilson(evaluator, share, count, errors, side) -> exp.Expression:
    """A limit of Wilson's interval of a share: `low` or `high`.

    count: of how many independent ratings. errors: how many standard errors it reaches. Of none
    and of all one limit is the share itself, beside which rounding would put it.
    """
    p, n, t = (one.sql("bigquery") for one in (share, count, errors))
    sign = {"low": "-", "high": "+"}[side.name]
    half = f"{t} * SQRT({p} * (1 - {p}) / {n} + {t} * {t} / (4 * {n} * {n}))"
    limit = f"({p} + {t} * {t} / (2 * {n}) {sign} {half}) / (1 + {t} * {t} / {n})"
    within = {
        "low": f"LEAST({p}, GREATEST(0, {limit}))",
        "high": f"GREATEST({p}, LEAST(1, {limit}))",
    }
    return parse_one(within[side.name], dialect="bigquery")


@macro()
def change_limit(evaluator, table, share, before, side) -> exp.Expression:
    """A limit of the interval of the change of a share: `low` or `high`.

    By Newcombe, from the intervals of both shares, in the columns `<share>_low` and `<share>_high`
    of two tables; with users that are in both it is rather too wide.
    """
    name = share.name
    now, then = f"{table.name}.{name}", f"{before.name}.{name}"
    down = f"SQRT(POW({now} - {now}_low, 2) + POW({then}_high - {then}, 2))"
    up = f"SQRT(POW({now}_high - {now}, 2) + POW({then} - {then}_low, 2))"
    limit = {"low": f"- {down}", "high": f"+ {up}"}[side.name]
    return parse_one(f"({now} - {then} {limit})", dialect="bigquery")


@macro()
def change_of(evaluator, change, low, high, margins) -> exp.Expression:
    """What a change with its interval is called.

    margins: from how many widths of the interval on it is one: more than one of them, where so many
    changes are looked at that some would be outside of their intervals by chance.
    """
    by, least, most, m = (one.sql("bigquery") for one in (change, low, high, margins))
    return parse_one(
        f"CASE WHEN {least} IS NULL THEN 'not_enough_data' "
        f"WHEN {by} > {m} * ({by} - {least}) THEN 'up' "
        f"WHEN {by} < -{m} * ({most} - {by}) THEN 'down' ELSE 'no_clear_change' END",
        dialect="bigquery",
    )
