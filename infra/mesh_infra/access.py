"""Who may read what, as plain data: derived from the contracts, before any resource is made."""

from __future__ import annotations

from dataclasses import dataclass

from mesh_infra.contracts import OPERATIONAL, ContractError, Product, domains
from mesh_infra.settings import BI_DOMAIN, BI_READER, Settings


@dataclass(frozen=True, order=True)
class DatasetId:
    """A dataset in a project."""

    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}.{self.name}"


@dataclass(frozen=True, order=True)
class ReadGrant:
    """A contract's role may read a whole dataset, or one view of it."""

    role: str
    dataset: DatasetId
    view: str | None = None


@dataclass(frozen=True, order=True)
class Authorization:
    """Views in `reader` may read `source`, so that their readers need no right on it."""

    source: DatasetId
    reader: DatasetId


def internal(domain: str) -> str:
    """The dataset for what only its own domain reads."""
    return f"{domain}_internal"


def schemas(products: tuple[Product, ...]) -> tuple[str, ...]:
    """The schemas that models lie in: one public and one internal for each domain."""
    return tuple(name for each in domains(products) for name in (each, internal(each)))


def operational(settings: Settings) -> DatasetId:
    return DatasetId(settings.project, OPERATIONAL)


def physical(settings: Settings, schema: str) -> DatasetId:
    """Where SQLMesh keeps the tables behind the views; it chooses the name."""
    return DatasetId(settings.project, f"sqlmesh__{schema}")


def prod(settings: Settings, schema: str) -> DatasetId:
    return DatasetId(settings.prod_project, schema)


def environment(settings: Settings, schema: str, name: str) -> DatasetId:
    return DatasetId(settings.project, f"{schema}__{name}")


def read_grants(settings: Settings, products: tuple[Product, ...]) -> tuple[ReadGrant, ...]:
    """What the contracts' roles may read: prod's views and the operational tables.

    A role that may read every product of a dataset gets the dataset; one that may read some gets
    those views and no more. Raises ContractError for a role without a principal, and for a
    contract that would show the BI reader more than its domain.
    """
    grants = set()
    for domain in sorted({each.domain for each in products}):
        own = [each for each in products if each.domain == domain]
        dataset = operational(settings) if domain == OPERATIONAL else prod(settings, domain)
        for role in sorted({role for each in own for role in each.readers}):
            granting = [each for each in own if role in each.readers]
            if role == BI_READER and domain != BI_DOMAIN:
                raise ContractError(
                    f"{granting[0].path}: {granting[0]} lets {BI_READER} read, but dashboards see "
                    f"only the products of {BI_DOMAIN}. Take the role out, or publish a product "
                    f"there that dashboards may read."
                )
            if role != BI_READER and role not in settings.teams:
                raise ContractError(
                    f"{granting[0].path}: nobody is known for the role {role}: "
                    "add it to mesh:teams in the stack's configuration."
                )
            if len(granting) == len(own):
                grants.add(ReadGrant(role, dataset))
            else:
                grants |= {ReadGrant(role, dataset, each.name) for each in granting}
    return tuple(sorted(grants, key=lambda each: (each.role, each.dataset, each.view or "")))


def authorizations(settings: Settings, products: tuple[Product, ...]) -> tuple[Authorization, ...]:
    """Which datasets' views may read which datasets on behalf of whoever may read the view.

    A view of an environment reads its physical table. A physical object can be a view itself: it
    reads its own domain, and the public physical tables of the domains beside it. Nothing ever
    reaches another domain's internal tables, or the operational ones past the producer.
    """
    found = set()
    for schema in schemas(products):
        views = [prod(settings, schema)]
        views += [environment(settings, schema, name) for name in settings.environments]
        found |= {Authorization(physical(settings, schema), view) for view in views}
    for domain in domains(products):
        own = (physical(settings, domain), physical(settings, internal(domain)))
        found.add(Authorization(source=own[1], reader=own[0]))
        for other in domains(products):
            if other != domain:
                found |= {Authorization(physical(settings, other), reader) for reader in own}
    producers = [domain for domain in domains(products) if domain != BI_DOMAIN]
    for domain in producers:
        found.add(Authorization(operational(settings), physical(settings, internal(domain))))
    return tuple(sorted(found))
