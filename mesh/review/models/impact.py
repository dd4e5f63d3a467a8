"""Who is hit: from each changed column through models, products and rules to the last chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sqlglot import exp

from mesh.contracts.findings import ContractInvalid
from mesh.review.contracts.pair import Source
from mesh.review.models.both import Both
from mesh.review.models.meaning import reads
from mesh.review.models.review_worker.facts import Model
from mesh.review.rules import Finding, Level

Node = tuple[str, str]
"""A model, a product or a chart, and its column; `*` for its rows as a whole."""
ROWS = "*"
_TELLING = (Level.BREAKING, Level.WARNING)
# Changes of words and of whom to ask: no value and no row is another one.
_HARMLESS = {
    *("COLUMN_SAME_DESCRIPTION", "COLUMN_SAME_ID", "GRAIN_SAME_WORDS", "OWNER_SAME"),
    *("SUPPORT_NO_DELETE", "PRODUCT_ADDED", "CONSUMER_NO_BREAK", "LEVEL_LOWERED"),
    *("VERSION_TOO_SMALL", "CHART_ADDED"),
}


@dataclass(frozen=True)
class Hit:
    """Something that depends on a change.

    kind: product, internal model, rule or chart. columns: its own columns that carry the change.
    how: `values` when what it shows changes, `rows` when which rows it has, `both`.
    because: the changed columns, `<product>.<column>`.
    """

    name: str
    kind: str
    owner: str
    columns: tuple[str, ...]
    how: str
    because: tuple[str, ...]


@dataclass(frozen=True)
class Impact:
    """hits: in the order of the lineage; edges: from name to name, True where values flow."""

    sources: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    edges: tuple[tuple[str, str, bool], ...] = ()
    owners: tuple[str, ...] = ()
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def others(self) -> list[str]:
        """The roles that may read it, from wherever."""
        return sorted({role for roles in self.readers.values() for role in roles})


def _changed(findings: Iterable[Finding]) -> list[Node]:
    """The columns, or whole products, that findings of weight speak of."""
    nodes = (
        (one.product, one.column or ROWS)
        for one in findings
        if one.definition.category not in ("dashboard", "guard", "review")
        and one.level in _TELLING
        and one.rule not in _HARMLESS
        and "." in one.product
    )
    return list(dict.fromkeys(nodes))


def impact(both: Both, findings: Iterable[Finding]) -> Impact:
    """Follow the lineage of both revisions from what changed."""
    changed = _changed(findings)
    if not changed:
        return Impact()
    sources = {name for name, _ in changed}
    readers = _readers(both, sources)
    reached: dict[Node, set[Node]] = {node: {node} for node in changed}
    edges: dict[tuple[str, str], bool] = {}
    waiting = list(changed)
    while waiting:
        node = waiting.pop(0)
        for target, direct in sorted(readers[node]):
            edge = (node[0], target[0])
            edges[edge] = edges.get(edge, False) or direct
            known = reached.setdefault(target, set())
            if not reached[node] <= known:
                known |= reached[node]
                waiting.append(target)
    return _result(both, sources, reached, edges)


def _readers(both: Both, changed: Collection[str]) -> dict[Node, set[tuple[Node, bool]]]:
    """Who reads what behind the changed models; True where values flow."""
    found: dict[Node, set[tuple[Node, bool]]] = defaultdict(set)
    for side in (both.base, both.head):
        for name in _downstream(side.models, changed):
            model = side.models[name]
            read = reads(model)
            for column, parents in read.values.items():
                for origin in parents:
                    found[origin].add(((name, column), True))
            for origin in (*read.filters, *((parent, ROWS) for parent in model.parents)):
                found[origin].add(((name, ROWS), origin[1] == ROWS))
    for node, name in _rule_readers(both.contracts):
        found[node].add(((name, ROWS), True))
    for chart in both.all_charts.values():
        for column in (*chart.columns, ROWS):
            found[chart.product, column].add(((chart.name, column), True))
    return found


def _downstream(models: Mapping[str, Model], changed: Collection[str]) -> Iterator[str]:
    readers: dict[str, list[str]] = defaultdict(list)
    for name, model in models.items():
        for parent in model.parents:
            readers[parent].append(name)
    waiting, seen = [*changed], set[str]()
    while waiting:
        for name in readers[waiting.pop()]:
            if name not in seen:
                seen.add(name)
                waiting.append(name)
                yield name


def _rule_readers(contracts: Mapping[str, Source]) -> Iterator[tuple[Node, str]]:
    """Rules of one contract that read another product, each with what it reads."""
    for product, source in contracts.items():
        with suppress(ContractInvalid):
            for rule in source.contract.table_rules():
                names = {column.name for column in rule.query.find_all(exp.Column)}
                for other in rule.references:
                    target = contracts.get(other)
                    known = {c.name for c in target.contract.columns} if target else set()
                    for column in (*(names & known), ROWS):
                        yield (other, column), f"{product}/{rule.id}"


def _result(
    both: Both,
    sources: set[str],
    reached: dict[Node, set[Node]],
    edges: dict[tuple[str, str], bool],
) -> Impact:
    by_name: dict[str, list[Node]] = defaultdict(list)
    for node in reached:
        by_name[node[0]].append(node)
    hits = []
    for name, nodes in by_name.items():
        columns = sorted({column for _, column in nodes if column != ROWS})
        has_rows = any(column == ROWS for _, column in nodes)
        because = sorted({"{}.{}".format(*source) for node in nodes for source in reached[node]})
        because = [b.removesuffix(f".{ROWS}") for b in because if not b.startswith(f"{name}.")]
        if not because:
            continue
        how = "both" if columns and has_rows else "values" if columns else "rows"
        hits.append(Hit(name, *_kind(both, name), tuple(columns), how, tuple(because)))
    order = {"product": 0, "internal model": 1, "rule": 2, "chart": 3}
    hits.sort(key=lambda hit: (order[hit.kind], hit.name))
    owners = {hit.owner for hit in hits if hit.owner}
    readers = {
        name: tuple(role.name for role in both.contracts[name].contract.roles)
        for name in sorted(sources)
        if name in both.contracts
    }
    kept = sorted((a, b, direct) for (a, b), direct in edges.items())
    return Impact(tuple(sorted(sources)), tuple(hits), tuple(kept), tuple(sorted(owners)), readers)


def _kind(both: Both, name: str) -> tuple[str, str]:
    """What something is, and whose."""
    if name in both.all_charts:
        return "chart", both.owner(both.all_charts[name].product)
    if "/" in name:
        return "rule", both.owner(name.split("/")[0])
    model = both.head.models.get(name) or both.base.models.get(name)
    return "product" if model is None or model.public else "internal model", both.owner(name)
