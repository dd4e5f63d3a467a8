"""PostgreSQL for SQLMesh's state: small, backed up, reached through Google's proxy only."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from mesh_infra.identities import Accounts, member
from mesh_infra.settings import Settings

DATABASE = "mesh_state"
USER = "mesh"


def build(settings: Settings, accounts: Accounts) -> None:
    """The instance, its database and user, and the password as a secret for who plans."""
    instance = gcp.sql.DatabaseInstance(
        "state",
        project=settings.project,
        region=settings.region,
        database_version="POSTGRES_16",
        deletion_protection=True,
        settings=gcp.sql.DatabaseInstanceSettingsArgs(
            tier=settings.state_tier,
            # Without an authorized network nobody reaches the address but by the proxy, which
            # asks for an IAM right.
            ip_configuration=gcp.sql.DatabaseInstanceSettingsIpConfigurationArgs(
                ipv4_enabled=True, ssl_mode="ENCRYPTED_ONLY", authorized_networks=[]
            ),
            backup_configuration=gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgs(
                enabled=True, point_in_time_recovery_enabled=True
            ),
        ),
        opts=pulumi.ResourceOptions(protect=True),
    )
    gcp.sql.Database(DATABASE, project=settings.project, instance=instance.name, name=DATABASE)
    gcp.sql.User(
        USER,
        project=settings.project,
        instance=instance.name,
        name=USER,
        password=settings.state_password,
    )
    secret = gcp.secretmanager.Secret(
        "state-password",
        project=settings.project,
        secret_id="mesh-state-password",
        replication=gcp.secretmanager.SecretReplicationArgs(
            auto=gcp.secretmanager.SecretReplicationAutoArgs()
        ),
    )
    gcp.secretmanager.SecretVersion(
        "state-password", secret=secret.id, secret_data=settings.state_password
    )
    for account in accounts.writers():
        gcp.secretmanager.SecretIamMember(
            f"{account.pulumi_resource_name}-state-password",
            project=settings.project,
            secret_id=secret.secret_id,
            role="roles/secretmanager.secretAccessor",
            member=member(account),
        )
