"""Service levels that data can be held to: freshness, frequency, retention, completeness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from mesh.contracts import Contract, ServiceLevel
from mesh.verify.measure import Measures
from mesh.verify.report import Outcome, Status

if TYPE_CHECKING:
    from mesh.environments.deliveries import Delivery

Judge = Callable[[], Outcome]
Told = tuple[str, str]
"""What is wrong with a level, if anything, and what is said of one that is kept."""
Made = Callable[..., Outcome]
"""Makes the outcome of a level: of a dimension, with a status, and what was found."""
RuleOf = Callable[[str, str], Outcome | None]
"""From a product and a rule's id to its outcome, for completeness that another product measures."""


@dataclass(frozen=True)
class Levels:
    """as_of: the moment of use that freshness is measured against. delivery: the newest that the
    environment shows, where deliveries are logged."""

    as_of: datetime
    rule_of: RuleOf
    delivery: Delivery | None = None

    def judges(
        self, contract: Contract, measures: Measures, outcomes: Mapping[str, Outcome]
    ) -> Iterator[tuple[str, Judge]]:
        """Name and judge of each level that data can be held to; outcomes: of the rules so far."""
        for level in contract.service_levels:
            name = f"level.{level.id or level.property}"
            what, where = level.description, contract.location(level.line)
            outcome = partial(Outcome, name, level.property, what, where=where)
            judge: Callable[[], Told]
            if level.property == "completeness" and level.measured_by:
                yield name, partial(self._complete, outcome, level, outcomes)
                continue
            if level.property == "freshness" and level.days is not None:
                judge = partial(self._fresh, contract, level, measures)
            elif level.property == "frequency" and level.days is not None and self.delivery:
                judge = partial(self._often, level, self.delivery)
            elif level.property == "retention" and level.days is not None and level.element:
                judge = partial(self._kept, contract, level, measures)
            else:
                continue
            yield name, partial(_timely, outcome, measures, judge)

    def _fresh(self, contract: Contract, level: ServiceLevel, measures: Measures) -> Told:
        newest = measures.scan.newest
        # Without rows nothing is too old, where none need be there.
        if measures.scan.rows == 0 and not any(rule.minimum for rule in contract.table_rules()):
            return "", "there are no rows"
        if not isinstance(newest, datetime):
            return _no_age(level, measures, "newest", newest), ""
        age = contract.age(newest, self.as_of)
        told = f"the newest {level.element} is {_day(newest)}"
        days = f"{age:,.0f}" if round(age) != round(level.days or 0) else f"{age:,.1f}"
        wrong = (
            f"{told}, {days} days before {_day(self.as_of)}; "
            f"promised are at most {level.days:,.0f} days"
        )
        return wrong if age > (level.days or 0) else "", told

    def _often(self, level: ServiceLevel, delivery: Delivery) -> Told:
        """What is delivered each month has, on any day, a delivery of the month before it."""
        came = delivery.finished_at.astimezone(UTC)
        days = (self.as_of.astimezone(UTC).date() - came.date()).days
        told = f"the newest delivery that is shown came on {_day(came)}"
        wrong = f"{told}, {days:,} days before {_day(self.as_of)}; promised is one every "
        wrong += f"{level.days:,.0f} days"
        return wrong if days > (level.days or 0) else "", told

    def _kept(self, contract: Contract, level: ServiceLevel, measures: Measures) -> Told:
        oldest = measures.scan.oldest
        if measures.scan.rows == 0:
            return "", "there are no rows"
        if not isinstance(oldest, datetime):
            return _no_age(level, measures, "oldest", oldest), ""
        age = (self.as_of - oldest) / timedelta(days=1)
        told = f"the oldest {level.element} is {_day(oldest)}"
        # What holds one state alone is not kept for too long while it is as fresh as promised.
        fresh = contract.service_level("freshness")
        late = age > max(level.days or 0, (fresh and fresh.days) or 0)
        wrong = f"{told}, older than the {level.days:,.0f} days that data is kept"
        return wrong if late else "", told

    def _complete(
        self, outcome: Made, level: ServiceLevel, outcomes: Mapping[str, Outcome]
    ) -> Outcome:
        rule = level.measured_by or ""
        product, _, rule_id = rule.rpartition("/")
        measured = self.rule_of(product, rule_id) if product else outcomes.get(rule_id)
        failing, checked = (measured.failing, measured.checked) if measured else (None, None)
        status, message = Status.KEPT, f"measured by {rule}"
        if measured is None or failing is None:
            status, message = Status.BROKEN, f"{rule}, which measures it, could not be checked"
        elif failing:
            share = 100 * (1 - min(failing, checked or 0) / checked) if checked else 0.0
            if share < _number(level.value):
                # Warned where the rule only warns, and where what it compares with is not shown.
                status = measured.status
                message = f"{rule}, which measures it, finds {failing:,} that are not complete"
                message += f" ({measured.message})" if measured.message else ""
        return outcome("completeness", status, checked=checked, failing=failing, message=message)


def _timely(outcome: Made, measures: Measures, judge: Callable[[], Told]) -> Outcome:
    wrong, told = judge()
    status, failing = (Status.BROKEN, 1) if wrong else (Status.KEPT, 0)
    rows, message = measures.scan.rows, wrong or told
    return outcome("timeliness", status, checked=rows, failing=failing, message=message)


def _no_age(level: ServiceLevel, measures: Measures, which: str, moment: str | None) -> str:
    if moment is not None:
        return f"the {which} {level.element} is {moment}, a time that has no age"
    if level.element not in measures.table.columns:
        return f"there is no column {level.element} to measure it on"
    return f"{level.element} holds no time" if measures.scan.rows else "there are no rows"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 100.0
