"""The bytes that BigQuery itself says a query would scan, asked without running it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sqlglot import exp, parse_one

from mesh.cost.estimate import ChartCost, Cost, ModelCost, typical_month
from mesh.cost.sizes import LEAST_PER_TABLE
from mesh.environments import Project
from mesh.environments.names import months_after, short_name
from mesh.environments.project import readable_errors
from mesh.errors import CheckFailed
from mesh.prove.project import BigQueryProject
from mesh.prove.run import ChartQuery


class Client(Protocol):
    """What is needed of google.cloud.bigquery.Client."""

    def query(self, query: str, job_config: Any) -> Any: ...


def dry_run_bytes(client: Client, sql: str) -> int:
    """What a query would scan, by BigQuery. CheckFailed with Google's words if it refuses."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.bigquery import QueryJobConfig

    config = QueryJobConfig(dry_run=True, use_query_cache=False, use_legacy_sql=False)
    try:
        return int(client.query(sql, job_config=config).total_bytes_processed or 0)
    except GoogleAPICallError as error:
        raise CheckFailed(
            f"BigQuery refuses the dry run: {' '.join(error.message.split())}",
            fix="Run `mesh contracts prove`, and check that the account may read the data sets.",
        ) from error
    except GoogleAuthError as error:
        raise CheckFailed(
            f"there are no credentials for BigQuery: {' '.join(str(error).split())}",
            fix="Run `gcloud auth application-default login`.",
        ) from error


def dry_run(
    project: BigQueryProject,
    remote: Project,
    environment: str,
    client: Client,
    charts: Iterable[ChartQuery] = (),
) -> Cost:
    """The cost by dry runs of the models' queries on an environment's tables.

    The audits are not asked for: their share is 0.
    """
    with readable_errors():
        built = remote.environment(environment)
        places = {
            short_name(name): remote.view(snapshot, built)
            for name, snapshot in remote.snapshots(built).items()
            if not snapshot.is_external
        }
    month = typical_month({})
    last = months_after(month)
    models = []
    for name, model in project.models.items():
        if not model.is_sql or (model.kind.is_view and not model.kind.is_materialized):
            continue
        sizes = []
        for start in (month, None):
            query = project.query(
                name, start=(start or month.replace(year=1995)).isoformat(), end=last.isoformat()
            )
            sizes.append(float(dry_run_bytes(client, _placed(query, places))))
        billed = [max(size, LEAST_PER_TABLE) for size in sizes]
        models.append(ModelCost(name, sizes[0], billed[0], 0, sizes[1], billed[1], 0))
    looked_at = []
    for chart in charts:
        sql = _placed(parse_one(chart.sql, dialect="bigquery"), places)
        size = float(dry_run_bytes(client, sql))
        looked_at.append(ChartCost(chart.subject, size, max(size, LEAST_PER_TABLE)))
    return Cost(0, month, tuple(models), tuple(looked_at))


def _placed(query: exp.Expression | None, places: Mapping[str, exp.Table]) -> str:
    """The query with the environment's views in place of the models' names."""
    assert query is not None
    moved = query.copy()
    for table in moved.find_all(exp.Table):
        table.set("catalog", None)
        place = places.get(f"{table.db}.{table.name}")
        if place is not None:
            for part in ("this", "db", "catalog"):
                table.set(part, place.args[part].copy() if place.args.get(part) else None)
    return moved.sql(dialect="bigquery")


def dry_run_environment(environment: str | None) -> Cost:
    """The same on the BigQuery gateway of config.yaml, with its credentials."""
    from mesh.cost.run import chosen
    from mesh.environments import open_project
    from mesh.prove.charts import chart_queries
    from mesh.prove.project import open_for_bigquery
    from mesh.settings import BIGQUERY_GATEWAY

    remote = open_project(BIGQUERY_GATEWAY)
    with readable_errors():
        client = remote.context.engine_adapter.client
    name = chosen(remote, environment)
    return dry_run(open_for_bigquery(), remote, name, client, chart_queries())
