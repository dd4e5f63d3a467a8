"""Rules about when a model is built."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from sqlmesh.core.model import Model
from sqlmesh.utils.cron import CroniterCache
from sqlmesh.utils.date import to_datetime

from mesh.contracts import Contract
from mesh.environments.names import short_name
from mesh.lint.rule import ContractRule

# So many runs show each gap of a schedule that names months, days or hours.
_RUNS = 40


@lru_cache
def longest_gap(cron: str) -> timedelta:
    """The longest time between two runs."""
    moments = CroniterCache(cron, datetime(2023, 1, 1))
    times = [moments.get_next(estimate=False) for _ in range(_RUNS)]
    return max(later - earlier for earlier, later in pairwise(times))


class RunsAsOftenAsPromised(ContractRule):
    """What is built less often than its contract says is late by design."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        if model.start is not None and to_datetime(model.start) > datetime.now(UTC):
            yield (
                f"{name}: is built from {model.start} on, and not before: take `start` out of the "
                "MODEL block, or write the first day of the data."
            )
        if model.kind.is_seed or model.kind.is_embedded:
            return  # What is not run by time is never late.
        needed_by = [short_name(one) for one in self.context.dag.downstream(model.fqn)]
        promised = [
            (level.days, contract, level)
            for contract in (contracts.get(one) for one in (name, *needed_by))
            for level in (contract.service_levels if contract else ())
            if contract and level.property == "frequency" and level.days
        ]
        if not promised:
            return
        days, contract, level = min(promised, key=lambda one: one[0] or 0)
        whose = (
            "its contract" if contract.product == name else f"{contract.product}, which needs it,"
        )
        where = contract.location(level.line)
        gap = longest_gap(model.cron) / timedelta(days=1)
        if gap > days:
            yield (
                f"{name}: runs `{model.cron}`, so every {gap:,.0f} days, but {whose} promises a "
                f"frequency of {level.value} {level.unit} ({where}): give the MODEL block a cron "
                "that is as frequent, or promise less."
            )
        if model.end is not None:
            yield (
                f"{name}: is built until {model.end} alone, but {whose} promises a frequency of "
                f"{level.value} {level.unit} ({where}): take `end` out of the MODEL block."
            )
