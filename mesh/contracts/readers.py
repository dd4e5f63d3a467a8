"""Who a contract's roles are: BigQuery grants to principals, not to roles of a contract.

`MESH_BIGQUERY_READERS` names them, as `sales_team=group:sales@example.com;…`.
"""

from __future__ import annotations

import os
import re

from mesh.contracts.model import Contract
from mesh.errors import WrongUse

READERS_VARIABLE = "MESH_BIGQUERY_READERS"
BIGQUERY_READER = "roles/bigquery.dataViewer"
_PAIR = re.compile(r"(?P<role>\w+)=(?P<principal>(?:group|user|serviceAccount|domain):\S+)")


def grants(contract: Contract, *, on_bigquery: bool) -> tuple[str, list[str]]:
    """The privilege to read, and who gets it.

    On other engines these are the contract's roles as they stand. On BigQuery roles that nobody is
    named for get nothing.
    """
    roles = [role.name for role in contract.roles]
    if not on_bigquery:
        return "select", roles
    named = principals(os.environ.get(READERS_VARIABLE, ""))
    return BIGQUERY_READER, [named[role] for role in roles if role in named]


def principals(text: str) -> dict[str, str]:
    """Role to principal. WrongUse when the text is not made of such pairs."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise WrongUse(
                f"{READERS_VARIABLE} has {part!r}, which names no principal for a role.",
                fix="Write role=group:name@example.com, several of them with ; between.",
            )
        found[pair["role"]] = pair["principal"]
    return found
