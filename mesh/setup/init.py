"""What a SQLMesh project needs before `@contract(product)` means something in its models."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from mesh.contracts import usable_contracts
from mesh.contracts.follow import drafting
from mesh.environments.names import is_public
from mesh.errors import Location, WrongUse
from mesh.project import SET_UP, Project
from mesh.prove.project import open_for_bigquery
from mesh.setup.config import LISTS, completed, with_mesh

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Change:
    """A file as it is (None: not there) and as it has to be."""

    path: Path
    before: str | None
    after: str

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def difference(self) -> str:
        """The changed lines, as `diff -u` shows them."""
        before = (self.before or "").splitlines(keepends=True)
        lines = difflib.unified_diff(before, self.after.splitlines(keepends=True), n=1)
        return "".join(lines).partition("\n@@")[2].partition("\n")[2].rstrip()


def needed(project: Project) -> list[Change]:
    """The changes that set a project up; none when it is. Nothing is written.

    A configuration in Python is left as it is: see `in_python`. WrongUse for a dialect in which no
    contract can be kept.
    """
    _check_dialect(project)
    found = [
        _change(project.root / template.relative_to(TEMPLATES), template.read_text("utf-8"))
        for template in sorted(TEMPLATES.rglob("*.*"))
        if template.suffix in (".py", ".sql")
    ]
    if project.config.suffix != ".py":
        text = project.config.read_text(encoding="utf-8")
        after = with_mesh(text, project.config, _settings(project))
        found.append(_change(project.config, after))
    return [change for change in found if change.before != change.after]


def _settings(project: Project) -> dict[str, object]:
    """What the variable `mesh` has to say: of a project that is set up for the first time, which
    of its models and sources have no contract yet. Else no plan would pass before all have one.
    """
    if project.settings.version is not None:
        return {"version": SET_UP}
    # In its own terms: no warehouse is asked.
    with drafting():
        models = open_for_bigquery(project).models
    public = {n for n, one in models.items() if is_public(n) and not one.kind.is_embedded}
    known = usable_contracts(project.contracts)
    waiting = sorted((public | {*project.sources}) - {*known})
    if not waiting or "uncontracted" in project.stated("variables", "mesh"):
        return {"version": SET_UP}
    return {"version": SET_UP, "uncontracted": waiting}


def _check_dialect(project: Project) -> None:
    from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

    dialect = project.stated("model_defaults").get("dialect")
    try:
        strategy = Dialect.get_or_raise(dialect).normalization_strategy
    except ValueError:
        return  # SQLMesh knows no such dialect either, and says so.
    if strategy is NormalizationStrategy.UPPERCASE:
        raise WrongUse(
            f"names are written in capitals in the dialect {dialect}, and contracts state them in "
            "small letters.",
            where=Location(project.shown(project.config)),
            fix=f"Let SQLMesh write them small, too, and plan again: `model_defaults: dialect: "
            f"{dialect}, normalization_strategy=lowercase`.",
        )


def in_python(project: Project) -> str:
    """The arguments that the `Config` of a configuration in Python has to be given, with what it
    gives them already; empty if it is one in YAML, or says them already.
    """
    if project.config.suffix != ".py":
        return ""
    arguments = []
    linter = project.stated("linter")
    stated = {key: sorted(linter.get(key) or ()) for key in LISTS}
    is_on = bool(linter.get("enabled"))
    lists = completed(stated, is_on=is_on)
    if lists != stated or not is_on:
        told = "".join(_listed(key, names) for key, names in lists.items() if names)
        arguments.append(f"linter=LinterConfig(\n    enabled=True,\n{told}),")
    if project.settings.version != SET_UP:
        others = any(name != "mesh" for name in project.stated("variables"))
        own = {**project.stated("variables", "mesh"), **_settings(project)}
        beside = "    # beside the variables that are there\n" if others else ""
        arguments.append(f'variables={{\n{beside}    "mesh": {own!r},\n}},')
    return "\n".join(arguments)


def _listed(key: str, rules: list[str]) -> str:
    lines = "".join(f'        "{rule}",\n' for rule in rules)
    return f"    {key}=[\n{lines}    ],\n"


def _change(path: Path, after: str) -> Change:
    """Lines end as they did."""
    if not path.exists():
        return Change(path, None, after)
    before = path.read_bytes().decode()
    return Change(path, before, after.replace("\n", "\r\n") if "\r\n" in before else after)


def apply(changes: list[Change]) -> None:
    """Write the files."""
    for change in changes:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        change.path.write_bytes(change.after.encode())
