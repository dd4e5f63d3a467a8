"""Findings as a reader wants them: what one edit did to several columns and products, told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mesh.review.contracts.verdict import Verdict
from mesh.review.models.impact import Hit
from mesh.review.models.review_worker.facts import Plan
from mesh.review.rules import Finding, Level
from mesh.words import listed

MOST_NAMES = 5
MOST_COLUMNS_ELSEWHERE = 2


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """What says the same at one place names the columns, and the products that are behind the same
    model, in one finding."""
    alike: dict[object, list[Finding]] = {}
    for one in findings:
        from_elsewhere = any(name != one.product for name in one.because)
        key: object = id(one)
        if one.column or from_elsewhere:
            product = "" if from_elsewhere else one.product
            key = (one.rule, one.level, product, one.where, _words(one), one.before, one.after)
        alike.setdefault(key, []).append(one)
    return [_together(same) for same in alike.values()]


def _words(one: Finding) -> str:
    """What a finding says, whichever column it says it of; causes keep the names of theirs."""
    if not one.column:
        return one.message
    return re.sub(rf"(?<![\w.]){re.escape(one.column)}(?!\w)", "…", one.message)


def counted(findings: Iterable[Finding], level: Level) -> int:
    """How many of a level a report shows."""
    return len(grouped(one for one in findings if one.level is level))


def advised(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts on what was changed, each with what to write; where one change broke several
    products, what they need like the first of them is told in a line."""
    first: dict[tuple[str, ...], Verdict] = {}
    shown = []
    for one in (one for one in verdicts if one.outcome != "no change"):
        like = first.setdefault(one.made_in, one) if one.made_in else one
        if like is not one:
            write = f"As {like.product}: leave it as it was, or publish {one.successor} beside it."
            one = replace(one, write=write, snippet="")
        shown.append(one)
    return shown


def planned(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """The models of a plan: what becomes of each, and the days that are to be built."""
    none = "nothing" if plan.against == "prod" else "not known"
    for one in plan.told:
        spans = ", ".join(f"{start} to {end}" for start, end in one.spans)
        yield one.model, one.how, one.category, spans or none
    yield from ((name, "removed", "", "") for name in plan.removed)


def through(hit: Hit) -> str:
    """The changed products that something depends on, each with its columns."""
    columns: dict[str, list[str]] = {}
    for name in hit.because:
        domain, product, *column = name.split(".")
        columns.setdefault(f"{domain}.{product}", []).extend(column)
    return ", ".join(_named(product, names) for product, names in columns.items())


def _together(same: list[Finding]) -> Finding:
    first, *others = same
    columns: dict[str, list[str]] = {}
    for one in others:
        columns.setdefault(one.product, []).extend([one.column] if one.column else [])
    message = first.message
    if names := columns.pop(first.product, []):
        kind = " columns" if len(names) > MOST_NAMES + 1 else ""
        message += f" The same of {listed(names, MOST_NAMES)}{kind}."
    if columns:
        products = (_named(product, names) for product, names in columns.items())
        message += f" Also in {', '.join(products)}."
    return replace(first, message=message) if others else first


def _named(product: str, columns: list[str]) -> str:
    return f"{product} ({listed(columns, MOST_COLUMNS_ELSEWHERE)})" if columns else product
