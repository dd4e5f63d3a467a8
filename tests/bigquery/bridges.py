"""What stands between Google's real clients and the emulator, and nothing else.

Every bridge says what the real service does and what the emulator does instead. Product code
knows none of them. In this process `install()` puts the client's side in; a command in a process
of its own gets it with `python -m tests.bigquery.bridged <command> …`. The emulator's side is put
in by the script that starts it. Both sides run on different Pythons with different packages, so
each imports what it bridges when it is put in.
"""

from __future__ import annotations

import contextvars
import json
import os
import re
from pathlib import Path
from typing import Any

STORAGE_HOST_VARIABLE = "BIGQUERY_STORAGE_EMULATOR_HOST"

_replaced: list[tuple[type, str, Any]] = []


def _replace(owner: type, name: str, value: Any) -> None:
    _replaced.append((owner, name, owner.__dict__[name]))
    setattr(owner, name, value)


def install() -> None:
    """Put the client's bridges in, for this process; `remove` takes them out again."""
    import grpc
    from google.cloud.bigquery.job import QueryJob
    from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (
        BigQueryReadGrpcTransport,
    )

    if _replaced:
        return

    def channel(*arguments: Any, **options: Any) -> grpc.Channel:
        # The real Storage Read API is reached by TLS, at the host that the client knows. The
        # emulator has it on a plain gRPC port, for which the client has no variable.
        return grpc.insecure_channel(os.environ[STORAGE_HOST_VARIABLE])

    _replace(BigQueryReadGrpcTransport, "create_channel", staticmethod(channel))

    of_query = QueryJob.destination.fget

    def destination(job: QueryJob) -> Any:
        # The real service gives a CREATE TABLE AS job the table it made as its destination. The
        # emulator leaves that empty, and names the table as the target of the statement.
        return of_query(job) or job.ddl_target_table

    _replace(QueryJob, "destination", property(destination))


def remove() -> None:
    """Take the client's bridges out again, for tests that must not see them."""
    while _replaced:
        owner, name, value = _replaced.pop()
        setattr(owner, name, value)


def install_in_emulator() -> None:
    """Put the emulator's own bridges in; called in its process before it serves."""
    _require_partition_filter_as_the_service_does()
    _clone_with_partitions_and_descriptions()
    _know_grants()


def _require_partition_filter_as_the_service_does() -> None:
    from local_bigquery.catalog import names
    from local_bigquery.jobs import merge
    from local_bigquery.sql.rules import tables
    from sqlglot import exp

    running: contextvars.ContextVar = contextvars.ContextVar("merge", default=None)
    real_run, real_check = merge.run, tables._check

    def run(cursor: Any, tree: exp.Merge, context: Any) -> Any:
        token = running.set((names.reference(tree.this, context.project_id, None), tree))
        try:
            return real_run(cursor, tree, context)
        finally:
            running.reset(token)

    def check(tree: exp.Expression, table: exp.Table, is_target: bool) -> None:
        # The real service takes a MERGE into a table that requires a partition filter when ON or
        # a WHEN names the partition column. The emulator carries a MERGE out as several
        # statements and looks for the filter in each of them, where it cannot be: it refuses
        # every such MERGE, SQLMesh's replacement of intervals among them.
        target, merged = running.get() or (None, None)
        if merged is not None and (table.catalog, table.db, table.name) == target:
            whens = merged.args["whens"].expressions
            conditions = [merged.args["on"], *(when.args.get("condition") for when in whens)]
            tree = exp.select("*").where(*(c.copy() for c in conditions if c is not None))
        # The real service makes a view over such a table, and looks for the filter when the view is
        # queried; and it clones one whole. The emulator looks for the filter when the view or the
        # clone is made: it refuses every view of SQLMesh's virtual layer, which filters nothing.
        elif (
            isinstance(tree, exp.Create)
            and not is_target
            and (tree.args.get("kind") == "VIEW" or CLONE in tree.meta)
        ):
            tree = exp.select("*").where(exp.column("_partitiondate").eq(exp.null()))
        real_check(tree, table, is_target)

    merge.run, tables._check = run, check


# Marks the query by which the emulator makes a clone.
CLONE = "clone"
CLONED = (
    "schema",
    "timePartitioning",
    "clustering",
    "requirePartitionFilter",
    "labels",
    "description",
)


def _clone_with_partitions_and_descriptions() -> None:
    # A clone on the real service has the partitions, clusters, options and descriptions of its
    # source. The emulator copies the rows, and remembers of the new table just what it came from.
    from local_bigquery.catalog import ddl, names, tables
    from local_bigquery.sql.rules import ddl as rules

    real_definition, real_split = ddl._definition, rules.split

    def split(tree: Any) -> list:
        parts = real_split(tree)
        if tree.args.get("clone"):
            for part in parts:
                part.meta[CLONE] = True
        return parts

    def definition(tree: Any, project_id: str, dataset_id: str) -> dict:
        defined = real_definition(tree, project_id, dataset_id)
        if "cloneDefinition" not in defined:
            return defined
        source = tables.load(*names.reference(tree.args["clone"].this, project_id, dataset_id))
        kept = source.model_dump(by_alias=True, exclude_none=True)
        return {name: kept[name] for name in CLONED if name in kept} | defined

    ddl._definition, rules.split = definition, split


GRANT = re.compile(
    r"^(?P<verb>GRANT|REVOKE)\s+(?P<roles>.+?)\s+ON\s+"
    r"(?P<kind>SCHEMA|MATERIALIZED\s+VIEW|TABLE|VIEW)\s+(?P<name>\S+)\s+(?:TO|FROM)\s+(?P<to>.+?)"
    r"\s*;?\s*$",
    re.IGNORECASE | re.DOTALL,
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def _know_grants() -> None:
    # The real service has the statements GRANT and REVOKE and lists what they did in
    # OBJECT_PRIVILEGES. The emulator has neither; here it gets both, kept in memory. Whether a
    # principal may read something is not enforced, here as there.
    from local_bigquery.jobs import query
    from local_bigquery.models import JobStatistics2
    from local_bigquery.sql.rules import information_schema

    granted: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    real_execute = query.execute

    def execute(
        cursor: Any, project_id: str, job_id: str | None, config: Any, *rest: Any, **options: Any
    ) -> Any:
        statement = GRANT.match(COMMENT.sub("", config.query or "").strip())
        if statement is None:
            return real_execute(cursor, project_id, job_id, config, *rest, **options)
        parts = statement["name"].replace("`", "").split(".")
        default = config.defaultDataset
        if len(parts) == 1:
            parts.insert(0, default.datasetId if default else "")
        if len(parts) == 2 and statement["kind"].upper() != "SCHEMA":
            parts.insert(0, project_id)
        pairs = {
            (role.strip().strip("`"), to.strip().strip("\"'"))
            for role in statement["roles"].split(",")
            for to in statement["to"].split(",")
        }
        verb = statement["verb"].upper()
        current = granted.setdefault((*parts, statement["kind"].upper()), set())
        (current.update if verb == "GRANT" else current.difference_update)(pairs)
        return JobStatistics2(statementType=verb), [], None

    def object_privileges(project_id: str, dataset_id: str | None) -> tuple[list, list]:
        columns = ["object_catalog", "object_schema", "object_name", "object_type"]
        rows = [
            [catalog, schema, name, kind, role, grantee]
            for (catalog, schema, name, kind), pairs in granted.items()
            for role, grantee in sorted(pairs)
            if catalog == project_id
        ]
        return [*columns, "privilege_type", "grantee"], rows

    query.execute = execute
    information_schema.VIEWS["OBJECT_PRIVILEGES"] = object_privileges


def write_credentials(path: Path, project: str) -> Path:
    """A file for GOOGLE_APPLICATION_CREDENTIALS, good for the emulator only.

    The real file, as `gcloud auth application-default login` writes it, has a refresh token, from
    which the client gets an access token at Google. This one brings an access token that stays
    valid, so that nobody is asked; the emulator checks no token at all. A service account's key
    would not do: for one the client asks Google where it may be used, whatever the endpoint.
    """
    account = {
        "type": "authorized_user",
        "client_id": "client",
        "client_secret": "secret",
        "refresh_token": "refresh",
        "token": "token",
        "expiry": "2199-01-01T00:00:00Z",
        "quota_project_id": project,
    }
    path.write_text(json.dumps(account))
    path.chmod(0o600)
    return path
