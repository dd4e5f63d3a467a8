"""docs/architecture.md: drawn from config.yaml, the contracts, the dashboards and the workflows."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from mesh.contracts import Contract, load_contracts
from mesh.dashboards import load_dashboards
from mesh.settings import PROJECT_ROOT

PATH = PROJECT_ROOT / "docs" / "architecture.md"
SOURCE_DOMAIN = "operational"
_HEAD = """\
# Architecture

This page is drawn from `config.yaml`, `contracts/`, `looker/` and `.github/workflows/` by
`mesh docs`. Edit those, not this page.
"""


def render() -> str:
    """The whole page."""
    contracts = load_contracts()
    parts = [
        _HEAD,
        "## From the source to the dashboards\n",
        _mermaid(_flow(contracts)),
        "Only the producer reads the operational tables. A domain reads another domain's products "
        "and never what is internal there: the linter refuses it in a plan, and BigQuery refuses "
        "it by its grants.\n",
        "## Environments and state\n",
        _mermaid(_environments()),
        _environment_text(),
        "## Who may read what\n",
        _readers(contracts),
        "## Continuous integration\n",
        _workflows(),
    ]
    return "\n".join(parts).rstrip() + "\n"


def write() -> None:
    PATH.write_text(render(), encoding="utf-8")


def _mermaid(lines: Iterator[str]) -> str:
    return "```mermaid\nflowchart LR\n" + "\n".join(f"  {line}" for line in lines) + "\n```\n"


def _flow(contracts: dict[str, Contract]) -> Iterator[str]:
    """Files, tables, products and dashboards; an arrow goes the way of the data."""
    domains: dict[str, list[Contract]] = {}
    for contract in contracts.values():
        domains.setdefault(contract.domain, []).append(contract)
    yield 'files["MovieLens files or Parquet<br>a folder or gs://"] -->|mesh ingest| operational'
    order = [SOURCE_DOMAIN, *sorted(set(domains) - {SOURCE_DOMAIN}, key=_distance)]
    for domain in order:
        yield f'subgraph {domain}["{domain}"]'
        for contract in sorted(domains.get(domain, []), key=lambda one: one.name):
            yield f'  {_node(contract.product)}["{contract.name}"]'
        yield "end"
    yield (
        'operational -->|contract| interactions_internal[("interactions_internal<br>'
        'facts by month")]'
    )
    yield "interactions_internal --> interactions"
    yield (
        'interactions -->|contract| engagement_internal[("engagement_internal<br>interpretation")]'
    )
    yield "engagement_internal --> engagement"
    for loaded in load_dashboards():
        dashboard = loaded.dashboard
        yield f'{dashboard.id}(["{dashboard.title}<br>Looker Studio and local preview"])'
        for product in sorted({source.product for source in dashboard.sources.values()}):
            yield f"{_node(product)} --> {dashboard.id}"


def _distance(domain: str) -> tuple[bool, str]:
    """The producer stands before the consumers."""
    return (domain != "interactions", domain)


def _node(product: str) -> str:
    return product.replace(".", "_")


def _config() -> dict:
    """config.yaml with its gateway for BigQuery, as far as YAML goes: templates are left out."""
    text = (PROJECT_ROOT / "config.yaml").read_text(encoding="utf-8")
    plain = [line for line in text.splitlines() if "{%" not in line and "{{" not in line]
    return yaml.safe_load("\n".join(plain)) or {}


def _stages() -> list[str]:
    config = _config()
    first = config["default_target_environment"]
    return [first, *config["pinned_environments"], "prod"]


def _environments() -> Iterator[str]:
    stages = _stages()
    yield " -->|promote| ".join(f'{stage}["{stage}"]' for stage in stages)
    yield 'tables[("tables, one per version of a model")] --> ' + " & ".join(stages)
    gateways = _config()["gateways"]
    if "bigquery" in gateways:
        kind = gateways["bigquery"]["state_connection"]["type"]
        yield f'state[("state on BigQuery: {kind}")] -.-> tables'
    yield 'local[("state on a laptop: the DuckDB file")] -.-> tables'


def _environment_text() -> str:
    config = _config()
    pinned = " and ".join(f"`{name}`" for name in config["pinned_environments"])
    return (
        "An environment is a set of views on shared tables: promoting moves views, not data. "
        f"A bare `sqlmesh plan` goes to `{config['default_target_environment']}`; {pinned} stay "
        "until somebody removes them. In BigQuery the views of `prod` lie in a project of their "
        "own (`MESH_BIGQUERY_PROD_PROJECT`), all else in `MESH_BIGQUERY_PROJECT`. Gateways: "
        f"{', '.join(f'`{name}`' for name in config['gateways'])}.\n"
    )


def _readers(contracts: dict[str, Contract]) -> str:
    roles = sorted({role.name for one in contracts.values() for role in one.roles})
    lines = [
        "One row per contract, by its `roles`. Everything else is refused: `infra/` gives no other "
        "right.\n",
        "| product | " + " | ".join(f"`{role}`" for role in roles) + " |",
        "| --- |" + " :---: |" * len(roles),
    ]
    for product in sorted(contracts):
        may = {role.name for role in contracts[product].roles}
        cells = " | ".join("yes" if role in may else "" for role in roles)
        lines.append(f"| `{product}` | {cells} |")
    return "\n".join(lines) + "\n"


def _workflows() -> str:
    lines = ["| workflow | runs on |", "| --- | --- |"]
    for path in sorted((PROJECT_ROOT / ".github" / "workflows").glob("*.yml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        # YAML reads the bare key `on` as the truth value.
        triggers = data.get("on", data.get(True)) or {}
        names = [triggers] if isinstance(triggers, str) else list(triggers)
        lines.append(
            f"| {data.get('name', path.stem)} (`{path.name}`) | "
            f"{', '.join(str(name).replace('_', ' ') for name in names)} |"
        )
    return "\n".join(lines) + "\n"
