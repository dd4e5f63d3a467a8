"""What a stack says: its two projects, where they lie, who the teams are, who runs CI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

BI_READER = "bi_reader"
# What the dashboards' account may ever see. A contract of another domain that names it is refused:
# dashboards read the consumer's products, never the producer's.
BI_DOMAIN = "engagement"


@dataclass(frozen=True)
class Settings:
    """One deployment.

    project: holds the operational tables, SQLMesh's physical tables and every environment but
    prod; prod_project: holds prod's views. teams: a contract's role to the IAM member it stands
    for. repository and identity_issuer: whose CI may act as the service accounts, without keys.
    """

    project: str
    prod_project: str
    location: str
    region: str
    repository: str
    identity_issuer: str
    teams: dict[str, str]
    state_password: Any
    environments: tuple[str, ...] = ("dev", "test", "acceptance")
    state_tier: str = "db-f1-micro"
    delivery_days: int = 365


def from_stack() -> Settings:
    """The settings of the stack that Pulumi runs; it names what is missing."""
    config = pulumi.Config("mesh")
    return Settings(
        project=config.require("project"),
        prod_project=config.require("prod_project"),
        location=config.require("location"),
        region=config.require("region"),
        repository=config.require("repository"),
        identity_issuer=config.require("identity_issuer"),
        teams=config.require_object("teams"),
        state_password=config.require_secret("state_password"),
    )
