"""Service accounts, what they may do in a project, and how CI becomes one without a key."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from mesh_infra.settings import BI_READER, Settings

MAIN = "refs/heads/main"


@dataclass(frozen=True)
class Accounts:
    """ci: checks pull requests, never touches prod. sqlmesh: ingests, plans and promotes.
    bi_reader: what the dashboards connect with.
    """

    ci: gcp.serviceaccount.Account
    sqlmesh: gcp.serviceaccount.Account
    bi_reader: gcp.serviceaccount.Account

    def writers(self) -> tuple[gcp.serviceaccount.Account, ...]:
        return (self.ci, self.sqlmesh)


def member(account: gcp.serviceaccount.Account) -> pulumi.Output[str]:
    return account.email.apply(lambda email: f"serviceAccount:{email}")


def _account(settings: Settings, project: str, name: str, purpose: str):
    return gcp.serviceaccount.Account(
        name,
        project=project,
        account_id=name.replace("_", "-"),
        display_name=name,
        description=purpose,
    )


def build(settings: Settings) -> Accounts:
    """The accounts, their project-wide roles, and the workload identity that CI comes in by."""
    accounts = Accounts(
        ci=_account(settings, settings.project, "ci", "Checks pull requests; no access to prod"),
        sqlmesh=_account(settings, settings.project, "sqlmesh", "Ingests, plans and promotes"),
        bi_reader=_account(
            settings, settings.prod_project, BI_READER, "Dashboards: prod's engagement views"
        ),
    )
    # Running a query is a right on a project and shows nothing by itself. Making a dataset is one
    # too: a pull request's environment has datasets of its own, and whoever makes one owns it.
    for account, project, role in (
        (accounts.ci, settings.project, "roles/bigquery.user"),
        (accounts.sqlmesh, settings.project, "roles/bigquery.user"),
        (accounts.sqlmesh, settings.prod_project, "roles/bigquery.jobUser"),
        (accounts.bi_reader, settings.prod_project, "roles/bigquery.jobUser"),
        (accounts.ci, settings.project, "roles/cloudsql.client"),
        (accounts.sqlmesh, settings.project, "roles/cloudsql.client"),
    ):
        label = f"{account.pulumi_resource_name}-{role.rpartition('.')[2]}-{project}"
        gcp.projects.IAMMember(label, project=project, role=role, member=member(account))
    for role, who in sorted(settings.teams.items()):
        gcp.projects.IAMMember(
            f"{role}-jobUser",
            project=settings.prod_project,
            role="roles/bigquery.jobUser",
            member=who,
        )
    _workload_identity(settings, accounts)
    return accounts


def _workload_identity(settings: Settings, accounts: Accounts) -> None:
    pool = gcp.iam.WorkloadIdentityPool(
        "ci",
        project=settings.project,
        workload_identity_pool_id="ci",
        description="CI of this repository, without keys",
    )
    gcp.iam.WorkloadIdentityPoolProvider(
        "ci",
        project=settings.project,
        workload_identity_pool_id=pool.workload_identity_pool_id,
        workload_identity_pool_provider_id="ci",
        oidc=gcp.iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=settings.identity_issuer),
        attribute_mapping={
            "google.subject": "assertion.sub",
            "attribute.repository": "assertion.repository",
            "attribute.ref": "assertion.ref",
        },
        # The issuer speaks for everybody's repositories: without this, all of them could come in.
        attribute_condition=f"assertion.repository == '{settings.repository}'",
    )
    repository = pool.name.apply(
        lambda name: (
            f"principalSet://iam.googleapis.com/{name}/attribute.repository/{settings.repository}"
        )
    )
    main = pool.name.apply(
        lambda name: (
            f"principal://iam.googleapis.com/{name}/subject/repo:{settings.repository}:ref:{MAIN}"
        )
    )
    # Any branch may check itself; only what has landed may promote.
    for account, who in ((accounts.ci, repository), (accounts.sqlmesh, main)):
        gcp.serviceaccount.IAMMember(
            f"{account.pulumi_resource_name}-workload-identity",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=who,
        )
