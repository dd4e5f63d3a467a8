"""Rules about the MODEL block: what the contract states of it is true, and stands there alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlmesh.core.audit import Audit, load_audit
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import Model, PythonModel

import mesh
from mesh.contracts import Contract
from mesh.contracts.audits import AUDIT
from mesh.contracts.draft import contract_files
from mesh.contracts.header import contract_audit
from mesh.contracts.readers import grants
from mesh.environments.names import INTERNAL_SUFFIX, domain_of, short_name
from mesh.lint.folders import domain_by_folder
from mesh.lint.rule import ContractRule, header_of

_GRAIN = re.compile(r"(?:^|[(,])\s*grains?\s+(\([^)]*\)|[\w`\"]+)", re.MULTILINE | re.IGNORECASE)
WRITTEN = Path(mesh.__file__).parent / "setup" / "templates"
AUDIT_FILE, MACRO_FILE = WRITTEN / "audits" / "contract.sql", WRITTEN / "macros" / "contract.py"


IN_PYTHON = "a Python model is under no contract, since none of its properties can be a macro."


def in_sql(name: str) -> str:
    """What to write for a public Python model."""
    domain, _, table = name.partition(".")
    internal = f"{domain}{INTERNAL_SUFFIX}.{table}"
    return f"Call it {internal}, and make {name} an SQL model of kind VIEW that selects from it."


def _asks_all(contract: Contract, model: Model) -> bool:
    """Whether one of a model's audits asks every rule of its contract, as they stand there."""
    asked = {one.this.name: _text(one.expression) for one in contract_audit(contract).expressions}
    return any(
        name == AUDIT and {key: _text(value) for key, value in arguments.items()} == asked
        for name, arguments in model.audits
    )


def _is_of_the_macro(model: Model, root: Path, macros: Mapping[str, Any]) -> bool:
    """Whether a model's audits are those that `@contract` makes, so that none can ask less.

    SQLMesh makes them anew when a contract changes, see `follow_contracts`.
    """
    header, made_by = header_of(model), getattr(macros.get("contract"), "func", None)
    code = getattr(made_by, "__code__", None)
    file = root / "macros" / MACRO_FILE.name
    return (
        "@contract(" in header
        and "audits" not in header.lower()
        and code is not None
        and Path(code.co_filename).resolve() == file.resolve()
        and file.read_bytes() == MACRO_FILE.read_bytes()
    )


def _text(node: exp.Expr) -> str:
    return node.sql(dialect="bigquery")


def _is_ours(model: Model) -> bool:
    """Whether the audit of contracts is the one that `mesh init` writes, and stops a plan."""
    audit, ours = model.audit_definitions.get(AUDIT), _ours()
    return audit is not None and all(
        getattr(audit, key) == getattr(ours, key) for key in ("query", "blocking", "skip")
    )


@lru_cache(maxsize=1)
def _ours() -> Audit:
    return load_audit(parse(AUDIT_FILE.read_text(encoding="utf-8"), default_dialect="bigquery"))


class PublicModelNeedsContract(ContractRule):
    """What other domains may read is promised, or it is not public."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        if not self.is_product(model) or model.kind.is_embedded:
            return
        path = f"contracts/{name.replace('.', '/')}.odcs.yaml"
        contract = contracts.get(name)
        # By its own contract, and not by another product's.
        of = [args.get("product") for audit, args in model.audits if audit == AUDIT]
        enforced = name in (product.name for product in of if product)
        if isinstance(model, PythonModel) and not enforced:
            yield f"{name}: {IN_PYTHON} {in_sql(name)}"
            return
        if contract is None and (self.project(model).root / path).is_file():
            return  # Of a contract that cannot be read, ContractsAreSound tells.
        if contract is None:
            folder = domain_by_folder(model, self.siblings(model), self.project(model))
            table = name.partition(".")[2]
            slip = (
                f" It lies in the folder of the domain {folder}: if it is one of its models, call "
                f"it {folder}.{table}."
            )
            yield (
                f"{name}: a public model without a contract: draft {path} with "
                f"`mesh contracts new {name}`, or move the model to {domain_of(name)}"
                f"{INTERNAL_SUFFIX}.{slip if folder else ''}"
            )
        elif not enforced:
            own = [
                _audit(audit, arguments, model.dialect)
                for audit, arguments in model.audits
                if audit != AUDIT
            ]
            place = f", in the place of its audits ({', '.join(own)})" if own else ""
            yield (
                f"{name}: the contract {contract.location()} is not enforced: write "
                f"@contract({', '.join([_told_apart(contract), *own])}) into the MODEL block"
                f"{place}."
            )
        elif not _is_ours(model):
            yield (
                f"{name}: its audit `{AUDIT}` is not the one that asks all that the contract "
                f"{contract.location()} states, and stops a plan: `mesh init` writes "
                f"{AUDIT_FILE.relative_to(WRITTEN)} anew."
            )
        elif not (
            _is_of_the_macro(model, self.project(model).root, self.context._macros)
            or _asks_all(contract, model)
        ):
            yield (
                f"{name}: its audit `{AUDIT}` does not ask all that the contract "
                f"{contract.location()} states: write @contract({_told_apart(contract)}) into "
                "the MODEL block in the place of an audit by hand, and leave macros/ as "
                "`mesh init` writes them."
            )
        elif _readers(model.grants) != _readers(self._granted(model, contract)):
            yield (
                f"{name}: its MODEL block says who may read it: take `grants` out, the roles of "
                f"the contract say so ({contract.location(contract.line_of('roles'))})."
            )

    def _granted(self, model: Model, contract: Contract) -> dict[str, list[str]]:
        on_bigquery = self.project(model).is_on_bigquery(self.context.gateway)
        return dict([grants(contract, on_bigquery=on_bigquery)])


def _told_apart(contract: Contract) -> str:
    """The name by which the macro finds a contract, with the domain where another has the same."""
    files = contract_files(contract.path.parent.parent)
    is_only = [file.name for file in files].count(contract.path.name) == 1
    return contract.name if is_only else contract.product


def _audit(name: str, arguments: Mapping[str, exp.Expr], dialect: str) -> str:
    said = ", ".join(f"{key} := {value.sql(dialect=dialect)}" for key, value in arguments.items())
    return f"{name}({said})" if said else name


def _readers(granted: Mapping[str, Sequence[str]] | None) -> dict[str, set[str]]:
    return {privilege: set(names) for privilege, names in (granted or {}).items() if names}


def stated_grains(model: Model) -> list[tuple[str, ...]]:
    """The keys that a MODEL block tells, with columns called as the model's dialect has them."""
    return [
        tuple(_named(column, model) for column in key.find_all(exp.Column)) for key in model.grains
    ]


def _named(column: exp.Column, model: Model) -> str:
    return normalize_identifiers(column.copy(), dialect=model.dialect).name


class GrainMatchesContract(ContractRule):
    """Joins and counts rest on the grain."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        contract = contracts.get(name)
        if contract is None:
            return
        stated = [
            tuple(_named(exp.column(one), model) for one in re.findall(r"\w+", columns))
            for columns in _GRAIN.findall(header_of(model))
        ]
        for columns in dict.fromkeys([*stated, *stated_grains(model)]):
            if columns != contract.grain:
                key = contract.column(contract.grain[0]) if contract.grain else None
                line = key.line_of("primaryKey") if key else 1
                yield (
                    f"{name}: the grain is {', '.join(contract.grain)} in the contract "
                    f"({contract.location(line)}) but {', '.join(columns)} in the model: remove "
                    "the grain from the MODEL block, @contract states it."
                )


class KindMatchesContract(ContractRule):
    """Whoever reads a view pays for what it reads, and sees new rows at once."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        contract = contracts.get(name)
        if contract is not None and model.kind.is_view != (contract.kind == "view"):
            where = contract.location(contract.line_of("physicalType"))
            right = "VIEW" if contract.kind == "view" else "FULL"
            yield (
                f"{name}: is of kind {model.kind.name.value}, but a {contract.kind} in the "
                f"contract ({where}): write `kind {right}`, or another `physicalType`."
            )
