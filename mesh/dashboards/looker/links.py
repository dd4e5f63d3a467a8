"""`mesh dashboards links`: links that open a dashboard in Looker Studio on the views of prod."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.kinds import Board
from mesh.errors import WrongUse

DEFAULT_HOST = "lookerstudio.google.com"
_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """A link and what it opens. source: the alias of the only source that it attaches, or empty
    when it opens the whole dashboard from its template."""

    dashboard: str
    title: str
    source: str
    url: str
    note: str


def links(specs: Path, contracts: Path, project: str, host: str = DEFAULT_HOST) -> list[Link]:
    """The links of all dashboards of a folder; project: the Google Cloud project of prod.

    Raises WrongUse when project or host cannot be one.

    With a template there is one link per dashboard, with all sources attached. Without one Looker
    Studio makes a report of a single source, so there is one link per source.
    """
    if not _PROJECT.fullmatch(project):
        raise WrongUse(
            f"{project!r} is no id of a Google Cloud project.",
            fix="Use 6 to 30 small letters, digits and hyphens, as in company-data.",
        )
    if not _HOST.fullmatch(host):
        raise WrongUse(
            f"{host!r} is no name of a host.",
            fix=f"Write it without https://, as in {DEFAULT_HOST}.",
        )
    found = []
    for loaded in checked_dashboards(specs, contracts):
        dashboard = loaded.dashboard
        if dashboard.template.report_id:
            checked = dashboard.template.checked_on
            when = f"template last checked on {checked}" if checked else "template never checked"
            url = _url(host, _from_template(project, dashboard))
            found.append(Link(dashboard.id, dashboard.title, "", url, when))
            continue
        for alias, source in dashboard.sources.items():
            note = f"no template yet (see looker/README.md), a new report on {source.product}"
            url = _url(host, _on_source(project, dashboard, alias))
            found.append(Link(dashboard.id, dashboard.title, alias, url, note))
    return found


def prod_view(product: str) -> tuple[str, str]:
    """Dataset and table of a product in prod, by SQLMesh's own naming."""
    from sqlmesh.core.environment import EnvironmentNamingInfo
    from sqlmesh.core.snapshot.definition import QualifiedViewName

    domain, _, name = product.partition(".")
    view = QualifiedViewName(schema_name=domain, table=name).table_for_environment(
        EnvironmentNamingInfo(name="prod"), dialect="bigquery"
    )
    return view.db, view.name


def _url(host: str, parameters: dict[str, str]) -> str:
    return f"https://{host}/reporting/create?{urlencode(parameters, quote_via=quote)}"


def _from_template(project: str, dashboard: Board) -> dict[str, str]:
    parameters = {
        "c.reportId": dashboard.template.report_id or "",
        "c.mode": "view",
        "r.reportName": dashboard.title,
    }
    for alias, source in dashboard.sources.items():
        parameters |= _source(project, alias, source.product)
        # Google would throw the template's field types away; the contract keeps the fields.
        parameters[f"ds.{alias}.refreshFields"] = "false"
    return parameters


def _on_source(project: str, dashboard: Board, alias: str) -> dict[str, str]:
    product = dashboard.sources[alias].product
    return {
        "c.mode": "edit",
        "r.reportName": f"{dashboard.title}: {alias}",
        **_source(project, alias, product),
    }


def _source(project: str, alias: str, product: str) -> dict[str, str]:
    dataset, table = prod_view(product)
    return {
        f"ds.{alias}.connector": "bigQuery",
        f"ds.{alias}.datasourceName": product,
        f"ds.{alias}.type": "TABLE",
        f"ds.{alias}.projectId": project,
        f"ds.{alias}.datasetId": dataset,
        f"ds.{alias}.tableId": table,
        f"ds.{alias}.billingProjectId": project,
    }
