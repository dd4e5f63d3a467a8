# The parts are stricter than those of the published models, which Pydantic allows.
# mypy: disable-error-code="assignment"
"""The published ODCS models, made strict: no unknown key, no silent conversion of types.

Everything stays optional here, so that one missing value does not hide the next problem; what a
complete contract must have is asked for by the checks. Parts of the standard that no gate of ours
enforces are refused by name instead of being ignored, and never called misspelt: what is part of it
is asked of the published models and their schema.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Annotated, Any, Literal

import open_data_contract_standard.model as odcs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
)

from mesh.contracts.constraints import options
from mesh.contracts.findings import NOT_ENFORCED, odd_value
from mesh.contracts.types import DUCKDB_TYPES
from mesh.files.annotations import value_at
from mesh.files.problems import Problem, shown
from mesh.files.sentences import problems_of, refused
from mesh.files.tree import Steps, Tree
from mesh.project import moment


def _stable_id(value: str, info: ValidationInfo) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        message = f"`{info.field_name}` is `{shown(value)}`, which is no stable id."
        raise refused("NAME_INVALID", message, "Use letters, digits, `_` and `-` only.")
    return value


def _unsupported(fix: str) -> BeforeValidator:
    """What the standard allows and no gate enforces; fix: what to write instead."""

    def refuse(value: Any, info: ValidationInfo) -> None:
        if value is not None:
            raise refused("KEY_UNSUPPORTED", f"`{info.field_name}` {NOT_ENFORCED}.", fix)

    return BeforeValidator(refuse)


def _one_of(*known: str, of: str | None = None) -> AfterValidator:
    """Text that is one of those that some gate knows. of: where the standard lists all it knows."""
    listed = SCHEMA["$defs"][of]["properties"]["type"]["enum"] if of else None

    def check(value: str, info: ValidationInfo) -> str:
        if value in known:
            return value
        message, fix = odd_value(info.field_name or "", value, known, of=listed)
        raise refused("VALUE", message, fix)

    return AfterValidator(check)


def _version(value: str) -> str:
    """A version of the standard, in full or as `v3.1`."""
    listed = SCHEMA["properties"]["apiVersion"]["enum"]
    known = [version for version in listed if version.startswith("v3.")]
    if any(f"{version}.".startswith(f"{value}.") for version in known):
        return value
    message, fix = odd_value("apiVersion", value, known, of=listed)
    raise refused("VALUE", message, fix)


def _time(value: str, info: ValidationInfo) -> str:
    try:
        moment(value)
    except ValueError:
        message = f"`{info.field_name}` is `{shown(value)}`, which is no day and no time."
        raise refused("VALUE", message, "Write it as YYYY-MM-DD, or with a time.") from None
    return value


def _team(value: Any) -> Any:
    if isinstance(value, list):
        message = "`team` is a list of people, as the standard had it before v3.1."
        fix = "Write the `name` of the team, and the people under its `members`."
        raise refused("VALUE_WRONG_TYPE", message, fix)
    return value


def _physical_type(value: Any) -> Any:
    if not isinstance(value, str):
        return value  # Validators before the type see anything, also what cannot be looked up.
    return value.upper() if value.upper() in DUCKDB_TYPES else value


SCHEMA = json.loads(odcs.OpenDataContractStandard.json_schema())
StableId = Annotated[str, AfterValidator(_stable_id)]
Unsupported = Annotated[None, _unsupported("Leave it out, or say it in the description.")]
Relationships = Annotated[
    None, _unsupported("Write a rule of type `sql` that looks the key up in the other product.")
]
Time = Annotated[str, AfterValidator(_time)]
Scalar = str | int | float | bool
Dimension = Literal[
    "accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CustomProperty(_Strict, odcs.CustomProperty):
    id: StableId | None = None


class AuthoritativeDefinition(_Strict, odcs.AuthoritativeDefinition):
    """As the standard has it."""


class _Described(_Strict):
    customProperties: list[CustomProperty] | None = None
    authoritativeDefinitions: list[AuthoritativeDefinition] | None = None


class EnumValue(_Described, odcs.EnumValue):
    id: StableId | None = None
    value: Scalar | None = None


_OF_TYPES = [
    part["then"]["properties"].get("logicalTypeOptions", {}).get("properties", {})
    for part in SCHEMA["$defs"]["SchemaBaseProperty"]["allOf"]
    if "then" in part
]
_KEYS: dict[str, Any] = {key: (Unsupported, None) for keys in _OF_TYPES for key in keys}
_KEYS |= {key: (option.type | None, None) for key, option in options().items()}
_Options: Any = create_model("_Options", __base__=_Strict, **_KEYS)


class TypeOptions(_Options):
    """The keys that some kind of promise reads; the others of the standard are refused."""


class Quality(_Described, odcs.DataQuality):
    id: StableId | None = None
    type: Annotated[str, _one_of("library", "sql", "custom", of="DataQuality")] | None = None
    dimension: Dimension | None = None
    severity: Annotated[str, _one_of("error", "warning")] | None = None
    mustBe: Scalar | None = None


class ColumnObject(_Described, odcs.SchemaProperty):
    id: StableId | None = None
    physicalType: Annotated[str | None, BeforeValidator(_physical_type)] = None
    logicalTypeOptions: TypeOptions | None = None
    enum: list[EnumValue] | None = None
    examples: list[Scalar] | None = None
    quality: Annotated[
        None,
        _unsupported(
            "Write the rule under `quality` of the table, or as enum or logicalTypeOptions."
        ),
    ] = None
    relationships: Relationships = None
    synonyms: Unsupported = None
    properties: Annotated[
        None, _unsupported("Nested columns cannot be read by BI tools: write one column each.")
    ] = None
    items: Annotated[
        None, _unsupported("Arrays cannot be read by BI tools: join the values to text.")
    ] = None
    map: Annotated[
        None, _unsupported("Maps cannot be read by BI tools: write one column each.")
    ] = None


class TableObject(_Described, odcs.SchemaObject):
    id: StableId | None = None
    physicalType: Annotated[str, _one_of("table", "view")] | None = None
    properties: list[ColumnObject] | None = None
    quality: list[Quality] | None = None
    relationships: Relationships = None
    synonyms: Unsupported = None
    context: Unsupported = None


class Description(_Described, odcs.Description):
    """As the standard has it."""


class ServiceLevelObject(_Described, odcs.ServiceLevelAgreementProperty):
    id: StableId | None = None
    value: Scalar | None = None


class TeamMember(_Described, odcs.TeamMember):
    dateIn: Time | None = None
    dateOut: Time | None = None


class Team(_Described, odcs.Team):
    members: list[TeamMember] | None = None


class SupportObject(_Strict, odcs.Support):
    customProperties: list[CustomProperty] | None = None


class RoleObject(_Strict, odcs.Role):
    access: Annotated[str, _one_of("read")] | None = None
    customProperties: list[CustomProperty] | None = None


class ServerObject(_Strict, odcs.Server):
    type: Annotated[str, _one_of("duckdb", "bigquery", of="Server")] | None = None
    roles: Unsupported = None
    customProperties: list[CustomProperty] | None = None


class Document(_Described, odcs.OpenDataContractStandard):
    """A contract file as the standard sees it; `schema` holds exactly one table."""

    apiVersion: Annotated[str, AfterValidator(_version)] | None = None
    kind: Literal["DataContract"] | None = None
    contractCreatedTs: Time | None = None
    description: Description | None = None
    servers: list[ServerObject] | None = None
    schema_: list[TableObject] | None = Field(default=None, alias="schema")
    support: list[SupportObject] | None = None
    team: Annotated[Team | None, BeforeValidator(_team)] = None
    roles: list[RoleObject] | None = None
    slaProperties: list[ServiceLevelObject] | None = None
    price: Unsupported = None
    context: Unsupported = None
    slaDefaultElement: Annotated[None, _unsupported("Write `element` at each service level.")] = (
        None
    )
    dataProduct: Annotated[
        None,
        _unsupported("The standard has given it up: `domain` and `name` name the product."),
    ] = None


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
            data = deepcopy(data)
            for (steps, _), found in problems_of(error, tree, Document).items():
                problems.setdefault((steps, found.message), found)
                _leave_out(data, steps)
    return Document(), list(problems.values())


def _leave_out(data: Any, steps: Steps) -> None:
    """Take the value at these steps out; an item of a list becomes empty, so that none moves."""
    here = value_at(data, steps[:-1])
    if isinstance(here, dict):
        here.pop(steps[-1], None)
    elif isinstance(here, list) and isinstance(steps[-1], int):
        here[steps[-1]] = "" if not isinstance(here[steps[-1]], dict) and _of_text(steps) else {}


def _of_text(steps: Steps) -> bool:
    return len(steps) > 1 and steps[-2] in ("tags", "examples", "mustBeBetween")
