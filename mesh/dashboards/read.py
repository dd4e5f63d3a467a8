"""From YAML to dashboards: every problem with the file and its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mesh.dashboards import spec
from mesh.errors import CheckFailed, Location, WrongUse
from mesh.files.problems import ContractInvalid, Problem, display, shown, suggestion
from mesh.files.tree import Steps, Tree, read_tree
from mesh.settings import PROJECT_ROOT

SPECS = PROJECT_ROOT / "looker"
_MODELS = {
    "pie": spec.Pie,
    "donut": spec.Pie,
    "bar": spec.Bar,
    "scorecard": spec.Scorecard,
    "table": spec.Table,
}
_KIND = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(frozen=True)
class Loaded:
    """A dashboard with the tree it was read from, which knows the lines."""

    dashboard: spec.Dashboard
    tree: Tree


class DashboardInvalid(CheckFailed):
    """A spec that cannot be relied on; `problems` holds all that was found."""

    def __init__(self, problems: list[Problem]):
        self.problems = tuple(sorted(set(problems)))
        first = self.problems[0]
        more = len(self.problems) - 1
        fix = first.fix
        if more:
            are = "is" if more == 1 else "are"
            fix += f" There {are} {more} more: run `mesh dashboards check`."
        super().__init__(first.message, where=first.where, fix=fix)


def spec_paths(root: Path = SPECS) -> list[Path]:
    """The spec files in a folder, sorted; WrongUse when there is no such folder, or no spec."""
    paths = sorted(root.glob("*.yaml")) if root.is_dir() else []
    if not paths:
        raise WrongUse(
            "There are no dashboards here.",
            where=Location(display(root)),
            fix="Write one as <dashboard>.yaml, or name the folder that holds them.",
        )
    return paths


def read_spec(path: Path) -> tuple[Loaded | None, list[Problem]]:
    """One spec, or None with what is wrong with its keys and types."""
    try:
        tree = read_tree(path)
    except ContractInvalid as error:
        return None, [_reworded(problem) for problem in error.problems]
    problems = list(tree.problems)
    try:
        dashboard = spec.Dashboard.model_validate(tree.data)
    except ValidationError as error:
        seen: set[tuple[Steps, str]] = set()
        for details in error.errors(include_url=False):
            steps, missing = _steps(details["loc"], tree.data)
            found = _problem(tree, steps, missing, details)
            if (steps, found.message) not in seen:
                seen.add((steps, found.message))
                problems.append(found)
        return None, problems
    if dashboard.id != path.stem:
        message = f"The id is `{shown(dashboard.id)}`, but the file is {shown(path.name)}."
        problems.append(
            Problem(path, tree.line(("id",)), "ID", message, f"Write `id: {shown(path.stem)}`.")
        )
    return Loaded(dashboard, tree), problems


def load_dashboards(root: Path = SPECS) -> list[Loaded]:
    """All dashboards of a folder. Raises DashboardInvalid when a spec cannot be read."""
    loaded, problems = [], []
    for path in spec_paths(root):
        found, wrong = read_spec(path)
        problems += wrong
        if found:
            loaded.append(found)
    if problems:
        raise DashboardInvalid(problems)
    return loaded


def _reworded(problem: Problem) -> Problem:
    fix = problem.fix
    for before, after in (
        ("Write a contract, or delete the file.", "Write a dashboard, or delete the file."),
        (
            "Begin with `apiVersion: v3.2.0` and the other keys of a contract.",
            "Begin with `id`, `title` and the other keys of a dashboard.",
        ),
        ("A contract is a short text.", "A dashboard is a short text."),
        ("Write the contract as YAML text.", "Write the dashboard as YAML text."),
        ("Write one contract per file.", "Write one dashboard per file."),
    ):
        fix = fix.replace(before, after)
    return Problem(problem.path, problem.line, problem.rule, problem.message, fix)


def _steps(loc: tuple[str | int, ...], data: Any) -> tuple[Steps, str | None]:
    """The steps in the file of a place in the model, and the key that is missing there, if any."""
    steps: list[str | int] = []
    here = data
    rest = list(loc)
    while rest:
        step = rest.pop(0)
        inside = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if inside or (isinstance(here, dict) and step in here):
            here = here[step]
            steps.append(step)
        elif step in spec.CHART_KINDS and len(steps) == 2 and steps[0] == "charts":
            continue
        else:
            return tuple(steps), str(step)
    return tuple(steps), None


def _problem(tree: Tree, steps: Steps, missing: str | None, details: Any) -> Problem:
    line, kind = tree.line(steps), details["type"]
    name = next((str(step) for step in reversed(steps) if isinstance(step, str)), "the file")

    def problem(rule: str, message: str, fix: str) -> Problem:
        return Problem(tree.path, line, rule, message, fix)

    if kind == "extra_forbidden":
        known = list(_keys(tree, steps[:-1]))
        return problem(
            "KEY_UNKNOWN", f"There is no key `{shown(name)}` here.", suggestion(name, known)
        )
    if kind == "missing":
        place = f"`{shown(name)}`" if steps else "the dashboard"
        return problem("KEY_MISSING", f"`{missing}` is missing in {place}.", "Add it.")
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        found = details["input"].get("kind") if isinstance(details["input"], dict) else None
        line = tree.line((*steps, "kind"))
        message = f"`{shown(found)}` is no kind of chart." if found else "The chart has no kind."
        return problem("CHART_KIND", message, suggestion(str(found), spec.CHART_KINDS))
    value = shown(details["input"])
    if kind == "literal_error":
        words = details["ctx"]["expected"].replace(" or ", ", ").split(", ")
        options = [word.strip("'") for word in words]
        return problem("VALUE", f"`{shown(name)}` cannot be `{value}`.", suggestion(value, options))
    if kind == "string_pattern_mismatch":
        message = f"`{shown(name)}` is `{value}`, which does not have the form it must have."
        return problem("VALUE", message, f"It must match `{details['ctx']['pattern']}`.")
    if kind in _KIND:
        message = f"`{shown(name)}` must be {_KIND[kind]}, not `{value}`."
        return problem("VALUE", message, f"Write {_KIND[kind]}.")
    text = details["msg"].replace("Input should be", "It must be")
    return problem("VALUE", f"`{shown(name)}` is `{value}`.", text.rstrip(".") + ".")


def _keys(tree: Tree, steps: Steps) -> Iterator[str]:
    """The keys that may stand at these steps."""
    model: Any = spec.Dashboard
    here: Any = tree.data
    for step in steps:
        here = here[step]
        if isinstance(step, int):
            if steps[0] == "charts" and isinstance(here, dict) and here.get("kind") in _MODELS:
                model = _MODELS[here["kind"]] if model is None else model
            continue
        if model is None:
            return
        field = model.model_fields.get(step) if isinstance(model, type) else None
        if field is None:
            continue
        model = None if step == "charts" else _model_in(field.annotation)
    if isinstance(model, type):
        yield from model.model_fields


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found:
            return found
    return None
