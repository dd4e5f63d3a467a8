"""Contracts: read, checked, and as typed objects for all gates.

`find("user_actions")` is what most callers need; `load_contracts()` gives all of them by product.
"""

from mesh.contracts.load import CONTRACTS, contract_paths, find, load_contract, load_contracts
from mesh.contracts.model import Column, Contract, Role, ServiceLevel, StatedRule, Version
from mesh.contracts.standard import ContractInvalid
from mesh.files.problems import Problem

__all__ = [
    "CONTRACTS",
    "Column",
    "Contract",
    "ContractInvalid",
    "Problem",
    "Role",
    "ServiceLevel",
    "StatedRule",
    "Version",
    "contract_paths",
    "find",
    "load_contract",
    "load_contracts",
]
