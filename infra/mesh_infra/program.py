"""The resources of one deployment, put together; the parts are in the modules it calls."""

from __future__ import annotations

from mesh_infra import datasets, identities, state, storage
from mesh_infra.contracts import Product
from mesh_infra.settings import Settings


def build(settings: Settings, products: tuple[Product, ...]) -> None:
    """Make everything. Raises ContractError before the first resource when access is unclear."""
    plan = datasets.plan(settings, products)
    accounts = identities.build(settings)
    datasets.build(settings, plan, accounts)
    storage.build(settings, accounts)
    state.build(settings, accounts)
