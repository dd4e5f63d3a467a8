"""What is made besides access: datasets, bucket, state, and CI's way in without keys."""

from __future__ import annotations


def names(cloud, project: str) -> set[str]:
    return {
        each.inputs["datasetId"]
        for each in cloud.of("Dataset")
        if each.inputs["project"] == project
    }


def test_prod_has_one_dataset_for_each_schema(cloud):
    assert names(cloud, "example-prod") == {
        "engagement",
        "engagement_internal",
        "interactions",
        "interactions_internal",
    }


def test_the_other_environments_and_the_tables_lie_in_the_other_project(cloud):
    found = names(cloud, "example-warehouse")
    assert {"operational", "sqlmesh__engagement", "sqlmesh__interactions_internal"} <= found
    assert {"engagement__dev", "engagement__test", "engagement__acceptance"} <= found
    assert len(found) == 1 + 4 + 4 * 3


def test_the_bucket_is_private_and_deliveries_age(cloud):
    bucket = cloud.one("Bucket")
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["uniformBucketLevelAccess"] is True
    rules = [(each["action"]["type"], each["condition"]) for each in bucket["lifecycleRules"]]
    assert ("SetStorageClass", {"age": 30}) in rules
    assert ("Delete", {"age": 365}) in rules
    assert ("Delete", {"daysSinceNoncurrentTime": 30}) in rules


def test_the_state_database_is_backed_up_and_reached_by_the_proxy_only(cloud):
    settings = cloud.one("DatabaseInstance")["settings"]
    assert settings["backupConfiguration"]["pointInTimeRecoveryEnabled"] is True
    assert settings["ipConfiguration"]["authorizedNetworks"] == []
    assert settings["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"


def test_ci_comes_in_from_this_repository_only_and_without_keys(cloud):
    condition = cloud.one("WorkloadIdentityPoolProvider")["attributeCondition"]
    assert condition == "assertion.repository == 'example-org/mesh'"
    assert cloud.of("Key") == []


def test_only_what_has_landed_acts_as_the_account_that_promotes(cloud):
    bound = {
        each.name: each.inputs["member"]
        for each in cloud.of("IAMMember")
        if each.inputs["role"] == "roles/iam.workloadIdentityUser"
    }
    assert bound["sqlmesh-workload-identity"].endswith(
        "/subject/repo:example-org/mesh:ref:refs/heads/main"
    )
    assert bound["ci-workload-identity"].endswith("/attribute.repository/example-org/mesh")
