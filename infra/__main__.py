"""Entry point of `pulumi up`: the stack's configuration and the contracts become resources."""

from pathlib import Path

from mesh_infra.contracts import read_products
from mesh_infra.program import build
from mesh_infra.settings import from_stack

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"

build(from_stack(), read_products(CONTRACTS))
