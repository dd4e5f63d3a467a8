"""docs/architecture.md: drawn from configuration, models, contracts, dashboards and workflows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from mesh.contracts import Contract, usable_contracts
from mesh.dashboards import load_dashboards
from mesh.environments.names import domain_of, is_public, query_inputs
from mesh.project import BIGQUERY_GATEWAY, Project
from mesh.words import joined

if TYPE_CHECKING:
    from mesh.environments import Opened

_HEAD = """\
# Architecture

This page is drawn from the configuration, {} by `mesh docs`. Edit those, not this page.
"""


def render(opened: Opened) -> str:
    """The whole page, of a project with its models."""
    project = opened.project
    contracts = usable_contracts(project.contracts)
    folders = [project.models, project.contracts, project.dashboards, project.workflows]
    drawn = [f"`{project.shown(one)}/`" for one in folders if one.is_dir()]
    granted = ", and BigQuery refuses it by its grants" if _is_on_bigquery(project) else ""
    parts = [
        _HEAD.format(joined(drawn)),
        "## From the sources to the dashboards\n",
        _mermaid(_flow(opened, contracts)),
        "Only a source's owner reads it. A domain reads another domain's products and never what "
        f"is internal there: the linter refuses it in a plan{granted}.\n",
        "## Environments and state\n",
        _mermaid(_environments(project)),
        _environment_text(project),
        "## Who may read what\n",
        _readers(contracts, (project.root / "infra").is_dir()),
    ]
    if workflows := list(_workflows(project)):
        head = ["| workflow | runs on |", "| --- | --- |"]
        parts += ["## Continuous integration\n", *head, *workflows]
    return "\n".join(parts).rstrip() + "\n"


def _is_on_bigquery(project: Project) -> bool:
    gateways = _config(project).get("gateways", {}).values()
    return any((one.get("connection") or {}).get("type") == BIGQUERY_GATEWAY for one in gateways)


def _mermaid(lines: Iterator[str]) -> str:
    return "```mermaid\nflowchart LR\n" + "\n".join(f"  {line}" for line in lines) + "\n```\n"


def _flow(opened: Opened, contracts: Mapping[str, Contract]) -> Iterator[str]:
    """Sources, products, internal schemas and dashboards; an arrow goes the way of the data."""
    project = opened.project
    arrows = _arrows(opened)
    products: dict[str, list[Contract]] = {}
    for contract in contracts.values():
        products.setdefault(contract.domain, []).append(contract)
    if (delivered := project.settings.deliveries) in products:
        yield f'deliveries["deliveries<br>logged one by one"] --> {delivered}'
    for schema in _in_order({*products, *(name for pair in arrows for name in pair)}, arrows):
        if not is_public(f"{schema}.x"):
            yield f'{schema}[("{schema}")]'
            continue
        yield f'subgraph {schema}["{schema}"]'
        for contract in sorted(products.get(schema, []), key=lambda one: one.name):
            yield f'  {_node(contract.product)}["{contract.name}"]'
        yield "end"
    for above, below in sorted(arrows):
        crosses = domain_of(above) != domain_of(below)
        yield f"{above} -->{'|contract|' if crosses else ''} {below}"
    for loaded in load_dashboards(project.dashboards) if project.dashboards.is_dir() else ():
        dashboard = loaded.dashboard
        yield f'{dashboard.id}(["{dashboard.title}<br>Looker Studio and local preview"])'
        for product in sorted({source.product for source in dashboard.sources.values()}):
            yield f"{_node(product)} --> {dashboard.id}"


def _arrows(opened: Opened) -> set[tuple[str, str]]:
    """Which schema's models are read by which other's."""
    models = opened.models
    return {
        (parent.split(".")[0], name.split(".")[0])
        for name, model in models.items()
        for parent in query_inputs(model) & models.keys()
        if parent.split(".")[0] != name.split(".")[0]
    }


def _in_order(schemas: set[str], arrows: set[tuple[str, str]]) -> list[str]:
    """What is read stands before what reads it, as far as schemas do not read each other."""
    placed: list[str] = []
    left = sorted(schemas)
    while left:
        waiting = {below for above, below in arrows if above in left and below in left}
        free = [name for name in left if name not in waiting] or left[:1]
        placed += free
        left = [name for name in left if name not in free]
    return placed


def _node(product: str) -> str:
    return product.replace(".", "_")


def _config(project: Project) -> Mapping[str, Any]:
    """The configuration with every gateway: as if each variable that switches one on were set."""
    return project.configuration(lambda name, default=None: name)


def _environments(project: Project) -> Iterator[str]:
    config = _config(project)
    first = config.get("default_target_environment", "prod")
    stages = list(dict.fromkeys([first, *config.get("pinned_environments", ()), "prod"]))
    yield " -->|promote| ".join(f'{stage}["{stage}"]' for stage in stages)
    yield 'tables[("tables, one per version of a model")] --> ' + " & ".join(stages)
    for name, gateway in config.get("gateways", {}).items():
        kind = (gateway.get("state_connection") or {}).get("type")
        where = kind or "in the same database"
        yield f'state_{name}[("state on {name}: {where}")] -.-> tables'


def _environment_text(project: Project) -> str:
    config = _config(project)
    pinned = " and ".join(f"`{name}`" for name in config.get("pinned_environments", ()))
    stay = f"; {pinned} stay until somebody removes them" if pinned else ""
    mapped = config.get("environment_catalog_mapping")
    gateways = ", ".join(f"`{name}`" for name in config.get("gateways", {}) if name)
    return (
        "An environment is a set of views on shared tables: promoting moves views, not data. "
        f"A bare `sqlmesh plan` goes to `{config.get('default_target_environment', 'prod')}`{stay}."
        + (" Views of some environments lie in a catalog of their own." if mapped else "")
        + (f" Gateways: {gateways}." if gateways else "")
        + "\n"
    )


def _readers(contracts: Mapping[str, Contract], by_infra: bool) -> str:
    roles = sorted({role.name for one in contracts.values() for role in one.roles})
    refused = " Everything else is refused: `infra/` gives no other right." if by_infra else ""
    lines = [
        f"One row per contract, by its `roles`.{refused}\n",
        "| product | " + " | ".join(f"`{role}`" for role in roles) + " |",
        "| --- |" + " :---: |" * len(roles),
    ]
    for product in sorted(contracts):
        may = {role.name for role in contracts[product].roles}
        cells = " | ".join("yes" if role in may else "" for role in roles)
        lines.append(f"| `{product}` | {cells} |")
    return "\n".join(lines) + "\n"


def _workflows(project: Project) -> Iterator[str]:
    for path in sorted(project.workflows.glob("*.yml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        # YAML reads the bare key `on` as the truth value.
        triggers = data.get("on", data.get(True)) or {}
        names = [triggers] if isinstance(triggers, str) else list(triggers)
        yield (
            f"| {data.get('name', path.stem)} (`{path.name}`) | "
            f"{', '.join(str(name).replace('_', ' ') for name in names)} |"
        )
