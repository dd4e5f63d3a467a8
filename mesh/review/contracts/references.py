"""Rules of contracts that read what is not promised, or no longer: lint's checks, where due."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.contracts.checks_rules import check_references, check_sql
from mesh.contracts.circles import rule_references
from mesh.files.problems import Problem
from mesh.review.contracts.read import Contracts


def unresolved(base: Contracts, head: Contracts) -> Iterator[tuple[str, Problem]]:
    """Problems by path, of contracts that were changed or read one that was."""
    sides = [{p: source.text for p, source in side.sources.items()} for side in (base, head)]
    changed = {p for p in sides[0] | sides[1] if sides[0].get(p) != sides[1].get(p)}
    if not changed:
        return
    drafts = head.drafts
    schema = {draft.product: draft.column_types() for draft in drafts.values()}
    rule_ids = {d.product: {rule.id for _, rule in d.rules() if rule.id} for d in drafts.values()}
    for path, draft in drafts.items():
        if draft.product in changed or changed & rule_references(draft).keys():
            found = {
                *check_sql(draft, schema, head.unreadable),
                *check_references(draft, rule_ids, head.unreadable),
            }
            yield from ((path, problem) for problem in sorted(found))
