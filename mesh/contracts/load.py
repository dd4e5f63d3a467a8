"""From files to contracts: read, refuse what cannot be relied on, and keep what was read."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path

from mesh.contracts.checks import problems_of
from mesh.contracts.checks.product import MEASURED_BY, VERSION, column_of, end_of_life
from mesh.contracts.constraints import table_kind
from mesh.contracts.constraints.base import StatedColumn, StatedQuality, TablePromise
from mesh.contracts.draft import TABLE, Draft, contract_files, product_of, promises_of, read_draft
from mesh.contracts.findings import DRAFT_ONE, ContractInvalid
from mesh.contracts.model import (
    Column,
    Contract,
    Role,
    Server,
    ServiceLevel,
    StatedRule,
    SupportChannel,
    Version,
)
from mesh.contracts.standard import ColumnObject, ServiceLevelObject
from mesh.contracts.types import DUCKDB_TYPE, span, value_type
from mesh.errors import Location, WrongUse
from mesh.files.problems import nearest, suggestion
from mesh.project import display


def contract_paths(folder: Path) -> list[Path]:
    """The contract files under a folder, sorted; raises WrongUse when there is no such folder."""
    if not folder.is_dir():
        raise WrongUse(
            "There is no such folder of contracts.",
            where=Location(display(folder)),
            fix=f"{DRAFT_ONE} If there are some elsewhere, name a folder that holds "
            "<domain>/<product>.odcs.yaml.",
        )
    return contract_files(folder)


def load_contract(path: Path) -> Contract:
    """Read one contract; an unchanged file is read once per process.

    Raises ContractInvalid when it cannot be relied on. The SQL of its rules is looked at when the
    rules are asked for, and by `mesh contracts lint`.
    """
    return _loaded(Path(path), _stamp(path))


@lru_cache(maxsize=1024)
def _loaded(path: Path, stamp: tuple[int, int] | None) -> Contract:
    draft = read_draft(path)
    if problems := problems_of(draft):
        raise ContractInvalid(problems)
    return build(draft)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is edited; None for one that cannot be read, as reading it says."""
    with suppress(OSError):
        stat = path.stat()
        return stat.st_mtime_ns, stat.st_size
    return None


def load_contracts(
    folder: Path, needed: Container[str] | None = None, waiting: Container[str] = ()
) -> dict[str, Contract]:
    """All contracts under a folder by product (`sales.orders`).

    needed: the products without which it cannot be done; by default all but those that are
    waiting, of which a contract may be unfinished. Raises ContractInvalid with the problems of the
    files of these, when there are any.
    """
    contract_paths(folder)
    contracts, invalid = read_contracts(folder)
    wrong = [
        error
        for name, error in invalid.items()
        if (name not in waiting if needed is None else name in needed)
    ]
    if wrong:
        raise ContractInvalid(problem for error in wrong for problem in error.problems)
    return contracts


def usable_contracts(folder: Path) -> dict[str, Contract]:
    """Those contracts under a folder that can be relied on, by product."""
    return read_contracts(folder)[0]


def read_contracts(folder: Path) -> tuple[dict[str, Contract], dict[str, ContractInvalid]]:
    """Those contracts under a folder that can be relied on, and what is wrong with the others."""
    contracts: dict[str, Contract] = {}
    invalid: dict[str, ContractInvalid] = {}
    for path in contract_files(folder):
        try:
            contract = load_contract(path)
            contracts[contract.product] = contract
        except ContractInvalid as error:
            invalid[product_of(path)] = error
    return contracts, invalid


def find(product: str, folder: Path, domain: str = "") -> Contract:
    """The contract of a product by its name, with or without the domain.

    domain: whose it is if there are several of that name.
    Raises WrongUse when there is none, or more than one, and ContractInvalid when it is invalid.
    """
    paths = {product_of(path): path for path in contract_paths(folder)}
    for name in (product, f"{domain}.{product}"):
        if name in paths:
            return load_contract(paths[name])
    same = [name for name in paths if name.partition(".")[2] == product]
    if len(same) == 1:
        return load_contract(paths[same[0]])
    if same:
        raise WrongUse(
            f"More than one contract is called {product}.", fix="Write " + " or ".join(same) + "."
        )
    names = {*paths, *(name.partition(".")[2] for name in paths)}
    # Two domains may have a product of one name: which there are is told with them.
    known = names if nearest(product, names) else paths
    raise WrongUse(
        f"There is no contract for {product}.",
        where=Location(display(folder)),
        fix=suggestion(product, known) if paths else DRAFT_ONE,
    )


def build(draft: Draft) -> Contract:
    """The contract of a draft without problems."""
    document, table = draft.document, draft.table
    assert document.description and document.team and table
    match = VERSION.fullmatch(document.version or "")
    assert match
    levels = tuple(_level(draft, i, s) for i, s in enumerate(document.slaProperties or []))
    ends = next((level.value for level in levels if level.property == "endOfLife"), None)
    return Contract(
        path=draft.path,
        domain=document.domain or "",
        name=document.name or "",
        id=document.id or "",
        version=Version(*map(int, match.groups())),
        status=document.status or "",
        kind=table.physicalType or "",
        purpose=_text(document.description.purpose),
        usage=_text(document.description.usage),
        limitations=_text(document.description.limitations),
        grain_label=_text(table.dataGranularityDescription),
        tags=tuple(document.tags or ()),
        columns=_columns(draft),
        rules=tuple(_rules(draft)),
        service_levels=levels,
        owner=document.team.name or "",
        owner_description=_text(document.team.description),
        support=tuple(
            SupportChannel(
                s.channel or "",
                s.tool,
                s.url,
                _text(s.description),
                draft.line(("support", i)),
            )
            for i, s in enumerate(document.support or [])
        ),
        roles=tuple(
            Role(r.role or "", r.access or "", _text(r.description), draft.line(("roles", i)))
            for i, r in enumerate(document.roles or [])
        ),
        servers=tuple(
            Server(
                s.server or "",
                s.type or "",
                s.schema_ or s.dataset or "",
                draft.line(("servers", i)),
            )
            for i, s in enumerate(document.servers or [])
        ),
        end_of_life=end_of_life(ends),
        properties={
            str(item.property): item.value
            for item in (*(document.customProperties or ()), *(table.customProperties or ()))
        },
        lines={**draft.tree.keys_at(()), "physicalType": draft.line((*TABLE, "physicalType"))},
    )


def _text(value: str | None) -> str:
    return " ".join((value or "").split())


def _columns(draft: Draft) -> tuple[Column, ...]:
    objects = [column for _, column in draft.columns()]
    keys = sum(bool(column.primaryKey) for column in objects)
    return tuple(
        _column(draft, stated, column, alone=keys == 1)
        for stated, column in zip(draft.stated_columns(), objects, strict=True)
    )


def _column(draft: Draft, stated: StatedColumn, column: ColumnObject, alone: bool) -> Column:
    return Column(
        id=column.id or "",
        name=column.name or "",
        logical_type=value_type(column.logicalType or "", column.physicalType),
        bigquery_type=column.physicalType or "",
        narrower=next(
            (
                re.sub(r", *", ", ", str(p.value))
                for p in column.customProperties or ()
                if p.property == DUCKDB_TYPE
            ),
            None,
        ),
        description=_text(column.description),
        classification=column.classification or "",
        promises=promises_of(stated),
        grain_position=column.primaryKeyPosition if column.primaryKey else None,
        identifies=alone and bool(column.primaryKey),
        deprecated=bool(column.deprecated),
        partitioned=bool(column.partitioned),
        tags=tuple(column.tags or ()),
        examples=tuple(column.examples or ()),
        line=draft.line(stated.steps),
        lines=draft.tree.keys_at(stated.steps),
    )


def _rules(draft: Draft) -> Iterator[StatedRule]:
    for rule, stated in draft.stated_rules():
        kind = table_kind(stated.keys)
        if kind is not None:
            yield StatedRule(
                id=rule.id or "",
                name=rule.name or rule.id or "",
                description=_text(rule.description),
                dimension=rule.dimension or "",
                severity=rule.severity or "",
                promise=kind.read(stated.keys),
                line=draft.line(stated.steps),
                query_line=draft.line(kind.at(stated)),
                sql_line=partial(_sql_line, draft, kind, stated),
            )


def _sql_line(draft: Draft, kind: type[TablePromise], stated: StatedQuality) -> int:
    """The line of the first part of a rule that is no SQL to be used."""
    steps = (found.steps for found in kind.malformed(stated))
    return draft.line(next(steps, kind.at(stated)))


def _level(draft: Draft, index: int, level: ServiceLevelObject) -> ServiceLevel:
    value, unit = span(level.value, level.unit)
    measured = [i.value for i in level.customProperties or [] if i.property == MEASURED_BY]
    return ServiceLevel(
        id=level.id or "",
        property=level.property or "",
        value=value if value is not None else "",
        unit=unit,
        element=column_of(draft, level.element),
        description=_text(level.description),
        measured_by=str(measured[0]) if measured else None,
        line=draft.line(("slaProperties", index)),
    )
