"""The bucket that deliveries arrive in."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from mesh_infra.identities import Accounts, member
from mesh_infra.settings import Settings

LifecycleRule = gcp.storage.BucketLifecycleRuleArgs
Action = gcp.storage.BucketLifecycleRuleActionArgs
Condition = gcp.storage.BucketLifecycleRuleConditionArgs


def build(settings: Settings, accounts: Accounts) -> None:
    """A private bucket. Deliveries grow cheap after a month and go after `delivery_days`."""
    bucket = gcp.storage.Bucket(
        "deliveries",
        project=settings.project,
        name=f"{settings.project}-deliveries",
        location=settings.location,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=True),
        lifecycle_rules=[
            LifecycleRule(
                action=Action(type="SetStorageClass", storage_class="NEARLINE"),
                condition=Condition(age=30),
            ),
            LifecycleRule(
                action=Action(type="Delete"), condition=Condition(age=settings.delivery_days)
            ),
            # A delivery that was overwritten by mistake can be had back for a month.
            LifecycleRule(
                action=Action(type="Delete"), condition=Condition(days_since_noncurrent_time=30)
            ),
            LifecycleRule(
                action=Action(type="AbortIncompleteMultipartUpload"), condition=Condition(age=1)
            ),
        ],
        opts=pulumi.ResourceOptions(protect=True),
    )
    gcp.storage.BucketIAMMember(
        "sqlmesh-reads-deliveries",
        bucket=bucket.name,
        role="roles/storage.objectViewer",
        member=member(accounts.sqlmesh),
    )
