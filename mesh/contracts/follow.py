"""What `macros/contract.py` of a project does when SQLMesh imports it.

Contracts that were edited are seen, and asked in every plan that takes them up.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlmesh.utils.errors import ConfigError

from mesh.contracts.draft import SUFFIX, contract_files, product_of
from mesh.contracts.findings import ContractInvalid
from mesh.contracts.load import find
from mesh.contracts.previews import install as tell_of_parts
from mesh.contracts.readers import READERS_VARIABLE
from mesh.contracts.unasked import install as tell_which_rule
from mesh.contracts.unaudited import install as audit_what_is_noted
from mesh.errors import MeshError, WrongUse
from mesh.files.problems import nearest
from mesh.project import Project, find_project, project_around
from mesh.unit_test_files import install as say_where_tests_are_wrong

if TYPE_CHECKING:
    from sqlmesh.core.macros import MacroEvaluator

PACKAGE = Path(__file__).parent
_NAME = r"""((?:[\w@{}]+|"[^"]*"|`[^`]*`)(?:\.(?:[\w@{}]+|"[^"]*"|`[^`]*`))*)"""
_MODEL = re.compile(rf"(?is)\bMODEL\s*\(.*?\bname\s+{_NAME}")
# In a MODEL block, and in no comment.
_ASKED = re.compile(rf"(?:(?!--|/\*).)*@contract\(\s*{_NAME}")
# What is wrong with contracts that stops nothing, since their models are read as ones without.
_let_pass: tuple[type[MeshError], ...] = ()


def follow_contracts(macros: Path) -> None:
    """Have SQLMesh read its models again when a contract was edited.

    macros: the file that asks; its time becomes the newest when what its macros read has changed.
    SQLMesh keeps parsed models for as long as models, macros and audits are unchanged, by the
    newest of their times of change. It knows nothing of contracts, so an edited contract has to
    show in a macro's time. Contracts are compared by content: copies and archives keep old times.
    Raises ConfigError, which SQLMesh shows as a sentence, for what macros could not say so well.
    """
    audit_what_is_noted()
    tell_which_rule()
    tell_of_parts()
    say_where_tests_are_wrong()
    project = Project(macros.resolve().parent.parent)
    with _said_by_sqlmesh():
        if WrongUse not in _let_pass:
            project.check_set_up()
        named = list(_named(project))
    digest = digest_of(project)
    seen = project.cache / "contracts.sha256"
    if seen.is_file() and seen.read_text() == digest:
        return
    with _said_by_sqlmesh():
        for product, schema in named:
            try:
                find(product, project.contracts, schema).table_rules()
            except _let_pass:
                digest = ""  # No other load may take the models for read that are read so.
    looked_at = [project.config, *project.root.glob("macros/*.py"), *project.root.glob("audits/*")]
    looked_at += project.models.rglob("*.sql")
    now = time.time()
    try:
        for path in looked_at:
            # From a computer whose clock is ahead: it would hide each edit until that day.
            if path.stat().st_mtime > now:
                os.utime(path, (now, now))
        newer = now + 0.001
        os.utime(macros, (newer, newer))
        seen.parent.mkdir(exist_ok=True)
        seen.write_text(digest)
    except OSError:
        # In a checkout that may not be written, contracts do not change either.
        return


def digest_of(project: Project) -> str:
    """The state of a project's contracts, of who their readers are, and of the code that reads
    them."""
    # Each kind apart, so that clones of one content have one state, wherever they lie.
    files = [*sorted(contract_files(project.contracts)), *sorted(PACKAGE.rglob("*.py"))]
    files += project.source_files
    digest = hashlib.sha256(os.environ.get(READERS_VARIABLE, "").encode())
    for path in files:
        if path.is_file():
            digest.update(f"{path.name}:{path.stat().st_size}:".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _named(project: Project) -> Iterator[tuple[str, str]]:
    """The products whose contracts models ask for, each with the model's schema.

    ConfigError where one is not there: said here, before any macro runs, since of an error inside a
    macro SQLMesh shows a stack of calls. A contract that no model asks for may still be in the
    making. Of a blueprint all are told that have the name.
    """
    there: dict[str, list[str]] = {}
    for file in contract_files(project.contracts):
        there.setdefault(file.name.removesuffix(SUFFIX), []).append(product_of(file))
    for path in sorted(project.models.rglob("*.sql")):
        text = path.read_text(encoding="utf-8")
        model = _plain(named.group(1)) if (named := _MODEL.search(text)) else ""
        for number, line in enumerate(text.splitlines(), start=1):
            if not (asked := _ASKED.match(line)) or "@" in (product := _plain(asked.group(1))):
                continue
            schema, _, own = product.rpartition(".")
            if own in there:
                schema = schema or model.rpartition(".")[0].rpartition(".")[2]
                for one in there[own] if "@" in schema else [product]:
                    yield one, schema
            elif WrongUse not in _let_pass:
                near = nearest(product, [*there, *(one for same in there.values() for one in same)])
                raise ConfigError(
                    f"{project.shown(path)}:{number}: There is no contract for {product}. "
                    + (f"Did you mean `{near}`? Otherwise draft" if near else "Draft")
                    + f" it with `mesh contracts new {model or product}`."
                )


def _plain(name: str) -> str:
    return re.sub(r'["`]', "", name)


def drafting() -> AbstractContextManager[None]:
    """Within, a model whose contract is still to be drafted or finished is read as one without."""
    return _letting_pass(WrongUse, ContractInvalid)


def looking() -> AbstractContextManager[None]:
    """Within, a model whose contract is still to be finished is read as one without."""
    return _letting_pass(ContractInvalid)


@contextmanager
def _letting_pass(*errors: type[MeshError]) -> Iterator[None]:
    global _let_pass
    before, _let_pass = _let_pass, errors
    try:
        yield
    finally:
        _let_pass = before


def is_let_pass(error: MeshError) -> bool:
    return isinstance(error, _let_pass)


@contextmanager
def _said_by_sqlmesh() -> Iterator[None]:
    try:
        yield
    except MeshError as error:
        raise ConfigError(str(error)) from None


def project_of(evaluator: MacroEvaluator) -> Project:
    """The project of the model whose header is read; the path that is asked for is no part of it.

    Nothing of it may reach what SQLMesh keeps: two clones have the same models.
    """
    return project_around(Path(evaluator._path or "")) or find_project()


def named_in(header: exp.Expr, evaluator: MacroEvaluator) -> str:
    """The schema of the model that a MODEL block names, once what stands for several is known."""
    names = [one.args["value"] for one in header.expressions if one.name.lower() == "name"]
    known = evaluator.transform(names[0].copy()) if names else None
    parts = parts_of(known) if isinstance(known, exp.Expr) else []
    return parts[-2] if parts[1:] else ""


def parts_of(name: exp.Expr) -> list[str]:
    """A name in SQL, part by part, without its quotes."""
    return [one.name for one in getattr(name, "parts", [name])]
