"""What a contract says about its own bite, as custom properties of it.

customProperties:
  - property: biteShare      # the share of damages that its rules have to notice
    value: 0.95
  - property: biteExcused    # damages that they need not notice, each with the reason
    value: {title.upper: Titles are shown as the source spells them.}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mesh.bite.ways import damages
from mesh.contracts import Contract, ContractInvalid, contract_paths, load_contract
from mesh.contracts.draft import Draft, read_draft
from mesh.contracts.findings import TODO, Finding, Found
from mesh.contracts.types import is_number
from mesh.files.problems import Problem, nearest, shown
from mesh.files.tree import Steps

SHARE = "biteShare"
EXCUSED = "biteExcused"
RULE = "BITE"


def share_of(contract: Contract, usual: float | None) -> float | None:
    """The share of damages that a contract has to notice, if it or the project demands one."""
    stated: Any = contract.properties.get(SHARE)
    return usual if stated is None else float(stated)


def excuses_of(contract: Contract) -> Mapping[str, str]:
    """Damages that need not be noticed, and why. Raises ContractInvalid when that is not in order.

    The contract is one that is otherwise.
    """
    if SHARE not in contract.properties and EXCUSED not in contract.properties:
        return {}
    if problems := list(_problems(contract)):
        raise ContractInvalid(problems)
    stated: Any = contract.properties.get(EXCUSED) or {}
    return {str(damage): " ".join(reason.split()) for damage, reason in stated.items()}


def lint_bite(paths: Iterable[Path]) -> Iterator[Problem]:
    """What is wrong with these properties of contracts: files, or folders of them.

    A contract that is not in order otherwise has its problems told before.
    """
    for path in paths:
        for file in contract_paths(path) if path.is_dir() else [path]:
            try:
                contract = load_contract(file)
            except ContractInvalid:
                continue
            if contract.properties:
                yield from _problems(contract)


def _problems(contract: Contract) -> Iterator[Problem]:
    draft = read_draft(contract.path)
    seen: set[str] = set()
    for steps, name, value in _properties(draft):
        known = {SHARE: _share, EXCUSED: _excused}
        if name not in known:
            near = nearest(name, known)
            found: Found = iter(())
            if near and "bite" in name.lower():
                fix = f"Did you mean `{near}`?"
                found = iter([Finding(steps, f"`{shown(name)}` means nothing at a contract.", fix)])
        elif name in seen:
            found = iter([Finding(steps, f"`{name}` stands twice.", "Keep one of them.")])
        else:
            found = known[name](contract, (*steps, "value"), value)
        seen.add(name)
        for one in found:
            yield draft.problem(RULE, one)


def _properties(draft: Draft) -> Iterator[tuple[Steps, str, Any]]:
    table = draft.table
    for steps, owner in (((), draft.document), (("schema", 0), table)):
        for index, item in enumerate((owner and owner.customProperties) or ()):
            yield (*steps, "customProperties", index), item.property or "", item.value


def _share(contract: Contract, steps: Steps, value: Any) -> Found:
    if not is_number(value) or not 0 <= value <= 1:
        yield Finding(steps, f"`{SHARE}: {shown(value)}` is no share.", "Write 0 to 1, as 0.95.")


def _excused(contract: Contract, steps: Steps, value: Any) -> Found:
    if not isinstance(value, dict):
        message = f"`{EXCUSED}` does not say which damages, and why."
        yield Finding(steps, message, "Write `value: {<damage>: <reason>}`.")
        return
    known = {damage.id for damage in damages(contract)}
    for damage, reason in value.items():
        at = (*steps, damage)
        if damage not in known:
            message = f"`{shown(damage)}` is no standard damage of {contract.product}."
            near = nearest(str(damage), known)
            fix = f"Did you mean `{near}`?" if near else "`mesh contracts bite` names those left."
            yield Finding(at, message, fix)
        elif not isinstance(reason, str) or not reason.strip() or reason.startswith(TODO):
            message = f"The damage `{damage}` is excused without a reason."
            yield Finding(at, message, "Say why nobody would miss it.")
