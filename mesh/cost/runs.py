"""How often SQLMesh builds a model in a month, and which days each of these runs is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from sqlmesh.core.model import Model
from sqlmesh.utils.cron import CroniterCache

from mesh.deliveries import months_after

# Four years, with one 29 February; what runs more often than so many times in them does so evenly.
_MONTHS, _DAYS = 48, 1461
_MOST = 2_500


@lru_cache
def runs_a_month(cron: str) -> float:
    """As a mean over four years: 1 for `@monthly`, 30.4 for `@daily`, a third for each quarter."""
    begin = datetime(2023, 1, 1, tzinfo=UTC)
    end = begin + timedelta(days=_DAYS)
    moments = CroniterCache(cron, begin - timedelta(seconds=1))
    count, moment = 0, moments.get_next()
    while moment < end and count < _MOST:
        count, moment = count + 1, moments.get_next()
    share = min((moment - begin) / (end - begin), 1.0)
    return count / _MONTHS / share


def days_of_run(model: Model, month: date) -> tuple[date, date]:
    """First and last day of the intervals that the last run which is about this month builds.

    What is late is built again with it (`lookback`). An hour counts as its day, since no filter is
    followed further than that.
    """
    unit = model.interval_unit
    after = datetime.combine(months_after(month), time(), UTC)
    moments = CroniterCache(model.cron, after - timedelta(seconds=1))
    end = moments.get_next()
    if unit.cron_floor(end) > after:
        end = moments.get_prev()
    begin = unit.cron_floor(moments.get_prev())
    for _ in range(model.lookback):
        begin = unit.cron_prev(begin)
    return begin.date(), (unit.cron_floor(end) - timedelta(seconds=1)).date()
