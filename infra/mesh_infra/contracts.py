"""Who may read which product, as the contracts say: nothing about access is written twice.

Plain YAML is enough here: `mesh contracts lint` has judged the files long before, and this
program must not need the main project's environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

OPERATIONAL = "operational"
READ = "read"


class ContractError(Exception):
    """A contract from which access cannot be derived; the message names the file."""


@dataclass(frozen=True)
class Product:
    """A contracted table or view. domain: also the name of the dataset that holds it."""

    domain: str
    name: str
    readers: frozenset[str]
    path: Path

    def __str__(self) -> str:
        return f"{self.domain}.{self.name}"


def _product(path: Path) -> Product:
    document = yaml.safe_load(path.read_text())
    if not isinstance(document, dict):
        raise ContractError(f"{path}: not a contract: it holds no mapping.")
    # The folder is the domain, as everywhere in this project: the operational contracts belong to
    # the producer's domain, but their tables lie in a dataset of their own.
    domain = path.parent.name
    readers = set()
    for index, role in enumerate(document.get("roles") or []):
        name, access = role.get("role"), role.get("access")
        if not name or access != READ:
            raise ContractError(
                f"{path}: roles[{index}] must have a role and access: {READ}; "
                "a contract gives nobody the right to write."
            )
        readers.add(name)
    return Product(domain, path.name.removesuffix(".odcs.yaml"), frozenset(readers), path)


def read_products(folder: Path) -> tuple[Product, ...]:
    """All contracted products below `folder`, by domain and name.

    Raises ContractError when there is none, or one that cannot be read.
    """
    found = tuple(_product(path) for path in sorted(folder.glob("*/*.odcs.yaml")))
    if not found:
        raise ContractError(f"{folder}: no contract here (expected <domain>/<product>.odcs.yaml).")
    return found


def domains(products: tuple[Product, ...]) -> tuple[str, ...]:
    """The domains that publish products; the operational tables are nobody's product."""
    return tuple(sorted({each.domain for each in products} - {OPERATIONAL}))
