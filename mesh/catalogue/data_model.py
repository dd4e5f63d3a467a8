"""`docs/data-model.md`: every model with its inputs, and every product with its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mesh.contracts import Contract, usable_contracts
from mesh.environments.names import domain_of, is_public, query_inputs
from mesh.files.markdown import prose
from mesh.project import Project

if TYPE_CHECKING:
    from sqlmesh.core.model import Model

    from mesh.environments import Opened

COMMAND = "mesh docs"


def render(opened: Opened) -> str:
    """The page as Markdown, from the models and contracts of a loaded project."""
    project = opened.project
    models = opened.models
    contracts = usable_contracts(project.contracts)
    lines = [
        "# Data model",
        "",
        f"Drawn from models and contracts by `{COMMAND}`; do not edit.",
        "",
        "Arrows go from what is read to what reads it. Products under contract are drawn as boxes "
        "with a double border, internal models as rounded ones.",
        "",
        "```mermaid",
        *_graph(models, project),
        "```",
        "",
        "## Data products",
        "",
    ]
    for name in sorted(contracts, key=lambda name: (name not in project.sources, name)):
        lines += _product(project, contracts[name], models.get(name))
    return "\n".join(lines).rstrip() + "\n"


def _graph(models: Mapping[str, Model], project: Project) -> Iterator[str]:
    yield "flowchart LR"
    of_sources = {source.schema for source in project.sources.values()}
    domains = {domain_of(name) for name in models}
    for domain in sorted(domains, key=lambda domain: (domain not in of_sources, domain)):
        yield f"  subgraph {domain}"
        for name in sorted(name for name in models if domain_of(name) == domain):
            label = name.split(".")[1]
            box = f"[[{label}]]" if is_public(name) else f"({label})"
            yield f"    {_node(name)}{box}"
        yield "  end"
    for name in sorted(models):
        for parent in sorted(query_inputs(models[name]) & models.keys()):
            yield f"  {_node(parent)} --> {_node(name)}"


def _node(name: str) -> str:
    return name.replace(".", "__")


def _product(project: Project, contract: Contract, model: Model | None) -> list[str]:
    path = project.shown(contract.path)
    kind = "source" if contract.product in project.sources else "data product"
    if model is not None and not model.kind.is_external:
        kind = f"{kind}, {model.kind.name.value.lower().replace('_', ' ')}"
    lines = [
        f"### {contract.product}",
        "",
        f"{prose(contract.purpose)} ({kind}; [contract](../{path}) {contract.version}, "
        f"owner {prose(contract.owner)})",
        "",
        f"Grain: {', '.join(f'`{name}`' for name in contract.grain)}",
        "",
        "| column | type | null | description |",
        "| --- | --- | --- | --- |",
    ]
    for column in contract.columns:
        text = prose(column.description)
        null = "" if column.required else "yes"
        personal = " *(personal)*" if column.personal else ""
        lines.append(f"| `{column.name}` | {column.bigquery_type} | {null} | {text}{personal} |")
    return [*lines, ""]
