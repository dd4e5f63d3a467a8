"""The program run against Pulumi's mocks: every resource it would make, without a cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pytest
from mesh_infra.contracts import Product
from mesh_infra.program import build
from mesh_infra.settings import Settings

SETTINGS = Settings(
    project="example-warehouse",
    prod_project="example-prod",
    location="EU",
    region="europe-west1",
    repository="example-org/mesh",
    identity_issuer="https://identity.example.com",
    teams={
        "interactions_team": "group:interactions@example.com",
        "engagement_team": "group:engagement@example.com",
        "recommendations_team": "group:recommendations@example.com",
    },
    state_password="not-a-password",
)
PRODUCERS = frozenset({"interactions_team"})
CONSUMERS = frozenset({"engagement_team"})
DASHBOARDS = frozenset({"bi_reader"})


def product(domain: str, name: str, readers: frozenset[str]) -> Product:
    return Product(domain, name, readers, Path(f"contracts/{domain}/{name}.odcs.yaml"))


PRODUCTS = (
    product("operational", "movies", PRODUCERS),
    product("operational", "ratings", PRODUCERS),
    product("interactions", "user_actions", CONSUMERS),
    product("interactions", "user_movie_ratings", frozenset({"recommendations_team"})),
    product("engagement", "genre_audience", DASHBOARDS),
    product("engagement", "audience_groups", DASHBOARDS),
)


@dataclass(frozen=True)
class Resource:
    """One resource as Pulumi would send it; inputs are spelt as the provider spells them."""

    type: str
    name: str
    inputs: dict


class Mocks(pulumi.runtime.Mocks):
    def __init__(self) -> None:
        self.resources: list[Resource] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        self.resources.append(Resource(args.typ, args.name, dict(args.inputs)))
        outputs = {"name": args.name, **args.inputs}
        if args.typ == "gcp:serviceaccount/account:Account":
            outputs["email"] = f"{args.inputs['accountId']}@{args.inputs['project']}.example.com"
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict:
        return {}


@dataclass(frozen=True)
class Cloud:
    """What would exist: the tests ask it who may read what."""

    resources: tuple[Resource, ...]

    def of(self, kind: str) -> list[Resource]:
        return [each for each in self.resources if each.type.split(":")[-1] == kind]

    def one(self, kind: str) -> dict:
        (found,) = self.of(kind)
        return found.inputs

    def dataset_roles(self, member: str) -> dict[str, str]:
        """Dataset (with a view's name, where the right is on one) to the role on it."""
        found = {}
        for each in self.of("DatasetIamMember") + self.of("IamMember"):
            if each.inputs["member"] == member and each.type.startswith("gcp:bigquery"):
                parts = (each.inputs["project"], each.inputs["datasetId"])
                view = each.inputs.get("tableId")
                where = ".".join((*parts, view) if view else parts)
                found[where] = each.inputs["role"]
        return found

    def project_roles(self, member: str) -> set[tuple[str, str]]:
        return {
            (each.inputs["project"], each.inputs["role"])
            for each in self.of("IAMMember")
            if each.type.startswith("gcp:projects") and each.inputs["member"] == member
        }

    def everything_named(self, member: str) -> list[Resource]:
        """Every resource that gives this member anything, of whatever kind."""
        return [each for each in self.resources if each.inputs.get("member") == member]

    def authorized(self) -> set[tuple[str, str]]:
        """(dataset that is read, dataset whose views read it)"""
        found = set()
        for each in self.of("DatasetAccess"):
            reader = each.inputs["authorizedDataset"]["dataset"]
            source = f"{each.inputs['project']}.{each.inputs['datasetId']}"
            found.add((source, f"{reader['projectId']}.{reader['datasetId']}"))
        return found


@pytest.fixture(scope="session")
def make_cloud() -> Callable[..., Cloud]:
    def make(products: tuple[Product, ...] = PRODUCTS, settings: Settings = SETTINGS) -> Cloud:
        mocks = Mocks()
        pulumi.runtime.set_mocks(mocks, preview=False)

        @pulumi.runtime.test
        def run() -> None:
            build(settings, products)

        run()
        return Cloud(tuple(mocks.resources))

    return make


@pytest.fixture(scope="session")
def cloud(make_cloud) -> Cloud:
    return make_cloud()
