"""Where the warehouse is and how to reach it: the variables that config.yaml's gateway reads."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh.bigquery.errors import explained
from mesh.errors import WrongUse
from mesh.project import BIGQUERY_GATEWAY, PROJECT_VARIABLE

# It advises `gcloud config set project`, which has no part in this: our variables name the project.
logging.getLogger("google.auth").setLevel(logging.ERROR)

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud import bigquery

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@dataclass(frozen=True)
class Warehouse:
    """A BigQuery project as the environment variables describe it.

    project: holds the source tables. location: where the data lies. impersonate: the service
    account to act as. maximum_bytes_billed: the most that one query may scan.
    """

    project: str
    location: str = "EU"
    impersonate: str | None = None
    maximum_bytes_billed: int = 200_000_000_000


def warehouse() -> Warehouse:
    """The warehouse that the environment variables describe.

    Raises WrongUse when there is none, or when a variable cannot be read.
    """
    project = os.environ.get(PROJECT_VARIABLE)
    if not project:
        raise WrongUse(
            f"there is no gateway {BIGQUERY_GATEWAY!r}, because {PROJECT_VARIABLE} is not set.",
            fix="Copy .env.example to .env and fill it in.",
        )
    limit = os.environ.get("MESH_BIGQUERY_MAXIMUM_BYTES_BILLED") or str(
        Warehouse.maximum_bytes_billed
    )
    if not limit.isdecimal():
        raise WrongUse(
            f"MESH_BIGQUERY_MAXIMUM_BYTES_BILLED is {limit!r}, which is no number of bytes.",
            fix="Give a whole number, such as 200000000000.",
        )
    return Warehouse(
        project=project,
        location=os.environ.get("MESH_BIGQUERY_LOCATION") or Warehouse.location,
        impersonate=os.environ.get("MESH_BIGQUERY_IMPERSONATE") or None,
        maximum_bytes_billed=int(limit),
    )


def credentials(place: Warehouse) -> Credentials:
    """The application default credentials, or those of the service account to act as."""
    import google.auth
    from google.auth import impersonated_credentials

    found, _ = google.auth.default(scopes=SCOPES)
    if not place.impersonate:
        return found
    return impersonated_credentials.Credentials(
        source_credentials=found, target_principal=place.impersonate, target_scopes=list(SCOPES)
    )


def connect(place: Warehouse) -> bigquery.Client:
    """A client of Google's for the warehouse. WrongUse when there are no credentials.

    Nothing is sent yet: a wrong project shows at the first request.
    """
    from google.cloud import bigquery

    with explained():
        return bigquery.Client(
            project=place.project, credentials=credentials(place), location=place.location
        )
