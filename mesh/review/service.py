"""Grain, service levels, roles and support: compared as what they promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.contracts.checks.product import end_of_life
from mesh.contracts.model import ServiceLevel
from mesh.review.findings import Finding
from mesh.review.pair import Pair
from mesh.review.words import same_words

COVERED = frozenset(
    {"id", "property", "value", "unit", "element", "description", "measured_by", "line"}
)
_RULE_OF = {
    "freshness": "FRESHNESS_NO_LOOSEN",
    "completeness": "COMPLETENESS_NO_LOOSEN",
    "retention": "RETENTION_NO_LOOSEN",
}
_MORE_IS_BETTER = {"availability", "completeness", "retention", "endOfSupport"}
_LESS_IS_BETTER = {
    *("errorRate", "freshness", "frequency", "generalAvailability", "latency"),
    *("timeToDetect", "timeToNotify", "timeToRepair"),
}


def compare_grain(pair: Pair) -> Iterator[Finding]:
    was = [pair.names.get(name, f"{name} (gone)") for name in pair.old.grain]
    now = list(pair.new.grain)
    first = pair.new.column(now[0]) if now else None
    line = first.line_of("primaryKey") if first else 1
    texts = {"before": ", ".join(pair.old.grain), "after": ", ".join(now)}
    if set(was) != set(now):
        was_text, now_text = (texts[key] or "not stated" for key in ("before", "after"))
        message = f"The grain was {was_text}, and is {now_text}."
        changed = [c for c in pair.new.columns if (c.name in now) != (c.name in was)]
        if changed:
            line = changed[0].line_of("primaryKey")
        yield pair.report("GRAIN_SAME", message, line, **texts)
    elif was != now:
        message = f"The columns of the grain stand in another order: {texts['after']}."
        yield pair.report("GRAIN_SAME_ORDER", message, line, **texts)
    if not same_words(pair.old.grain_label, pair.new.grain_label):
        yield pair.report(
            "GRAIN_SAME_WORDS",
            "The sentence on what one row is was changed.",
            pair.line_of(("schema", 0, "dataGranularityDescription")),
            before=pair.old.grain_label,
            after=pair.new.grain_label,
        )


def compare_service(pair: Pair) -> Iterator[Finding]:
    old, new = (_by_kind(c.service_levels) for c in (pair.old, pair.new))
    for key, level in old.items():
        if key not in new:
            message = f"The promise on {level.property} was taken back: {_shown(level)}."
            yield pair.gone("SERVICE_NO_DELETE", message, level.line)
        else:
            yield from _level(pair, level, new[key])
    for key, level in new.items():
        if key not in old:
            message = f"A promise on {level.property} was added: {_shown(level)}."
            yield pair.report("SERVICE_ADDED", message, level.line)


def _by_kind(levels: tuple[ServiceLevel, ...]) -> dict[tuple, ServiceLevel]:
    """By kind, and where there are several of a kind, by id; `endOfLife` is left to versions."""
    kinds = [level.property for level in levels]
    return {
        (s.property, s.id if kinds.count(s.property) > 1 else ""): s
        for s in levels
        if s.property != "endOfLife"
    }


def _shown(level: ServiceLevel) -> str:
    return f"{level.value} {level.unit or ''}".strip()


def _level(pair: Pair, old: ServiceLevel, new: ServiceLevel) -> Iterator[Finding]:
    texts = {"before": _shown(old), "after": _shown(new)}
    change = f"{texts['before']} became {texts['after']}"
    measure = _amount(old), _amount(new)
    comparable = None not in measure and measure[0][0] == measure[1][0]
    if not comparable or old.property not in _MORE_IS_BETTER | _LESS_IS_BETTER:
        if texts["before"] != texts["after"]:
            message = f"The {old.property} was changed: {change}."
            yield pair.report("SERVICE_NO_LOOSEN", message, new.line, old.line, **texts)
    elif measure[0] != measure[1]:
        more = measure[1] > measure[0]
        if more == (old.property in _MORE_IS_BETTER):
            message = f"The {old.property} is better: {change}."
            yield pair.report("SERVICE_TIGHTENED", message, new.line, old.line, **texts)
        else:
            rule = _RULE_OF.get(old.property, "SERVICE_NO_LOOSEN")
            message = f"The {old.property} is worse: {change}."
            yield pair.report(rule, message, new.line, old.line, **texts)
    element = pair.names.get(old.element or "", old.element)
    if (element, old.measured_by) != (new.element, new.measured_by):
        message = (
            f"The {old.property} is measured otherwise: on {old.element or 'the whole'} by "
            f"{old.measured_by or 'no rule'} before, on {new.element or 'the whole'} by "
            f"{new.measured_by or 'no rule'} now."
        )
        yield pair.report("SERVICE_SAME_MEASURE", message, new.line, old.line)
    if not same_words(old.description, new.description) or old.id != new.id:
        message = f"The {old.property} is described otherwise."
        yield pair.report("SERVICE_SAME_WORDS", message, new.line, old.line)


def _amount(level: ServiceLevel) -> Any:
    """Something that can be compared with the other level of the same kind, or None."""
    if level.days is not None:
        return ("days", level.days)
    date = end_of_life(level.value)
    if date is not None:
        return ("date", date.toordinal())
    if isinstance(level.value, int | float) and not isinstance(level.value, bool):
        return (level.unit or "", level.value)
    return None


def compare_access(pair: Pair) -> Iterator[Finding]:
    old, new = ({role.name: role for role in c.roles} for c in (pair.old, pair.new))
    for name, role in old.items():
        if name not in new:
            yield pair.gone("ROLE_NO_DELETE", f"The role {name} may no longer read.", role.line)
        elif role.access != new[name].access:
            now = f", but {new[name].access}" if new[name].access else ""
            message = f"The role {name} may no longer {role.access}{now}."
            yield pair.report("ROLE_NO_DELETE", message, new[name].line, role.line)
        elif not same_words(role.description, new[name].description):
            message = f"The role {name} is described otherwise."
            yield pair.report("ROLE_SAME_WORDS", message, new[name].line, role.line)
    for name, role in new.items():
        if name not in old:
            personal = [column.name for column in pair.new.personal_columns]
            message = f"The role {name} may now read."
            if personal:
                message = f"The role {name} may now read personal data ({', '.join(personal)})."
            rule = "ROLE_ADDED_TO_PERSONAL" if personal else "ROLE_ADDED"
            yield pair.report(rule, message, role.line)
    yield from _people(pair)


def _people(pair: Pair) -> Iterator[Finding]:
    line = pair.new.line_of("team")
    if pair.old.owner != pair.new.owner:
        message = f"The owner was {pair.old.owner}, and is {pair.new.owner}."
        yield pair.report("OWNER_SAME", message, line)
    elif not same_words(pair.old.owner_description, pair.new.owner_description):
        yield pair.report("SUPPORT_CHANGED", "The owner is described otherwise.", line)
    old, new = ({s.channel: s for s in c.support} for c in (pair.old, pair.new))
    for name, channel in old.items():
        if name not in new:
            message = f"The support channel {name} is gone."
            yield pair.gone("SUPPORT_NO_DELETE", message, channel.line)
            continue
        other = new[name]
        if (channel.tool, channel.url) != (other.tool, other.url) or not same_words(
            channel.description, other.description
        ):
            message = f"The support channel {name} was changed."
            yield pair.report("SUPPORT_CHANGED", message, other.line, channel.line)
    for name, channel in new.items():
        if name not in old:
            message = f"The support channel {name} was added."
            yield pair.report("SUPPORT_CHANGED", message, channel.line)
