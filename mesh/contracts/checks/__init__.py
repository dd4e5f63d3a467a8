"""The checks of the contract lint, in the order in which they are made.

A new one is a function with `@check(id, purpose)` in a module beside this one, and its name here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mesh.contracts.checks import columns, complete, names, product, rules
from mesh.contracts.checks.record import Around, Check, Subject, check
from mesh.contracts.draft import Draft
from mesh.contracts.findings import Finding, Found
from mesh.contracts.standard import SCHEMA
from mesh.files.problems import Problem, shown
from mesh.files.tree import Steps

__all__ = ["CHECKS", "Around", "Check", "problems_of"]


@lru_cache(maxsize=1)
def _validator() -> Any:
    from jsonschema import validators

    return validators.validator_for(SCHEMA)(SCHEMA)


@check("STANDARD", "The file is valid by the published JSON schema of the standard.", is_slow=True)
def standard(subject: Subject) -> Found:
    """What the schema finds at places where nothing else was found."""
    if subject.around is None:
        return
    tree, known = subject.draft.tree, subject.known
    lines = {problem.line for problem in known}
    for error in _validator().iter_errors(tree.data):
        steps: Steps = tuple(error.absolute_path)
        if steps == ("apiVersion",):
            continue  # It has been looked at, and may be shorter than in the schema.
        inside = {
            at
            for place, at in tree.lines.items()
            if place[: len(steps)] == steps and (steps or not known)
        }
        if tree.line(steps) in lines or inside & lines or (not steps and known):
            continue
        message = f"The standard refuses this: {shown(error.message, 160)}."
        yield Finding(steps, message, "See the Open Data Contract Standard.")


CHECKS: tuple[Check, ...] = (
    complete.value_missing,
    complete.text_steers,
    names.name_invalid,
    names.name_disagrees,
    names.file_name,
    names.id_duplicate,
    names.key_unknown,
    product.version,
    product.status,
    product.ends,
    product.service_level,
    product.level_idle,
    product.role,
    columns.description_too_long,
    columns.type_disagrees,
    columns.classification,
    columns.personal,
    *columns.PROMISES,
    columns.example,
    columns.grain,
    rules.rule_unsupported,
    rules.rule_sql,
    rules.rule_column,
    rules.reference,
    rules.rule_idle,
    standard,
)


def problems_of(
    draft: Draft, around: Around | None = None, *, is_sound: bool = False
) -> list[Problem]:
    """All that is wrong with a contract.

    around: the contracts beside it. Without them, what one file tells without an engine and
    without parsing the SQL of its rules: enough to rely on it. is_sound: whether the slow checks
    are known to find nothing.
    """
    subject = Subject(draft, around, list(draft.found))
    unwritten = {draft.tree.line(steps) for steps, _ in complete.unwritten(draft)}
    for one in CHECKS:
        if is_sound and one.is_slow:
            continue
        # What is still to be written is nothing else besides.
        hidden = set() if one is complete.value_missing else unwritten
        subject.known.extend(p for p in one.problems(subject) if p.line not in hidden)
    return subject.known
