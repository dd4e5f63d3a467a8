"""Who reads a product: other products by SQLMesh's lineage, and the charts of the dashboards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from mesh.dashboards.usage import ChartUse, read_usage
from mesh.environments import Opened
from mesh.environments.names import is_public, query_inputs, short_name
from mesh.project import Project


@dataclass(frozen=True)
class Consumer:
    """A product built on another; direct: with no product between the two, only internal models."""

    product: str
    owner: str
    direct: bool


def consumers(opened: Opened, product: str) -> tuple[Consumer, ...]:
    """The products that are built on a product, direct ones first; needs the project's models."""
    readers: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, str] = {}
    for model in opened.context.models.values():
        name = short_name(model.fqn)
        owners[name] = model.owner or name.partition(".")[0]
        for parent in query_inputs(model):
            readers[parent].add(name)
    found: dict[str, bool] = {}
    seen: set[tuple[str, bool]] = set()
    waiting = [(product, True)]
    while waiting:
        here, direct = waiting.pop()
        for reader in readers[here]:
            public = is_public(reader)
            if public:
                found[reader] = found.get(reader, False) or direct
            step = (reader, direct and not public)
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    found.pop(product, None)
    return tuple(
        Consumer(name, owners[name], direct)
        for name, direct in sorted(found.items(), key=lambda item: (not item[1], item[0]))
    )


def charts(products: list[str], project: Project) -> tuple[ChartUse, ...]:
    """The charts of all dashboards that show one of these products."""
    every = read_usage(project.dashboards).charts.values()
    return tuple(chart for chart in every if chart.product in products)
