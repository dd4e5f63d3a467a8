"""Rules of contracts that read what is not promised, or no longer: lint's checks, where due."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.contracts.checks import Around, problems_of
from mesh.contracts.checks.rules import references
from mesh.files.problems import Problem
from mesh.review.read import Contracts


def unresolved(base: Contracts, head: Contracts) -> Iterator[tuple[str, Problem]]:
    """Problems by path, of contracts that were changed or read one that was."""
    sides = [{p: source.text for p, source in side.sources.items()} for side in (base, head)]
    changed = {p for p in sides[0] | sides[1] if sides[0].get(p) != sides[1].get(p)}
    if not changed:
        return
    around = Around({draft.product: draft for draft in head.drafts.values()}, head.unreadable)
    for path, draft in head.drafts.items():
        if draft.product in changed or changed & references(draft).keys():
            found = set(problems_of(draft, around)) - set(problems_of(draft))
            yield from ((path, problem) for problem in sorted(found))
