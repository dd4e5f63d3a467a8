"""BigQuery's datasets, who may write them, who may read them, and which views read for others."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from mesh_infra import access
from mesh_infra.access import Authorization, DatasetId, ReadGrant
from mesh_infra.contracts import Product
from mesh_infra.identities import Accounts, member
from mesh_infra.settings import BI_READER, Settings

VIEWER = "roles/bigquery.dataViewer"
EDITOR = "roles/bigquery.dataEditor"
# SQLMesh grants a view to its readers each time it replaces it; that takes an owner.
OWNER = "roles/bigquery.dataOwner"


@dataclass(frozen=True)
class Plan:
    """What datasets there are and what access they get, before anything is made."""

    operational: DatasetId
    physical: tuple[DatasetId, ...]
    environments: tuple[DatasetId, ...]
    prod: tuple[DatasetId, ...]
    grants: tuple[ReadGrant, ...]
    authorizations: tuple[Authorization, ...]

    def datasets(self) -> tuple[DatasetId, ...]:
        return (self.operational, *self.physical, *self.environments, *self.prod)


def plan(settings: Settings, products: tuple[Product, ...]) -> Plan:
    """Derive it all from the contracts; raises ContractError."""
    schemas = access.schemas(products)
    return Plan(
        operational=access.operational(settings),
        physical=tuple(access.physical(settings, schema) for schema in schemas),
        environments=tuple(
            access.environment(settings, schema, name)
            for schema in schemas
            for name in settings.environments
        ),
        prod=tuple(access.prod(settings, schema) for schema in schemas),
        grants=access.read_grants(settings, products),
        authorizations=access.authorizations(settings, products),
    )


def build(settings: Settings, planned: Plan, accounts: Accounts) -> None:
    made = {
        dataset: gcp.bigquery.Dataset(
            str(dataset),
            project=dataset.project,
            dataset_id=dataset.name,
            location=settings.location,
            labels={"mesh": _kind(planned, dataset)},
            delete_contents_on_destroy=False,
            opts=pulumi.ResourceOptions(protect=dataset not in planned.environments),
        )
        for dataset in planned.datasets()
    }

    def give(account: gcp.serviceaccount.Account, role: str, dataset: DatasetId) -> None:
        gcp.bigquery.DatasetIamMember(
            f"{account.pulumi_resource_name}-{role.rpartition('.')[2]}-{dataset}",
            project=dataset.project,
            dataset_id=made[dataset].dataset_id,
            role=role,
            member=member(account),
        )

    give(accounts.sqlmesh, EDITOR, planned.operational)
    give(accounts.ci, VIEWER, planned.operational)
    for dataset in planned.physical:
        for account in accounts.writers():
            give(account, EDITOR, dataset)
    for dataset in planned.environments:
        for account in accounts.writers():
            give(account, OWNER, dataset)
    for dataset in planned.prod:
        give(accounts.sqlmesh, OWNER, dataset)

    for grant in planned.grants:
        _read(settings, grant, accounts, made)
    for each in planned.authorizations:
        gcp.bigquery.DatasetAccess(
            f"{each.source}-read-by-views-of-{each.reader}",
            project=each.source.project,
            dataset_id=made[each.source].dataset_id,
            authorized_dataset=gcp.bigquery.DatasetAccessAuthorizedDatasetArgs(
                dataset=gcp.bigquery.DatasetAccessAuthorizedDatasetDatasetArgs(
                    project_id=each.reader.project, dataset_id=made[each.reader].dataset_id
                ),
                target_types=["VIEWS"],
            ),
        )


def _kind(planned: Plan, dataset: DatasetId) -> str:
    if dataset in planned.prod:
        return "prod"
    if dataset in planned.environments:
        return "environment"
    return "physical" if dataset in planned.physical else "operational"


def _read(settings: Settings, grant: ReadGrant, accounts: Accounts, made: dict) -> None:
    who = member(accounts.bi_reader) if grant.role == BI_READER else settings.teams[grant.role]
    where = {"project": grant.dataset.project, "dataset_id": made[grant.dataset].dataset_id}
    name = f"{grant.role}-reads-{grant.dataset}"
    if grant.view is None:
        gcp.bigquery.DatasetIamMember(name, role=VIEWER, member=who, **where)
        return
    gcp.bigquery.IamMember(
        f"{name}.{grant.view}", table_id=grant.view, role=VIEWER, member=who, **where
    )
