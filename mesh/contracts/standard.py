# The parts are stricter than those of the published models, which Pydantic allows.
# mypy: disable-error-code="assignment"
"""The published ODCS models, made strict: no unknown key, no silent conversion of types.

Everything stays optional here, so that one missing value does not hide the next problem; what a
complete contract must have is asked for by the checks. Parts of the standard that no gate of ours
enforces are refused by name instead of being ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import open_data_contract_standard.model as odcs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from mesh.contracts.constraints import options
from mesh.files.problems import Problem, shown, suggestion
from mesh.files.tree import Steps, Tree

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
StableId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
Scalar = str | int | float | bool
Dimension = Literal[
    "accuracy",
    "completeness",
    "conformity",
    "consistency",
    "coverage",
    "timeliness",
    "uniqueness",
]
Severity = Literal["error", "warning"]


class CustomProperty(odcs.CustomProperty):
    model_config = STRICT
    id: StableId | None = None


class AuthoritativeDefinition(odcs.AuthoritativeDefinition):
    model_config = STRICT


class _Described(BaseModel):
    customProperties: list[CustomProperty] | None = None
    authoritativeDefinitions: list[AuthoritativeDefinition] | None = None


class EnumValue(_Described, odcs.EnumValue):
    model_config = STRICT
    id: StableId | None = None
    value: Scalar | None = None


_KEYS: dict[str, Any] = {key: (option.type | None, None) for key, option in options().items()}
_Options: Any = create_model("_Options", **_KEYS)


class TypeOptions(_Options):
    """The keys that some kind of promise reads."""

    model_config = STRICT


class Quality(_Described, odcs.DataQuality):
    model_config = STRICT
    id: StableId | None = None
    type: Literal["library", "sql"] | None = None
    dimension: Dimension | None = None
    severity: Severity | None = None
    mustBe: Scalar | None = None


class ColumnObject(_Described, odcs.SchemaProperty):
    model_config = STRICT
    id: StableId | None = None
    logicalTypeOptions: TypeOptions | None = None
    enum: list[EnumValue] | None = None
    examples: list[Scalar] | None = None
    quality: None = None
    relationships: None = None
    synonyms: None = None
    properties: None = None
    items: None = None
    map: None = None


class TableObject(_Described, odcs.SchemaObject):
    model_config = STRICT
    id: StableId | None = None
    physicalType: Literal["table", "view"] | None = None
    properties: list[ColumnObject] | None = None
    quality: list[Quality] | None = None
    relationships: None = None
    synonyms: None = None
    context: None = None


class Description(_Described, odcs.Description):
    model_config = STRICT


class ServiceLevelObject(_Described, odcs.ServiceLevelAgreementProperty):
    model_config = STRICT
    id: StableId | None = None
    value: Scalar | None = None


class TeamMember(_Described, odcs.TeamMember):
    model_config = STRICT


class Team(_Described, odcs.Team):
    model_config = STRICT
    members: list[TeamMember] | None = None


class SupportObject(odcs.Support):
    model_config = STRICT
    customProperties: list[CustomProperty] | None = None


class RoleObject(odcs.Role):
    model_config = STRICT
    access: Literal["read"] | None = None
    customProperties: list[CustomProperty] | None = None


class ServerObject(odcs.Server):
    model_config = STRICT
    type: Literal["duckdb", "bigquery"] | None = None
    roles: None = None
    customProperties: list[CustomProperty] | None = None


class Document(_Described, odcs.OpenDataContractStandard):
    """A contract file as the standard sees it; `schema` holds exactly one table."""

    model_config = STRICT
    apiVersion: Literal["v3.1.0", "v3.2.0"] | None = None
    kind: Literal["DataContract"] | None = None
    description: Description | None = None
    servers: list[ServerObject] | None = None
    schema_: list[TableObject] | None = Field(default=None, alias="schema")
    support: list[SupportObject] | None = None
    team: Team | None = None
    roles: list[RoleObject] | None = None
    slaProperties: list[ServiceLevelObject] | None = None
    price: None = None
    context: None = None
    slaDefaultElement: None = None
    dataProduct: None = None


_UNSUPPORTED = {
    "quality": "Write the rule under `quality` of the table, or as enum or logicalTypeOptions.",
    "relationships": "Write a rule of type `sql` that looks the key up in the other product.",
    "properties": "Nested columns cannot be read by BI tools: write one column each.",
    "items": "Arrays cannot be read by BI tools: join the values to text.",
    "map": "Maps cannot be read by BI tools: write one column each.",
    "slaDefaultElement": "Write `element` at each service level.",
    "dataProduct": "The standard has given it up: `domain` and `name` name the product.",
}
_KIND = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def read_document(tree: Tree) -> tuple[Document, list[Problem]]:
    """The document of a tree and all that is wrong with its keys and types.

    Whatever is wrong is left out of the document, so that the rest of it can still be checked.
    """
    problems: dict[tuple[Steps, str], Problem] = {}
    data: Any = tree.data
    for _ in range(8):
        try:
            return Document.model_validate(data), list(problems.values())
        except ValidationError as error:
            data = _copy(data)
            for steps, details in _by_place(error.errors(include_url=False), tree.data).items():
                found = _problem(tree, steps, details)
                problems.setdefault((steps, found.message), found)
                _leave_out(data, steps)
    return Document(), list(problems.values())


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data


def _by_place(errors: Iterable[ErrorDetails], data: Any) -> dict[Steps, list[ErrorDetails]]:
    """The errors by the place in the file: a union reports one error for each of its members."""
    places: dict[Steps, list[ErrorDetails]] = {}
    for error in errors:
        steps: list[str | int] = []
        here = data
        for step in error["loc"]:
            in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
            if not in_list and not (isinstance(here, dict) and step in here):
                break
            here = here[step]
            steps.append(step)
        places.setdefault(tuple(steps), []).append(error)
    return places


def _leave_out(data: Any, steps: Steps) -> None:
    """Take the value at these steps out; an item of a list becomes empty, so that none moves."""
    here = data
    for step in steps[:-1]:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(here, dict):
        here.pop(steps[-1], None)
    elif isinstance(here, list) and isinstance(steps[-1], int):
        here[steps[-1]] = "" if not isinstance(here[steps[-1]], dict) and _of_text(steps) else {}


def _of_text(steps: Steps) -> bool:
    return len(steps) > 1 and steps[-2] in ("tags", "examples", "mustBeBetween")


def _problem(tree: Tree, steps: Steps, errors: list[ErrorDetails]) -> Problem:
    line = tree.line(steps)
    error = errors[0]
    name = next((str(step) for step in reversed(steps) if isinstance(step, str)), "the file")
    if error["type"] == "extra_forbidden":
        known = _known_keys(steps[:-1])
        return Problem(
            tree.path,
            line,
            "KEY_UNKNOWN",
            f"There is no key `{shown(name)}` here.",
            suggestion(name, known),
        )
    if error["type"] == "none_required":
        fix = _UNSUPPORTED.get(name, "Leave it out, or say it in the description.")
        message = f"`{shown(name)}` is not enforced by any gate, so a contract may not use it."
        return Problem(tree.path, line, "KEY_UNSUPPORTED", message, fix)
    value = shown(error["input"])
    if error["type"] == "literal_error":
        expected = (error.get("ctx") or {}).get("expected", "")
        options = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
        fix = suggestion(value, options)
        message = f"`{shown(name)}` cannot be `{value}`."
        return Problem(tree.path, line, "VALUE_WRONG_TYPE", message, fix)
    if error["type"] == "string_pattern_mismatch":
        message = f"`{shown(name)}` is `{value}`, which is no stable id."
        fix = "Use letters, digits, `_` and `-` only."
        return Problem(tree.path, line, "NAME_INVALID", message, fix)
    kinds = list(dict.fromkeys(_KIND[e["type"]] for e in errors if e["type"] in _KIND))
    expected = " or ".join(kinds) or error["msg"].lower()
    message = f"`{shown(name)}` must be {expected}, not {_kind_of(error['input'])} `{value}`."
    fix = "Write true or false." if expected == "true or false" else f"Write {expected}."
    if expected == "text":
        fix = "Put it into quotes, if it is meant as text."
    return Problem(tree.path, line, "VALUE_WRONG_TYPE", message, fix)


def _kind_of(value: Any) -> str:
    if value is None:
        return "empty"
    names = {
        bool: "the truth value",
        int: "the number",
        float: "the number",
        str: "the text",
        list: "the list",
        dict: "the mapping",
    }
    return names.get(type(value), "the value")


def _known_keys(steps: Steps) -> list[str]:
    """The keys that a strict model knows at these steps."""
    model: type[BaseModel] | None = Document
    for step in steps:
        if isinstance(step, int) or model is None:
            continue
        field = next(
            (f for name, f in model.model_fields.items() if (f.alias or name) == step), None
        )
        model = _model_in(field.annotation) if field else None
    if model is None:
        return []
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if field.annotation is not type(None)
    ]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found:
            return found
    return None
