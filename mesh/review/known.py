"""Every rule there is: imported from all modules that find something, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.review.contracts import access, columns, diff, product, quality, service, values, verdict
from mesh.review.guards import base_tests, bites, checks, lint, python_tests, unit_tests, workflows
from mesh.review.models import changes, readers
from mesh.review.models.both import Both
from mesh.review.rules import CATEGORIES, Finding, Rule
from mesh.review.rules import RULES as _BOUND

_IN_CONTRACTS = (access, columns, diff, product, quality, service, values, verdict)
_GUARDS = (
    *(checks.rule, lint.rule, unit_tests.rule, workflows.rule),
    *(base_tests.rule, python_tests.rule, bites.rule),
)
_IN_PROJECTS = (changes.loading, changes.rule, *_GUARDS, readers.on_values, readers.rule)

RULES: dict[str, Rule] = {
    rule.id: rule
    for category in CATEGORIES
    # Whichever module was imported first.
    for rule in sorted(_BOUND.values(), key=lambda rule: rule.find.__module__)
    if rule.category == category
}


def project_findings(both: Both) -> Iterator[Finding]:
    """What is found in models and charts."""
    for rules in _IN_PROJECTS:
        yield from rules.findings(both)
