"""Contracts: read, checked, and as typed objects for all gates.

`find(product, folder)` is what most callers need; `load_contracts(folder)` gives all by product.
"""

from mesh.contracts.findings import ContractInvalid
from mesh.contracts.load import (
    contract_paths,
    find,
    load_contract,
    load_contracts,
    read_contracts,
    usable_contracts,
)
from mesh.contracts.model import Column, Contract, ServiceLevel, Version

__all__ = [
    "Column",
    "Contract",
    "ContractInvalid",
    "ServiceLevel",
    "Version",
    "contract_paths",
    "find",
    "load_contract",
    "load_contracts",
    "read_contracts",
    "usable_contracts",
]
