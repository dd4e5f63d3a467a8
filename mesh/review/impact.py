"""Who is hit: from each changed column through models, products and rules to the last chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from mesh.contracts.findings import ContractInvalid
from mesh.review.charts import Chart, columns_of
from mesh.review.findings import Finding, Place, finding
from mesh.review.load import Models
from mesh.review.pair import Source
from mesh.review.rules import Level

Node = tuple[str, str]
"""A model, a product or a chart, and its column; `*` for its rows as a whole."""
ROWS = "*"
_TELLING = (Level.BREAKING, Level.WARNING)
_HARMLESS = (
    "PRODUCT_ADDED",
    "CONSUMER_NO_BREAK",
    "LEVEL_LOWERED",
    "VERSION_TOO_SMALL",
    "CHART_ADDED",
)


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
    path: str = ""


@dataclass(frozen=True)
class Impact:
    """hits: in the order of the lineage; edges: from name to name, True where values flow."""

    sources: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    edges: tuple[tuple[str, str, bool], ...] = ()
    owners: tuple[str, ...] = ()
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """All that can be hit, of both revisions."""

    base: Models
    head: Models
    contracts: dict[str, Source]
    charts: dict[str, Chart]

    def owner(self, name: str) -> str:
        source = self.contracts.get(name)
        if source:
            return source.contract.owner
        return name.split(".")[0].removesuffix("_internal")


def changed_columns(findings: tuple[Finding, ...] | list[Finding]) -> dict[Node, list[Finding]]:
    """The columns, or whole products, that findings of weight speak of."""
    changed: dict[Node, list[Finding]] = defaultdict(list)
    for one in findings:
        if one.definition.category in ("dashboard", "review"):
            continue
        if one.level in _TELLING and one.rule not in _HARMLESS and "." in one.product:
            changed[(one.product, one.column or ROWS)].append(one)
    return changed


def impact(world: World, findings: list[Finding]) -> Impact:
    """Follow the lineage of both revisions from what changed."""
    values, filters = _edges(world)
    changed = changed_columns(findings)
    reached: dict[Node, set[Node]] = {node: {node} for node in changed}
    edges: dict[tuple[str, str], bool] = {}
    waiting = list(changed)
    while waiting:
        node = waiting.pop(0)
        for target, direct in _next(world, node, values, filters):
            edge = (node[0], target[0])
            edges[edge] = edges.get(edge, False) or direct
            known = reached.setdefault(target, set())
            if not reached[node] <= known:
                known |= reached[node]
                waiting.append(target)
    return _result(world, changed, reached, edges)


def _edges(world: World) -> tuple[dict[Node, set[Node]], dict[Node, set[str]]]:
    values: dict[Node, set[Node]] = defaultdict(set)
    filters: dict[Node, set[str]] = defaultdict(set)
    for side in (world.base, world.head):
        for name, model in side.models.items():
            for column, parents in model["lineage"].items():
                for parent, parent_column in parents:
                    values[(parent, parent_column)].add((name, column))
            for parent, column in model["filters"]:
                filters[(parent, column)].add(name)
            for parent in model["parents"]:
                filters[(parent, ROWS)].add(name)
    for name, columns in _rule_readers(world.contracts).items():
        for node in columns:
            values[node].add((name, ROWS))
    return values, filters


def _rule_readers(contracts: dict[str, Source]) -> dict[str, set[Node]]:
    """Rules of one contract that read another product."""
    found: dict[str, set[Node]] = {}
    for product, source in contracts.items():
        try:
            rules = source.contract.table_rules()
        except ContractInvalid:
            continue
        for rule in rules:
            names = {c.name for c in _columns_in(rule.query)}
            for other in rule.references:
                target = contracts.get(other)
                known = {c.name for c in target.contract.columns} if target else set()
                nodes = {(other, name) for name in names & known} | {(other, ROWS)}
                found.setdefault(f"{product}/{rule.id}", set()).update(nodes)
    return found


def _columns_in(query: object) -> Iterator:
    from sqlglot import exp

    assert isinstance(query, exp.Expression)
    return query.find_all(exp.Column)


def _next(
    world: World,
    node: Node,
    values: dict[Node, set[Node]],
    filters: dict[Node, set[str]],
) -> Iterator[tuple[Node, bool]]:
    name, column = node
    for target in sorted(values.get(node, ())):
        yield target, True
    for target_name in sorted(filters.get(node, ())):
        yield (target_name, ROWS), column == ROWS
    known = {**_columns(world.base, name), **_columns(world.head, name)}
    for chart in world.charts.values():
        if chart.product == name and (
            column == ROWS or column in columns_of(chart, known or {column: 1})
        ):
            yield (chart.name, column), True


def _columns(side: Models, name: str) -> dict[str, str]:
    return side.models.get(name, {}).get("columns", {})


def _result(
    world: World,
    changed: dict[Node, list[Finding]],
    reached: dict[Node, set[Node]],
    edges: dict[tuple[str, str], bool],
) -> Impact:
    sources = {name for name, _ in changed}
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
        kind, owner, path = _kind(world, name)
        hits.append(Hit(name, kind, owner, tuple(columns), how, tuple(because), path))
    order = {"product": 0, "internal model": 1, "rule": 2, "chart": 3}
    hits.sort(key=lambda hit: (order[hit.kind], hit.name))
    owners = {hit.owner for hit in hits if hit.owner}
    readers = {
        name: tuple(role.name for role in world.contracts[name].contract.roles)
        for name in sorted(sources)
        if name in world.contracts
    }
    kept = sorted((a, b, direct) for (a, b), direct in edges.items())
    return Impact(tuple(sorted(sources)), tuple(hits), tuple(kept), tuple(sorted(owners)), readers)


def _kind(world: World, name: str) -> tuple[str, str, str]:
    if name in world.charts:
        chart = world.charts[name]
        return "chart", chart.owner or world.owner(chart.product), chart.path
    if "/" in name:
        product = name.split("/")[0]
        source = world.contracts.get(product)
        return "rule", world.owner(product), source.path if source else ""
    model = world.head.models.get(name) or world.base.models.get(name) or {}
    kind = "product" if model.get("public", True) else "internal model"
    return kind, world.owner(name), model.get("path", "")


def broken_readers(
    world: World, heads: dict[str, Source], known: list[Finding]
) -> Iterator[Finding]:
    """Models and charts of the work tree that read what is not there any more."""
    gone = {
        (f.product, f.column): f
        for f in known
        if f.rule in ("COLUMN_NO_DELETE", "COLUMN_NO_RENAME") and f.column
    }
    for name, model in world.head.models.items():
        if "unread" in model and not model["public"]:
            message = f"{name} cannot be resolved any more: {model['unread'][:200]}"
            if "unread" not in world.base.models.get(name, {"unread": ""}):
                yield finding("CONSUMER_NO_BREAK", name, message, Place(model["path"], 1))
        for parent in model["parents"]:
            if parent in world.base.models and parent not in world.head.models:
                message = f"{name} still reads {parent}, which goes in this change."
                yield finding("CONSUMER_NO_BREAK", name, message, Place(model["path"], 1))
        reads = {tuple(p) for parents in model["lineage"].values() for p in parents}
        reads |= {tuple(p) for p in model["filters"]}
        for parent, column in sorted(reads):
            there = _columns(world.head, parent)
            if (parent, column) in gone and column not in there and there:
                message = f"{name} still reads {parent}.{column}, which goes in this change."
                yield finding(
                    "CONSUMER_NO_BREAK", name, message, Place(model["path"], 1), column=None
                )
    dropped = [f for f in known if f.rule == "ENUM_NARROWED" and f.column and f.before]
    for one in dropped:
        source = heads.get(one.product)
        column = source.contract.column(one.column or "") if source else None
        if column is None:
            continue
        now = {str(v.value) for v in column.enum}
        lost = [v for v in one.before.split(", ") if v not in now]
        yield from _asked_for(world, one, lost)


def _asked_for(world: World, one: Finding, lost: list[str]) -> Iterator[Finding]:
    for name, model in world.head.models.items():
        for parent, column, value in model["compared"]:
            if (parent, column) == (one.product, one.column) and value in lost:
                message = f"{name} asks for the value {value} of {column}, which no longer comes."
                yield finding(
                    "ENUM_NO_DROP_IN_USE", one.product, message, one.where, column=one.column
                )
    for chart in world.charts.values():
        asked = chart.values & set(lost)
        if chart.product == one.product and one.column in chart.words and asked:
            message = (
                f"The chart {chart.name} asks for the value {sorted(asked)[0]} of {one.column}."
            )
            yield finding("ENUM_NO_DROP_IN_USE", one.product, message, one.where, column=one.column)


def chart_changes(
    base: dict[str, Chart], head: dict[str, Chart], products: set[str]
) -> Iterator[Finding]:
    """Charts that went, came, changed, or read a column that is not promised any more."""
    for name, chart in base.items():
        if name not in head:
            message = f"The chart {name} ({chart.title}) was deleted."
            yield finding("CHART_NO_DELETE", chart.product, message, Place(chart.path, 1))
    for name, chart in head.items():
        where = Place(chart.path, chart.line)
        before = base.get(name)
        if before is None:
            yield finding("CHART_ADDED", chart.product, f"The chart {name} is new.", where)
            continue
        if before.text != chart.text:
            yield finding("CHART_CHANGED", chart.product, f"The chart {name} was changed.", where)
        del before
        if products and chart.product not in products and chart.product.count(".") == 1:
            message = f"The chart {name} reads {chart.product}, which has no contract any more."
            yield finding("CHART_NO_BREAK", chart.product, message, where)


def chart_columns_gone(world: World, known: list[Finding]) -> Iterator[Finding]:
    """Charts of the work tree that name a column that was deleted or renamed."""
    for one in known:
        if one.rule not in ("COLUMN_NO_DELETE", "COLUMN_NO_RENAME") or not one.column:
            continue
        for chart in world.charts.values():
            if chart.product == one.product and one.column in chart.words:
                message = f"The chart {chart.name} reads {one.column}, which goes in this change."
                where = Place(chart.path, chart.line)
                yield finding("CHART_NO_BREAK", one.product, message, where, column=one.column)
