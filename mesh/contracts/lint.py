"""`mesh contracts lint`: every problem of every contract in one run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mesh.contracts.checks_rules import check_references, check_sql
from mesh.contracts.circles import check_circles, rule_references
from mesh.contracts.draft import SUFFIX, Draft, product_of, read_drafts
from mesh.contracts.load import CONTRACTS, quick_checks
from mesh.contracts.patterns import complaint, matches, refused_by_engine
from mesh.errors import Location, WrongUse
from mesh.files.problems import Problem, shown
from mesh.files.tree import Steps
from mesh.project import display

# The levels of reviews lie beside the contracts; the command has them checked by their owner.
REVIEW = "review.yaml"


@dataclass(frozen=True)
class LintResult:
    """files: how many contracts were looked at; problems: sorted by file and line."""

    files: int
    problems: tuple[Problem, ...]


def lint(paths: list[Path]) -> LintResult:
    """Look at contracts: files, or folders with <domain>/<product>.odcs.yaml in them.

    Products that a rule refers to are looked for in the same tree, beside the domain's folder.
    Raises WrongUse when a path is not there.
    """
    files, problems = _files(paths)
    around = [path for path in _neighbours(files) if path not in files]
    drafts, unreadable = read_drafts(files)
    problems += unreadable
    others, _ = read_drafts(around)
    everything = {draft.product: draft for draft in (*others.values(), *drafts.values())}
    schema = {product: draft.column_types() for product, draft in everything.items()}
    # What cannot be read at all has its own problem; those who refer to it are not blamed.
    lost = {product_of(path) for path in (*files, *around)} - set(everything)
    rule_ids = {
        product: {rule.id for _, rule in draft.rules() if rule.id}
        for product, draft in everything.items()
    }
    for draft in drafts.values():
        own = [*draft.found, *quick_checks(draft)]
        own += check_sql(draft, schema, lost)
        own += check_references(draft, rule_ids, lost)
        own += _patterns(draft)
        own += _standard(draft, own)
        problems += own
    graph = {product: rule_references(draft) for product, draft in everything.items()}
    for product, draft in everything.items():
        if draft.path in drafts:
            problems += check_circles(draft, product, graph)
    return LintResult(len(files), tuple(sorted(set(problems))))


def _files(paths: list[Path]) -> tuple[list[Path], list[Problem]]:
    files: list[Path] = []
    problems: list[Problem] = []
    for path in paths or [CONTRACTS]:
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if not found.is_file() or found.name.startswith("."):
                    continue
                if found.name.endswith(SUFFIX):
                    files.append(found)
                elif found.name == REVIEW and found.parent == path:
                    continue
                elif found.suffix.lower() in (".yaml", ".yml"):
                    problems.append(_stray(found))
        elif path.is_file():
            files.append(path)
        else:
            raise WrongUse(
                "There is no such file or folder.",
                where=Location(display(path)),
                fix="Name contracts, or folders that hold them.",
            )
    return list(dict.fromkeys(files)), problems


def _stray(path: Path) -> Problem:
    message = f"`{shown(path.name)}` is not read by anything here."
    return Problem(path, 1, "FILE_NAME", message, f"Call it <product>{SUFFIX}, or move it away.")


def _neighbours(files: list[Path]) -> list[Path]:
    """The contracts of all domains beside those of these files."""
    roots = dict.fromkeys(path.resolve().parent.parent for path in files)
    return [found for root in roots for found in sorted(root.glob(f"*/*{SUFFIX}"))]


def _patterns(draft: Draft) -> Iterator[Problem]:
    """Try each pattern in a real engine, and the column's values against it."""
    for here, column in draft.columns():
        pattern = column.logicalTypeOptions and column.logicalTypeOptions.pattern
        if not pattern or complaint(pattern):
            continue
        refused = refused_by_engine(pattern)
        if refused:
            steps = (*here, "logicalTypeOptions", "pattern")
            fix = "Write it in the syntax of RE2."
            yield draft.problem(steps, "PATTERN", f"The pattern {refused}.", fix)
            continue
        values: list[tuple[Steps, str, str]] = [
            ((*here, "examples", i), "EXAMPLE", e)
            for i, e in enumerate(column.examples or [])
            if isinstance(e, str)
        ]
        values += [
            ((*here, "enum", i, "value"), "ENUM", e.value)
            for i, e in enumerate(column.enum or [])
            if isinstance(e.value, str)
        ]
        found = matches(pattern, tuple(value for _, _, value in values))
        for (steps, rule, value), fits in zip(values, found, strict=True):
            if not fits:
                message = f"`{shown(value)}` does not match the pattern of its column."
                yield draft.problem(steps, rule, message, "Correct the value or the pattern.")


@lru_cache(maxsize=1)
def _validator() -> Any:
    from jsonschema import validators
    from open_data_contract_standard.model import OpenDataContractStandard

    schema = json.loads(OpenDataContractStandard.json_schema())
    return validators.validator_for(schema)(schema)


def _standard(draft: Draft, known: list[Problem]) -> Iterator[Problem]:
    """What the published JSON schema finds at places where nothing else was found."""
    lines = {problem.line for problem in known}
    for error in _validator().iter_errors(draft.tree.data):
        steps: Steps = tuple(error.absolute_path)
        line = draft.tree.line(steps)
        inside = {
            at
            for place, at in draft.tree.lines.items()
            if place[: len(steps)] == steps and (steps or not known)
        }
        if line in lines or inside & lines or (not steps and known):
            continue
        message = f"The standard refuses this: {shown(error.message, 160)}."
        yield draft.problem(steps, "STANDARD", message, "See the Open Data Contract Standard.")
