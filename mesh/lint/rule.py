"""What the rules have in common: the contracts of a model's project, and findings as sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from sqlmesh.core.linter.rule import Rule, RuleViolation
from sqlmesh.core.model import Model

from mesh.contracts import Contract, usable_contracts
from mesh.environments.names import is_public, short_name
from mesh.project import Project, find_project, project_around

_last: dict[str, Any] = {}


class ContractRule(Rule):
    """Base of the rules: findings are sentences, one violation each.

    needed: without it a contract could be left out or bypassed without a word; else it is a good
    habit that a project which was there before need not have.
    """

    needed: ClassVar[bool] = True

    def project(self, model: Model) -> Project:
        """The project that a model lies in: SQLMesh can load several at once."""
        return project_around(Path(model._path or self.context.path)) or find_project()

    def has_time(self, model: Model, name: str) -> bool:
        """Whether the project says that this model or source has no finished contract yet."""
        return name in self.project(model).settings.uncontracted

    def is_product(self, model: Model) -> bool:
        """Whether others may rely on a model: a public one that has to have its contract."""
        name = short_name(model.fqn)
        return is_public(name) and not self.has_time(model, name)

    def findings(self, model: Model, contracts: dict[str, Contract]) -> Iterator[str]:
        raise NotImplementedError

    def check_model(self, model: Model) -> list[RuleViolation] | None:
        if model.kind.is_external:
            return None
        contracts = self._contracts(model)
        return [self.violation(text) for text in self.findings(model, contracts)] or None

    def _contracts(self, model: Model) -> dict[str, Contract]:
        """Read once for all rules of a model, which SQLMesh asks one after the other."""
        if _last.get("model") is not model:
            _last.update(model=model, contracts=usable_contracts(self.project(model).contracts))
        return _last["contracts"]

    def siblings(self, model: Model) -> dict[str, Model]:
        """The models of the same project by short name, sorted out once for all rules."""
        models = [*self.context.models.values()]
        if list(map(id, models)) != list(map(id, _last.get("models", ()))):
            projects: dict[Project, dict[str, Model]] = defaultdict(dict)
            for one in models:
                projects[self.project(one)][short_name(one.fqn)] = one
            _last.update(models=models, projects=projects)
        return _last["projects"][self.project(model)]

    def speaks(self, model: Model) -> bool:
        """Whether this model is the first that listens: there is told what is told once."""
        listening = (
            name
            for name, one in self.siblings(model).items()
            if not one.kind.is_external and not {"all", self.name} & one.ignored_rules
        )
        return short_name(model.fqn) == min(listening)


def header_of(model: Model) -> str:
    """The text of a MODEL block as it is written, without comments; empty if there is none."""
    path = Path(model._path or "")
    if path.suffix != ".sql" or not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line.partition("--")[0] for line in lines)
    return text.partition(";")[0] if "MODEL" in text.partition(";")[0].upper() else ""
