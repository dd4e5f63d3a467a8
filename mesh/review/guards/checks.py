"""Checks that would run before a change, and after it do not, or say nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from mesh.contracts.audits import AUDIT
from mesh.contracts.queries import read_query
from mesh.contracts.sql import DIALECT
from mesh.review.contracts.pair import Pair
from mesh.review.contracts.words import both_shortened, shortened
from mesh.review.models.both import Both
from mesh.review.models.lines import CONFIGS
from mesh.review.models.review_worker.facts import Audit, Model
from mesh.review.rules import BREAKS, PROJECT, WARNS, Change, Found, Place, Rules
from mesh.words import listed

rule: Rules[[Both]] = Rules("guard")
_MOST = 3
# An embedded model is a part of those that read it, and no audit runs on it.
_KINDS = {"VIEW": "view", "EMBEDDED": "subquery"}
# Settings by which a plan does more than build, or builds where prod is shown.
_PLANNING = ("after_all", "before_all", "plan.forward_only", "virtual_environment_mode")
LINTERS = ("linter/", "mesh/lint/")
_CALL = re.compile(r"@\w+\s*\(")
_AUDITED = re.compile(r"@this_model\b", re.IGNORECASE)
_MODEL = "this_model"
AUDITS = ("audits/", "macros/", *CONFIGS, "mesh/contracts/")


def kept(both: Both) -> Iterator[tuple[Model, Model]]:
    for name, was in both.base.models.items():
        if now := both.head.models.get(name):
            yield was, now


def some_of(names: Iterable[str], most: int = _MOST) -> str:
    return listed(sorted(names), most)


Lost = list[tuple[str, str, Iterable[str]]]
"""What models lost: the model, a sentence's beginning, and the names of what it is about."""


def told_together(both: Both, lost: Lost, elsewhere: tuple[str, ...]) -> Found:
    """One change for all models that lost the same, at the place where it was made.

    elsewhere: where it can be made but in the models.
    """
    groups: dict[tuple[str, Place], dict[str, Iterable[str]]] = defaultdict(dict)
    for name, what, about in lost:
        path = both.head.models[name].path
        groups[what, both.files.made_in(path, *elsewhere) or Place(path, 1)][name] = about
    for (what, place), models in groups.items():
        one = len(models) == 1
        on = "" if one else f" on {len(models)} models ({some_of(models)})"
        about = some_of({each for several in models.values() for each in several}, 2 * _MOST)
        message = f"{what}{on}{': ' if about else ''}{about}."
        yield Change(min(models) if one else PROJECT, message, place)


def _audits(both: Both) -> Iterator[tuple[str, Audit, Audit | None]]:
    """The audits of the base on models that are still there, and what became of each.

    Known by name, and by what they are told where that is no list of rules.
    """
    for was, now in kept(both):
        before, after = (
            {(one.name, "" if one.rules else one.stated): one for one in side.audits}
            for side in (was, now)
        )
        yield from ((now.name, audit, after.get(key)) for key, audit in before.items())


def _pair(both: Both, audit: Audit) -> Pair | None:
    return both.diff.pairs.get(audit.product) if audit.name == AUDIT else None


def _promised(pair: Pair | None) -> dict[str, bool]:
    """The rules of a contract in the work tree, and whether each says what it said."""
    if pair is None:
        return {}
    was, now = (
        {
            **{one.id: one.condition.sql() for one in side.row_rules()},
            **{one.id: one.query.sql() for one in side.table_rules()},
        }
        for side in (pair.old, pair.new)
    )
    return {name: was.get(name) == text for name, text in now.items()}


@rule(BREAKS, instead="Let the audit run again, or take the promise out of the contract.")
def audit_no_delete(both: Both) -> Found:
    """What is promised and no longer checked will be broken unseen."""
    lost: Lost = []
    for name, audit, after in _audits(both):
        told = "" if audit.rules else f"({shortened(audit.stated, 80)})"
        if after is None:
            lost.append((name, f"The audit {audit.name}{told} no longer runs", audit.rules))
            continue
        untold = {*audit.rules} - {*after.rules}
        if gone := untold and untold.intersection(_promised(_pair(both, audit))):
            lost.append((name, f"The audit {audit.name} is not told all of its contract", gone))
    yield from told_together(both, lost, AUDITS)
    audited = {audit.product for model in both.head.models.values() for audit in model.audits}
    for name in sorted(both.base.models.keys() - both.head.models.keys()):
        for audit in both.base.models[name].audits:
            promised = audit.product in both.diff.head.sources and audit.product != name
            if both.comparable and promised and audit.product not in audited:
                message = f"Nothing audits {audit.product} any more: {name} did, and is gone."
                where = Place(both.base.models[name].path, 1)
                yield Change(audit.product, message, where)


@rule(BREAKS, instead="Let the audit find what it found.")
def audit_no_silence(both: Both) -> Found:
    """An audit that runs and finds nothing looks like data without faults.

    Both revisions are asked of the same made-up rows.
    """
    lost: Lost = []
    for name, audit, after in _audits(both):
        if after is None or after.problem:
            continue
        unknown = not audit.noticed and not after.noticed
        if unknown and not _finds_the_same(audit.code, after.code, _columns(both, name)):
            what = f"The audit {audit.name} was changed, and no made-up row shows that it still "
            lost.append((name, f"{what}finds what it is there for", ()))
            continue
        silent = {*audit.noticed} & {"", *after.rules} - {*after.noticed}
        if "" in silent:
            what = f"The audit {audit.name} finds nothing in broken rows any more"
            lost.append((name, what, ()))
        elif silent:
            pair = _pair(both, audit)
            same = _promised(pair) if pair else dict.fromkeys(after.rules, True)
            if silent := {one for one in silent if same.get(one)}:
                what = f"The audit {audit.name} runs, but no longer notices what breaks its rules"
                lost.append((name, what, silent))
    yield from told_together(both, lost, AUDITS)


@rule(WARNS, instead="Say in the pull request what it lets through from now on, and why.")
def audit_same_query(both: Both) -> Found:
    """An audit that asks something else may let through what it stopped.

    Of the audits of contracts their rules are compared, and what the code behind makes of the same.
    """
    lost: Lost = []
    for name, audit, after in _audits(both):
        if after and after.problem and not audit.problem:
            why = shortened(after.problem, 120)
            lost.append((name, f"The audit {audit.name} cannot be asked any more ({why})", ()))
        if after is None or after.problem or not {*audit.noticed} <= {*after.noticed}:
            continue
        was, now = both.base.models[name], both.head.models[name]
        columns = _columns(both, name)
        if audit.name == AUDIT:
            same = (audit.stated, was.columns) == (after.stated, now.columns)
            if same and audit.asked and audit.asked != after.asked:
                lost.append((name, "A contract that says the same asks something else", ()))
        elif audit.noticed and not _finds_the_same(audit.code, after.code, columns):
            what = f"The audit {audit.name} asks something else of the rows"
            lost.append((name, what, (_difference(audit.code, after.code),)))
    yield from told_together(both, lost, AUDITS)


def _columns(both: Both, name: str) -> dict[str, str]:
    """All columns that a model has or had: one that is added does not change what others mean."""
    return {**both.base.models[name].columns, **both.head.models[name].columns}


def _finds_the_same(before: str, after: str, columns: Mapping[str, str]) -> bool:
    """Whether two queries of audits find the same rows, whatever they show of them.

    columns: types by name, of the model that is audited. What a macro makes of its arguments is not
    known here.
    """
    if before == after or _CALL.search(before + after):
        return before == after
    try:
        one, two = (_rows_found(text, columns) for text in (before, after))
    except (SqlglotError, RecursionError):
        return False
    return one is not None and one == two


def _rows_found(audit: str, columns: Mapping[str, str]) -> str | None:
    """What decides about the rows of an audit's query; None if it is no query."""
    query = parse_one(_AUDITED.sub(_MODEL, audit), dialect=DIALECT)
    if not isinstance(query, exp.Query):
        return None
    schema = MappingSchema({_MODEL: dict(columns)} if columns else {}, dialect=DIALECT)
    # Of other tables that it reads the columns are not known, so these keep their plain names.
    known = qualify(query, dialect=DIALECT, schema=schema, validate_qualify_columns=False)
    return read_query(known).rows


def _difference(before: str, after: str) -> str:
    """Two texts on one line each, where they are not the same."""
    was, now = both_shortened(" ".join(before.split()), " ".join(after.split()), 120)
    return f"`{was}` was, `{now}` is"


@rule(BREAKS, instead="Let the audit stop the plan, or take the promise out of the contract.")
def audit_stays_blocking(both: Both) -> Found:
    """An audit that only warns lets the broken data through."""
    lost: Lost = [
        (name, f"The audit {audit.name} warns, and no longer stops a plan", ())
        for name, audit, after in _audits(both)
        if audit.blocking and after and not after.blocking
    ]
    yield from told_together(both, lost, AUDITS)


def of_config(both: Both, what: str) -> Change:
    where = both.files.made_in(*CONFIGS, *LINTERS) or Place(both.new.config.name, 1)
    return Change(PROJECT, f"{what}.", where)


@rule(BREAKS, instead="Put it back into the configuration of the project.")
def prod_stays_apart(both: Both) -> Found:
    """Prod is changed by those who mean it, and when all who have to agree have done so."""
    if not both.comparable:
        return
    for name in {*both.base.approvers} - {*both.head.approvers}:
        yield of_config(both, f"{name} no longer has to agree")
    if both.base.target != (target := both.head.target) == "prod":
        yield of_config(both, f"A plan that names no environment is one of {target} now")


@rule(BREAKS, instead="Take it back, or say in the pull request what every plan does from now on.")
def setting_same(both: Both) -> Found:
    """How plans are made decides on all models at once, whatever stands in them.

    What runs around a plan, and what keeps it from building apart from prod, breaks; others warn.
    """
    if not both.comparable:
        return
    was, now = both.base.settings, both.head.settings
    for place in sorted({*was, *now}):
        before, after = was.get(place), now.get(place)
        if before != after:
            old, new = (
                f"`{shortened(text, 160)}`" if text else "unset" for text in (before, after)
            )
            change = of_config(both, f"The setting {place} was {old}, and is {new}")
            yield change if place in _PLANNING else replace(change, severity=WARNS)


@rule(BREAKS, instead="Give the model the kind that its contract promises, or change the contract.")
def kind_as_promised(both: Both) -> Found:
    """A view shows what is, a table what was: readers and costs rest on which it is."""
    for was, now in kept(both):
        pair = both.diff.pairs.get(now.name)
        if pair is None or was.kind == now.kind:
            continue
        before, after = (_KINDS.get(one.kind, "table") for one in (was, now))
        if before != after != pair.new.kind:
            message = (
                f"The model is a {after} now ({now.kind}), its contract promises a {pair.new.kind}."
            )
            where = both.files.header(now.path)
            yield Change(now.name, message, where)


@rule(BREAKS, instead="Let it run as often as its contract promises.")
def cron_no_slower(both: Both) -> Found:
    """A model that runs less often than promised shows old data, and no query notices."""
    for was, now in kept(both):
        if now.period <= was.period:
            continue
        days, message = now.period / 86400, f"The model runs {now.cron} instead of {was.cron}"
        slower = [
            f"{name} promises data every {level.days:g} days"
            for name, source in both.diff.head.sources.items()
            if name in both.head.models
            and now.name in {one.name for one in both.meanings[1].behind(name)}
            and (level := source.contract.service_level("frequency"))
            and level.days
            and level.days < days - 1
        ]
        where = both.files.header(now.path)
        if slower:
            message += f", but {some_of(slower)}"
        severity = None if slower else WARNS
        yield Change(now.name, f"{message}.", where, severity=severity)
