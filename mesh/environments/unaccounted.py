"""Rows of the source's tables that no delivery brought, or that none took away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh.environments.apply import shown_stamps
from mesh.environments.deliveries import DeliveryLog

if TYPE_CHECKING:
    from sqlmesh.core.context import GenericContext


def unaccounted(context: GenericContext, log: DeliveryLog) -> str | None:
    """What was found, unless an environment shows it: then somebody has let it in.

    None as well where nothing is shown yet that could become wrong.
    """
    found = [delivery for delivery in log.deliveries if delivery.found]
    environments = context.state_reader.get_environments() if found else []
    if not environments:
        return None
    newest = found[-1]
    for environment in environments:
        if newest.stamp in shown_stamps(context, environment).values():
            return None
    return (
        f"{newest.found}, which is not what delivery {newest.number} left, and no delivery says why"
    )


def what_to_do(environment: str) -> str:
    return (
        "Deliver all of it again; if somebody meant it, "
        f"`mesh refresh {environment} --found` lets it in."
    )
