"""What is asked of a contract as a whole: version, status, service levels, people."""

from __future__ import annotations

import datetime
import re

from sqlglot import exp

from mesh.contracts.checks.record import Subject, check
from mesh.contracts.draft import LEVELS, Draft
from mesh.contracts.findings import Finding, Found, odd_value
from mesh.contracts.sql import condition_on
from mesh.contracts.standard import ServiceLevelObject
from mesh.contracts.types import PERSONAL, TIME_TYPES, TIME_UNITS, is_number, span, today
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")
_LEVELS = """
    availability completeness endOfLife endOfSupport errorRate freshness frequency
    generalAvailability latency retention throughput timeOfAvailability timeToDetect timeToNotify
    timeToRepair
"""
LEVEL_PROPERTIES = tuple(_LEVELS.split())
MEASURED_BY = "measuredBy"
# Beyond these nobody is left to see a promise broken.
MOST_DAYS = {"freshness": 3_660, "frequency": 3_660, "retention": 36_600}
# So often may what is built regularly be missing.
MISSED = 12


@check("VERSION", "Versions are semantic: consumers must see what breaks.")
def version(subject: Subject) -> Found:
    stated = subject.draft.document.version
    if stated is not None and VERSION.fullmatch(stated) is None:
        message = f"`{shown(stated)}` is no semantic version."
        fix = "Write three numbers, such as 1.0.0: breaking change, addition, correction."
        yield Finding(("version",), message, fix)


@check("STATUS", "The status says whether a consumer may rely on the product.")
def status(subject: Subject) -> Found:
    stated = subject.draft.document.status
    if stated is not None and stated not in STATUSES:
        yield Finding(("status",), *odd_value("status", stated, STATUSES))


@check("END_OF_LIFE", "Who deprecates a product says until when it stays.")
def ends(subject: Subject) -> Found:
    document = subject.draft.document
    levels = list(enumerate(document.slaProperties or []))
    found = [(index, level) for index, level in levels if level.property == "endOfLife"]
    if document.status == "deprecated" and not found:
        message = "The version is deprecated, but nobody knows until when it stays."
        fix = "Add a service level `property: endOfLife` with a date as its value."
        yield Finding(("status",), message, fix)
    for index, level in found:
        if level.value is not None and end_of_life(level.value) is None:
            message = f"The end of life `{shown(level.value)}` is no date."
            yield Finding((*LEVELS, index, "value"), message, "Write it as YYYY-MM-DD.")
        last = end_of_life(level.value) if subject.around else None
        if last and last < today() and document.status not in ("deprecated", "retired"):
            message = f"The product ended on {last}, but its status is {shown(document.status)}."
            fix = "Write `status: deprecated` or `retired`, or the day on which it will end."
            yield Finding((*LEVELS, index, "value"), message, fix)


def end_of_life(value: object) -> datetime.date | None:
    """The date of an endOfLife service level, be there a time of day or not, or None."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d(T|$)", value):
        return None
    try:
        return datetime.datetime.fromisoformat(value).date()
    except ValueError:
        return None


def column_of(draft: Draft, element: str | None) -> str | None:
    """The column that a service level speaks of, be it with its table or without."""
    table = draft.table
    tables = {f"{name}." for name in (table and table.name, table and table.physicalName) if name}
    start = next((name for name in tables if (element or "").startswith(name)), "")
    return element and element.removeprefix(start)


@check("SERVICE_LEVEL", "Freshness, completeness and retention are stated and measurable.")
def service_level(subject: Subject) -> Found:
    draft = subject.draft
    levels = draft.document.slaProperties
    if levels is None:
        return
    stated = {level.property for level in levels}
    # A day of birth says nothing of how new its row is.
    timed = any(
        column.logicalType in TIME_TYPES and column.classification != PERSONAL
        for _, column in draft.columns()
    )
    for kind in ("freshness", "completeness", "retention"):
        if kind not in stated and (timed or kind != "freshness"):
            message = f"No service level states the {kind}."
            yield Finding(LEVELS, message, f"Add one with `property: {kind}`.")
    once: set[str] = set()
    for index, level in enumerate(levels):
        here: Steps = (*LEVELS, index)
        if level.property in once:
            message = f"The {level.property} is promised twice."
            yield Finding((*here, "property"), message, "Keep one of them.")
        once |= {level.property or ""} & {"freshness", "retention", "frequency", "endOfLife"}
        for key, message, fix in _faults(draft, level):
            yield Finding((*here, key), message, fix)


def _faults(draft: Draft, level: ServiceLevelObject) -> list[tuple[str, str, str]]:
    """Of each fault of a service level the key, what is wrong, and what to do."""
    kind, element = level.property, column_of(draft, level.element)
    value, unit = span(level.value, level.unit)
    if kind is None:
        return []
    if kind not in LEVEL_PROPERTIES:
        return [("property", *odd_value("property", kind, LEVEL_PROPERTIES, noun="service level"))]
    found = []
    measures = [i for i in level.customProperties or [] if i.property == MEASURED_BY]
    if len(measures) > 1:
        message = "The service level is measured by two rules."
        fix = "Name one rule, or write two service levels."
        found.append(("customProperties", message, fix))
    if kind in ("freshness", "retention", "frequency"):
        if value is not None and not (is_number(value) and float(value) > 0):
            message = f"A {kind} of `{shown(value)}` cannot be measured."
            found.append(("value", message, "Write a number above 0, and its unit."))
        if unit not in TIME_UNITS:
            message = f"`{shown(unit)}` is no unit of time." if unit else "The unit is missing."
            found.append(("unit", message, "Write one of: " + ", ".join(TIME_UNITS) + "."))
    types = {column.name: column.logicalType for _, column in draft.columns() if column.name}
    if element is not None and element not in types:
        message = f"The element `{shown(element)}` is no column."
        found.append(("element", message, suggestion(element, types)))
    elif kind == "freshness" and types.get(element or "") not in TIME_TYPES:
        message = "Freshness is measured on a date or a timestamp."
        found.append(("element", message, "Name such a column as its `element`."))
    if kind == "completeness":
        if value is not None and not (is_number(value) and 0 < float(value) <= 100):
            message = f"A completeness of `{shown(value)}` is no share."
            found.append(("value", message, "Write 1 to 100."))
        if unit not in ("percent", "%"):
            message = "Completeness is stated in percent."
            found.append(("unit", message, "Write `unit: percent`."))
        if not any(item.value for item in measures):
            message = "Nobody knows how the completeness is measured."
            how = f"[{{property: {MEASURED_BY}, value: <rule id>}}]"
            fix = f"Name a table rule: `customProperties: {how}`."
            found.append(("customProperties", message, fix))
    return found


@check("LEVEL_IDLE", "A service level that outlives everybody promises nothing.")
def level_idle(subject: Subject) -> Found:
    stated = list(enumerate(subject.draft.document.slaProperties or []))
    often = [_days(level) for _, level in stated if level.property == "frequency"]
    for index, level in stated if subject.around else ():
        most, why = float(MOST_DAYS.get(level.property or "", 0)), ""
        if level.property == "freshness" and any(often):
            # Who builds each month, and lets a year go by, has stopped.
            stands_for = _age_when_well(subject.draft, level.element)
            most = min(most, MISSED * often[0] + stands_for)
            if column := not stands_for and column_of(subject.draft, level.element):
                why = _STANDS_FOR.format(column)
        if most and _days(level) > most:
            value, unit = span(level.value, level.unit)
            message = f"A {level.property} of {shown(value)} {unit} is kept whatever happens."
            fix = f"Promise what somebody would miss: {most:,.0f} days at the most{why}."
            yield Finding((*LEVELS, index, "value"), message, fix)


# What a contract that cannot know it is told.
_STANDS_FOR = (
    ", for what is built so often. If `{0}` is the first day of a month, quarter or year that rows "
    "stand for, say so by a rule, as `EXTRACT(DAY FROM {0}) = 1`, and of a quarter with `AND "
    "EXTRACT(MONTH FROM {0}) IN (1, 4, 7, 10)`, of a year with `AND EXTRACT(MONTH FROM {0}) = 1`"
)


def _age_when_well(draft: Draft, element: str | None) -> float:
    """How old, in days, a newest value grows that is right: a first day stands for what follows."""
    column, parts = column_of(draft, element), set[tuple[str, frozenset[str]]]()
    for rule, stated in draft.stated_rules():
        query = stated.keys.get("query") or ""
        condition = condition_on(column, query) if column and rule.type == "sql" else None
        for one in condition.flatten() if isinstance(condition, exp.And) else [condition]:
            asked = one.unnest() if one else None
            part = asked.this if isinstance(asked, exp.EQ | exp.In) else None
            if not asked or not isinstance(part, exp.Extract) or part.expression.name != column:
                continue
            values = asked.expressions or [asked.expression]
            parts.add((part.name.upper(), frozenset(one.name for one in values)))
    if ("DAY", frozenset("1")) not in parts:
        return 0.0
    if ("MONTH", frozenset("1")) in parts:
        return TIME_UNITS["y"][0]
    is_quarter = ("MONTH", frozenset(("1", "4", "7", "10"))) in parts
    return TIME_UNITS["month"][0] * (3 if is_quarter else 1)


def _days(level: ServiceLevelObject) -> float:
    value, unit = span(level.value, level.unit)
    known = isinstance(value, int | float) and unit in TIME_UNITS
    return float(value or 0) * TIME_UNITS[unit or ""][0] if known else 0.0


@check("ROLE", "A role says who it stands for and what it may do.")
def role(subject: Subject) -> Found:
    seen: set[str] = set()
    for index, stated in enumerate(subject.draft.document.roles or []):
        here: Steps = ("roles", index)
        for key, fix in (
            ("role", "Name the role."),
            ("description", "Say who it stands for and what it may do."),
            ("access", "Write `access: read`."),
        ):
            what = f"The role {stated.role or index + 1}"
            yield from subject.draft.missing(here, key, what, fix)
        if stated.role in seen:
            message = f"The role `{shown(stated.role)}` stands twice."
            yield Finding((*here, "role"), message, "Keep one of them.")
        seen |= {stated.role} if stated.role else set()
