"""Rules about the project as a whole, told once, and what each of its models needs beside it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlmesh.core.model import Model

from mesh.contracts import Contract
from mesh.contracts.draft import contract_files
from mesh.contracts.lint import lint
from mesh.contracts.types import today
from mesh.environments.names import domain_of, query_inputs, short_name
from mesh.files.problems import Problem
from mesh.lint.rule import ContractRule
from mesh.project import Project, display


class ContractNeedsModel(ContractRule):
    """A promise that nobody keeps misleads its readers."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        names = self.siblings(model)
        files = {display(Path(one._path or "")): one for one in names.values()}
        for name, contract in sorted(contracts.items()):
            file = Path(f"models/{name.replace('.', '/')}.sql")
            there = files.get(file)
            if name in names or not (there is model if there else self.speaks(model)):
                continue
            said = f"{name}: the contract {contract.location()} has no model: "
            if there:
                called = short_name(there.fqn)
                yield f"{said}{file} is called {called}: call it {name}, or move the contract."
            else:
                yield f"{said}write {file}, or remove the contract."


class ContractsAreSound(ContractRule):
    """What `mesh contracts lint` refuses may not be planned either, whoever ran it or not."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        project, name = self.project(model), short_name(model.fqn)
        first = self.speaks(model)
        names = self.siblings(model)
        for problem in _problems(project):
            product = _product(problem, project)
            if self.has_time(model, product):
                continue
            is_source = product in names and names[product].kind.is_external
            if name == product or (first and (product not in names or is_source)):
                yield f"{name}: {problem}" if name == product else str(problem)


def _product(problem: Problem, project: Project) -> str:
    file = problem.path.relative_to(project.contracts)
    return f"{file.parent.name}.{file.name.partition('.')[0]}"


def _problems(project: Project) -> tuple[Problem, ...]:
    folder = project.contracts
    if not folder.is_dir():
        return ()
    files = [*contract_files(folder), *project.source_files]
    stamps = tuple(
        (path, stat.st_mtime_ns, stat.st_size)
        for path in files
        if path.is_file() and (stat := path.stat())
    )
    return _problems_of(project, stamps, today())


@lru_cache(maxsize=4)
def _problems_of(
    project: Project, stamps: tuple[tuple[Path, int, int], ...], day: datetime.date
) -> tuple[Problem, ...]:
    """What lint finds, looked at once for all models, and not again while nothing has changed.

    stamps: of the files; day: whose end of life is told.
    """
    return lint([project.contracts], project.cache, needed=False).problems


class PublicModelNeedsTest(ContractRule):
    """A contract says what rows look like; a test with awkward rows says that they are right."""

    needed = False

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        name = short_name(model.fqn)
        # SQLMesh tests what it runs as a query or as Python, and refuses a test of a seed.
        if not self.is_product(model) or not (model.is_sql or model.is_python):
            return
        tests = self.context.select_tests(model_names={model.name})
        if not tests:
            product = name.partition(".")[2]
            can_be_drafted = name in contracts and query_inputs(model)
            draft = f"; `mesh contracts new {name}` drafts it" if can_be_drafted else ""
            yield (
                f"{name}: a public model without a unit test: write "
                f"tests/{domain_of(name)}/test_{product}.yaml with its awkward rows{draft}."
            )
        elif not any(_expects_rows(one.body) for one in tests):
            where = display(tests[0].path)
            yield (
                f"{name}: no unit test of this public model expects a row ({where}): a query that "
                f"finds nothing would pass. Write into {where} what it makes of some rows."
            )


def _expects_rows(body: Mapping[str, Any]) -> bool:
    """Whether a unit test expects a row of the query; what it reads from a file may hold some."""
    expected = (body.get("outputs") or {}).get("query")
    if not isinstance(expected, Mapping):
        return bool(expected)
    rows = expected.get("rows")
    if isinstance(rows, str):
        return len(rows.strip().splitlines()) > 1  # The first line names the columns.
    return bool(rows) or "path" in expected or "query" in expected


class RulesAreInForce(ContractRule):
    """A rule that a model or the configuration leaves out holds for nobody."""

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        if not self.speaks(model):
            return
        rules = ContractRule.__subclasses__()
        for name, one in sorted(self.siblings(model).items()):
            left_out = sorted(one.ignored_rules & {"all", *(rule.name for rule in rules)})
            if left_out:
                where = display(Path(one._path or ""))
                yield (
                    f"{name}: leaves out the rule {', '.join(left_out)} by `ignored_rules` "
                    f"({where}): take it out of the MODEL block, and mend what the rule says."
                )
        config = self.context.config.linter
        where = display(self.project(model).config)
        project = self.project(model)
        there = {*self.siblings(model), *project.sources}
        finished = {*contracts} - {_product(one, project) for one in _problems(project)}
        for name in project.settings.uncontracted:
            if name in finished or name not in there:
                said = "whose contract is finished" if name in finished else "which is not there"
                yield f"{where}: `uncontracted` names {name}, {said}: take it out of the list."
        for name in sorted(rule.name for rule in rules if rule.needed):
            if name in config.ignored_rules or not {"all", name} & config.rules:
                yield f"{where}: the rule {name} is not in force: write it under `linter: rules:`."
