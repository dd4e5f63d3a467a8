"""`mesh dashboards links`: links that open a dashboard in Looker Studio on the views of prod."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from mesh.dashboards.check import checked_dashboards
from mesh.errors import WrongUse

_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")


@dataclass(frozen=True)
class Link:
    """A link and what it opens. source: the alias of the only source that it attaches, or empty
    when it opens the whole dashboard from its template."""

    dashboard: str
    title: str
    source: str
    url: str
    note: str


def links(specs: Path, contracts: Path, project: str, host: str) -> list[Link]:
    """The links of all dashboards of a folder; project: the Google Cloud project of prod.

    Raises WrongUse when that cannot be one.

    With a template there is one link per dashboard, with all sources attached. Without one Looker
    Studio makes a report of a single source, so there is one link per source.
    """
    if not _PROJECT.fullmatch(project):
        raise WrongUse(
            f"{project!r} is no id of a Google Cloud project.",
            fix="Use 6 to 30 small letters, digits and hyphens, as in company-data.",
        )
    found = []
    for board in (loaded.dashboard for loaded in checked_dashboards(specs, contracts)):
        template = board.template
        if template.report_id:
            stated = {
                "c.reportId": template.report_id,
                "c.mode": "view",
                "r.reportName": board.title,
            }
            for alias, source in board.sources.items():
                stated |= _source(project, alias, source.product)
                # Google would throw the template's field types away; the contract keeps the fields.
                stated[f"ds.{alias}.refreshFields"] = "false"
            checked = template.checked_on
            note = f"template last checked on {checked}" if checked else "template never checked"
            found.append(Link(board.id, board.title, "", _url(host, stated), note))
            continue
        for alias, source in board.sources.items():
            name = {"c.mode": "edit", "r.reportName": f"{board.title}: {alias}"}
            url = _url(host, name | _source(project, alias, source.product))
            note = "no template yet (`mesh docs` tells in looker/README.md how to make it), "
            note += f"a new report on {source.product}"
            found.append(Link(board.id, board.title, alias, url, note))
    return found


def _url(host: str, parameters: dict[str, str]) -> str:
    return f"https://{host}/reporting/create?{urlencode(parameters, quote_via=quote)}"


def _source(project: str, alias: str, product: str) -> dict[str, str]:
    """A source on the view of a product in prod, by SQLMesh's own naming."""
    from sqlmesh.core.environment import EnvironmentNamingInfo
    from sqlmesh.core.snapshot.definition import QualifiedViewName

    domain, _, name = product.partition(".")
    view = QualifiedViewName(schema_name=domain, table=name).table_for_environment(
        EnvironmentNamingInfo(name="prod"), dialect="bigquery"
    )
    return {
        f"ds.{alias}.connector": "bigQuery",
        f"ds.{alias}.datasourceName": product,
        f"ds.{alias}.type": "TABLE",
        f"ds.{alias}.projectId": project,
        f"ds.{alias}.datasetId": view.db,
        f"ds.{alias}.tableId": view.name,
        f"ds.{alias}.billingProjectId": project,
    }
