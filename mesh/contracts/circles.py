"""Rules that read other products must not go round in a circle: a plan runs them in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.contracts.draft import Draft
from mesh.files.problems import Problem
from mesh.files.tree import Steps

References = Mapping[str, Steps]
"""The products that the rules of one contract read, and where the first such rule stands."""


def rule_references(draft: Draft) -> dict[str, Steps]:
    """What the rules of a contract read; a rule that cannot be parsed reads nothing."""
    from mesh.contracts.sql import RuleSqlError, parse_rule

    found: dict[str, Steps] = {}
    for here, rule in draft.rules():
        if rule.type != "sql" or not rule.query:
            continue
        try:
            parsed = parse_rule(rule.query)
        except RuleSqlError:
            continue
        for reference in parsed.references:
            found.setdefault(reference, (*here, "query"))
    return found


def check_circles(draft: Draft, product: str, graph: Mapping[str, References]) -> Iterator[Problem]:
    """Each rule of a product that leads back to the product over the rules of others."""
    for reference, steps in graph[product].items():
        way = _way(reference, product, graph)
        if way is None:
            continue
        circle = " → ".join((product, *way))
        message = f"The rules wait for each other: {circle}."
        fix = "Write the rule into the contract of the product that is built last."
        yield draft.problem(steps, "REFERENCE", message, fix)


def _way(start: str, goal: str, graph: Mapping[str, References]) -> tuple[str, ...] | None:
    """A way from one product to another along the rules, or None."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == goal:
            return way
        for following in graph.get(way[-1], {}):
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return None
