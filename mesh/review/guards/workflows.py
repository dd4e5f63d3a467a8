"""Steps of workflows that check something: gone, or made so that they stop nobody."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Set
from itertools import chain, pairwise

from mesh.project import AS_OF_VARIABLE
from mesh.review.contracts.words import shortened
from mesh.review.guards.steps import SCHEDULE, TOOLS, Step, lost_parts, steps_of
from mesh.review.models.both import Both
from mesh.review.models.lines import edited_at
from mesh.review.rules import BREAKS, PROJECT, WARNS, Change, Found, Rules

rule: Rules[[Both]] = Rules("guard")
# A failure that follows one of these is none.
_FORGIVES = re.compile(
    r"^\s*set \+(?:e|o errexit)|^\s*exit 0\b|^\s*(?:!|false\s*&&)\s"
    r"|^\s*(?:if|while|until)\s+(?!\[|test\b)",
    re.MULTILINE,
)
_FAILS = re.compile(r"^\s*(exit (?!0\b).*|set -\w*e\w*.*)$", re.MULTILINE)
_TOOL = rf"\b(?:{'|'.join(TOOLS)})\b"
_PIPED = re.compile(rf"{_TOOL}[^|\n]*(?<!\|)\|(?!\|)")
_INSTEAD = re.compile(rf"{_TOOL}[^|\n]*\|\|(.*)$", re.MULTILINE)
_BEHIND = re.compile(rf"{_TOOL}[^&\n]*(?:&&[^&\n]*)*(?<![&>])&\s*$", re.MULTILINE)
# What changes an environment: a check before it stops it, one behind it sees what it made.
_ACTS = (
    "mesh ingest",
    "mesh promote",
    "mesh refresh",
    "mesh rollback",
    "sqlmesh plan",
    "sqlmesh run",
)
# With these a tool finds nothing, or says that all is well.
_IDLE = ("--collect-only", "--dry-run", "--exit-zero", "--ignore-errors")
_IDLE_MAKE = ("-i", "-n")
_HANDED = {
    "PYTEST_ADDOPTS": _IDLE,
    **dict.fromkeys(("MAKEFLAGS", "GNUMAKEFLAGS"), (*_IDLE, *_IDLE_MAKE, "i", "n")),
}
# On which of its events a workflow runs that does not say.
_TYPES = frozenset({"opened", "reopened", "synchronize"})


def _narrowed(was: Step, now: Step) -> Iterator[str]:
    """What an event is limited to that it was not."""
    before = {(event, name): values for event, name, values in was.filters}
    for event, name, values in now.filters:
        less: Set[str]
        known = before.get((event, name))
        shut = {v for v in values if v.startswith("!")} - (known or set())
        if name.endswith("-ignore"):
            less = values - (known or set())
        elif name == "types":
            less = (_TYPES if known is None else known) - values
        else:
            less = {"all"} if known is None else known - values
        if event in was.events and name not in ("cron", "inputs") and (less or shut):
            yield f"{event} with `{name}: [{', '.join(sorted(values))}]`"


Pairs = list[tuple[Step, Step | None]]


def _pairs(both: Both) -> Pairs:
    """Each step of the base, and what became of it. Of steps that are alike each stands for one."""
    shown = os.path.relpath(both.workflows, both.new.root)
    before, after = steps_of(both.old.workflows, shown), steps_of(both.workflows, shown)
    found: dict[int, Step] = {}
    left = list(after)
    for alike in (_as_it_was, _in_its_job, _in_its_file, _with_more_words):
        for number, was in enumerate(before):
            if number not in found and (same := [one for one in left if alike(was, one)]):
                found[number] = same[0]
                left.remove(same[0])
    return [(was, found.get(n) or _elsewhere(was, after)) for n, was in enumerate(before)]


def _elsewhere(was: Step, after: list[Step]) -> Step | None:
    """The step of another file that is the least weaker."""
    moved = [one for one in after if one.file != was.file and one.command == was.command]
    moved = [one for one in moved if one.events >= was.events]
    return min(moved, key=lambda one: len([*_weaker(was, one)]), default=None)


def _as_it_was(was: Step, now: Step) -> bool:
    return _in_its_job(was, now) and _asked(was) == _asked(now)


def _in_its_job(was: Step, now: Step) -> bool:
    return _in_its_file(was, now) and was.job == now.job


def _in_its_file(was: Step, now: Step) -> bool:
    return (was.file, was.command) == (now.file, now.command)


def _with_more_words(was: Step, now: Step) -> bool:
    return (was.file, was.job) == (now.file, now.job) and now.command.startswith(f"{was.command} ")


@rule(BREAKS, instead="Bring the step back.")
def step_no_delete(both: Both) -> Found:
    """What no workflow runs stops nobody."""
    for step, now in _pairs(both):
        if now is None:
            message = f"`{step.command}` no longer runs: it was taken out of the job {step.job}."
            yield Change(PROJECT, message, edited_at(both.files, step.file))


@rule(BREAKS, instead="Let the step fail when what it checks fails, and run when it ran.")
def step_no_weaken(both: Both) -> Found:
    """A step that may fail, or is skipped, is green whatever happens."""
    pairs = _pairs(both)
    for was, now in pairs:
        if now is None or was == now:
            continue
        for why in _stops_less(was, now, pairs):
            message = f"`{now.command}` in the job {now.job} {why}."
            yield Change(PROJECT, message, now.place)


def _stops_less(was: Step, now: Step, pairs: Pairs) -> Iterator[str]:
    yield from _weaker(was, now)
    yield from _moved(was, now, pairs)


def _moved(was: Step, now: Step, pairs: Pairs) -> Iterator[str]:
    """What a check stood before in its job, and stands behind now, or the other way round."""
    for act, there in pairs:
        if there is None or not act.command.startswith(_ACTS) or was.command.startswith(_ACTS):
            continue
        if (act.file, act.job, there.file, there.job) != (was.file, was.job, now.file, now.job):
            continue
        if was.line < act.line and now.line > there.line:
            yield f"stands behind `{there.command}` now, and no longer stops it"
        if was.line > act.line and now.line < there.line:
            yield f"stands before `{there.command}` now, and no longer sees what that made"


def _goes_on(script: str) -> int:
    """How often a script goes on after a failure that ended it otherwise."""
    count = len(_FORGIVES.findall(script)) + len(_BEHIND.findall(script))
    for found in _INSTEAD.finditer(re.sub(r"\\\n\s*", " ", script)):
        kept = re.match(r"\s*(\w+)=\$\?", found[1])
        ends = re.search(r"\b(exit|return)\b(?!\s+0\b)", found[1])
        later = kept and re.search(rf"\bexit\s+\"?\$\{{?{kept[1]}\b", script)
        count += not (ends or later)
    return count


def _weaker(was: Step, now: Step) -> Iterator[str]:
    if was.command.startswith("mesh ") and (part := now.command.removeprefix(was.command)):
        yield f"looks at{part} alone"
    if now.forgiven and not was.forgiven:
        yield "may fail now: `continue-on-error`"
    if new := [one for one in now.unless if one not in was.unless]:
        yield f"runs only if {' and '.join(new)}"
    if new := [one for one in now.waits if one not in (*was.waits, *was.unless)]:
        yield f"waits for a job that runs only if {' and '.join(new)}"
    if lost := lost_parts(was.parts, now.parts):
        yield f"no longer runs with {' and '.join(f'`{one}`' for one in lost)}"
    if lost := sorted(was.events - now.events):
        yield f"no longer runs on {', '.join(lost)}"
    fails = [one.strip() for one in _FAILS.findall(was.script)]
    if _goes_on(now.script) > _goes_on(was.script):
        yield "may fail now: its script goes on"
    elif lost := [one for one in fails if one not in now.script]:
        yield f"may fail now: its script no longer has `{lost[0]}`"
    if was.released_by not in ("", now.released_by):
        yield f"no longer waits for the people of `{was.released_by}`"
    if narrowed := [*_narrowed(was, now)]:
        yield f"runs only on {' and '.join(narrowed)}"
    if _stops(was) and not _stops(now):
        yield f"may fail now: its shell is `{now.shell}`, which goes on after a failure"
    piped = len(_PIPED.findall(now.script)) > len(_PIPED.findall(was.script))
    if piped and "pipefail" not in now.script + now.shell:
        yield "may fail now: of a pipe only the last command counts"
    if (day := _fixed_day(now)) and day != _fixed_day(was):
        yield f"measures freshness against {day}, whatever day it is"
    skips = [o for o in now.options if o.startswith(("--skip", "--no-")) and o not in was.options]
    skips = [one for one in skips if one != "--no-prompts"]
    idle = _IDLE + (_IDLE_MAKE if now.command.split()[0] == "make" else ())
    skips += [o for o in now.options if o in idle and o not in was.options]
    skips += [f"{o} in {name}" for name, o in _handed(now) if (name, o) not in {*_handed(was)}]
    lost = [o for o in was.options if o.startswith("--") and o not in now.options]
    if skips or lost:
        words = [f"with {o}" for o in skips] + [f"without {o}" for o in lost]
        yield f"runs {' and '.join(words)}"


def _handed(step: Step) -> Iterator[tuple[str, str]]:
    """The words that idle a tool, by the variable from which it takes them."""
    for name, text in step.environment:
        idle = _HANDED.get(name, ())
        yield from ((name, word) for word in text.split() if word in idle)


def _stops(step: Step) -> bool:
    """Whether a script ends where a command of it fails."""
    return bool(re.search(r"\s-(?!-)\w*e", step.shell) or "errexit" in step.shell)


def _fixed_day(step: Step) -> str:
    """The day of use that is written down for a check; empty where it is today, or a variable."""
    asked = [o.partition("=")[2] for o in step.options if o.startswith("--as-of=")]
    asked += [new for old, new in pairwise(step.options) if old == "--as-of"]
    day = asked[0] if asked else dict(step.environment).get(AS_OF_VARIABLE, "")
    return "" if day.startswith("$") else day


def _asked(step: Step) -> tuple[object, ...]:
    around = (step.script, step.unless, step.environment, step.shell, step.around, step.prepared)
    return step.command, step.options, *around


@rule(WARNS, instead="See whether it still stops what it stopped.")
def step_changed(both: Both) -> Found:
    """Who reviews sees when a check is run otherwise."""
    told: dict[tuple[str, str, str], list[tuple[Step, Step]]] = {}
    pairs = _pairs(both)
    times = {now.file: (_times(was), _times(now)) for was, now in pairs if now}
    for file, (before, after) in times.items():
        if before != after:
            message = f"{file} runs its checks at other times: "
            message += f"`{before or 'none'}` became `{after or 'none'}`."
            yield Change(PROJECT, message, edited_at(both.files, file))
    for was, now in pairs:
        if now is None or [*_stops_less(was, now, pairs)]:
            continue
        if _asked(was) != _asked(now):
            told.setdefault((now.file, now.job, _otherwise(was, now)), []).append((was, now))
    for (_, job, how), same in told.items():
        names = dict.fromkeys(f"`{now.command}`" for _, now in same)
        are = "is" if len(names) == 1 else "are"
        message = f"{', '.join(names)} in the job {job} {are} run otherwise{how}."
        yield Change(PROJECT, message, same[0][1].place)


def _otherwise(was: Step, now: Step) -> str:
    """What is set for a check now, and was not, or the other way round."""
    before, after = ({*s.environment, *_set(s)} for s in (was, now))
    told = [f"{word} `{name}: {value}`"
            for word, sides in (("without", before - after), ("with", after - before))
            for name, value in sorted(sides)]  # fmt: skip
    return ": " + shortened(", ".join(told), 200) if told else ""


def _set(step: Step) -> Iterator[tuple[str, str]]:
    """What is set around a check, and by which words it is called."""
    yield from chain.from_iterable(step.around)
    yield "words", " ".join((step.command, *step.options))
    yield from (("step", one) for one in step.prepared)


def _times(step: Step) -> str:
    """When a check runs by itself."""
    stated = (times for event, _, times in step.filters if event == SCHEDULE)
    return ", ".join(sorted(time for times in stated for time in times))
