"""Lint rules go on running, refuse what they refused, and are heard."""

from __future__ import annotations

from collections import defaultdict

from mesh.project import Project
from mesh.review.contracts.words import shortened
from mesh.review.guards.bites import stated_settings
from mesh.review.guards.checks import AUDITS, LINTERS, kept, of_config, some_of, told_together
from mesh.review.models.both import Both
from mesh.review.models.lines import CONFIGS
from mesh.review.models.review_worker.facts import OF_ALL_MODELS, Model, without
from mesh.review.rules import BREAKS, PROJECT, WARNS, Change, Found, Place, Rules
from mesh.words import many

rule: Rules[[Both]] = Rules("guard")
# The list in the variable `mesh` of what has no finished contract yet.
LEFT_OUT = "uncontracted"


@rule(BREAKS, instead="Let the rule run again, and change what breaks it.")
def lint_no_delete(both: Both) -> Found:
    """What the linter refused gets into a plan without a word."""
    here, there = both.head.lint.keys(), both.base.lint.keys()
    if (gone := there - here) and both.comparable:
        what = f"No longer runs: the lint rule {some_of(gone, len(gone))}"
        if not here:
            rules = many(len(gone), "lint rule")
            what = f"The linter is off, and with it {rules}: {some_of(gone)}"
        yield of_config(both, what)
    what = "It is exempt from lint rules that it was held to"
    models = [(now.name, {*was.lint} & {*here} - {*now.lint}) for was, now in kept(both)]
    yield from told_together(
        both, [(name, what, rules) for name, rules in models if rules], CONFIGS
    )


@rule(WARNS, instead="Mend what it says: a plan stops there.")
def model_passes_lint(both: Both) -> Found:
    """What the linter refuses is neither planned nor merged, whatever else is said of it."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for name, now in both.head.models.items():
        was = both.base.models.get(name)
        for said in now.refused:
            if was is None or said not in was.refused:
                lint, _, message = said.partition(": ")
                groups[lint].setdefault(name, message)
    for lint, models in groups.items():
        first, message = min(models.items())
        # What is wrong with one model, or with the project, is said by the first of its models.
        about = message.partition(":")[0]
        first = about if about in both.head.models else first
        several = f"{len(models)} models ({some_of(models)})"
        one = len(models) == 1 and about not in CONFIGS
        refused = "it" if one else "the project" if about in CONFIGS else several
        text = f"`sqlmesh lint` refuses {refused} by {lint}: {shortened(message, 200).rstrip('.')}."
        path = both.head.models[first].path
        where = both.files.made_in(path, *AUDITS, *LINTERS) or both.files.place(first, None)
        yield Change(first if one else PROJECT, text, where)


@rule(BREAKS, instead="List the rule under `rules` again, or take the model off the list.")
def lint_stays_error(both: Both) -> Found:
    """A lint rule that only warns stops nobody, nor one that a model is left out of."""
    for name, was in both.base.lint.items():
        now = both.head.lint.get(name)
        if now and (was.level, now.level) == ("error", "warning"):
            yield of_config(both, f"The lint rule {name} only warns")
    # Who takes the rules into a project leaves out what is there.
    for name in sorted(_left_out(both.new) - _left_out(both.old)) if both.base.lint else ():
        yield of_config(both, f"No contract is asked of {name}, which `{LEFT_OUT}` names")


def _left_out(project: Project) -> set[str]:
    told = stated_settings(project).get(LEFT_OUT)
    return {*map(str, told)} if isinstance(told, list) else set()


@rule(BREAKS, instead="Let the rule refuse what it refused.")
def lint_no_silence(both: Both) -> Found:
    """A lint rule that runs and says nothing looks like models without faults.

    Both revisions are asked of the same made-up models.
    """
    # Models and contracts are what a rule speaks of: they make none silent.
    code = (n for n in both.files.edited if n.endswith(".py") and not n.startswith("tests/"))
    if not any(code) and both.files.edited.keys().isdisjoint(CONFIGS):
        return
    silent: dict[tuple[Place, str], dict[str, set[str]]] = defaultdict(dict)
    comparable = _made_of_the_same(both)
    for name, was in both.base.lint.items():
        now = both.head.lint.get(name)
        if now is None:
            continue
        lost = {*was.noticed} & comparable - {*now.noticed}
        if lost or (was.code != now.code and not now.noticed):
            paths = *filter(None, (now.path, was.path)), *LINTERS, "mesh/"
            made = both.files.made_in(*paths) or Place(now.path or CONFIGS[0], now.line)
            what = "no longer complains of" if lost else "was changed, and no made-up model shows"
            silent[made, what][name] = lost
    for (made, what), rules in silent.items():
        about = some_of({each for lost in rules.values() for each in lost})
        about = about or "that it still complains of what it is there for"
        message = f"The lint rule {some_of(rules, len(rules))} {what} {about}."
        yield Change(PROJECT, message, made)


def _made_of_the_same(both: Both) -> set[str]:
    """The made-up models that are of the same models and contracts on both sides.

    Who mends what a rule complained of has not made it silent.
    """
    contracts = {n for n, pair in both.diff.pairs.items() if pair.before.text != pair.after.text}
    same = {now.name for was, now in kept(both) if _stated(was) == _stated(now)}
    same = {name for name in same if not {name, *both.head.models[name].parents} & contracts}
    made = {one for one in both.head.made_up if one.partition(" ")[0] in same}
    if contracts or not same == {*both.base.models} == {*both.head.models}:
        return {one for one in made if not one.endswith(OF_ALL_MODELS)}
    was_out, is_out = (_left_out(side) for side in (both.old, both.new))
    # A name that is taken off this list need not be there any more; one that is put on it is told.
    off = was_out - is_out if was_out >= is_out else both.base.models
    return made - {without(name) for name in off}


def _stated(model: Model) -> tuple[object, ...]:
    audits = [(one.name, one.stated) for one in model.audits]
    return model.query, model.version, dict(model.columns), audits
