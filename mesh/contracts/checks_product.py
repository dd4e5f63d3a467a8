"""What is asked of a contract as a whole: names, version, service levels, people."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from mesh.contracts.draft import LEVELS, SUFFIX, Draft
from mesh.contracts.standard import ServiceLevelObject
from mesh.files.problems import Problem, shown, suggestion
from mesh.files.tree import Steps

STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,99}")
VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")
_MAJOR = re.compile(r"_v(\d+)$")
UNITS = ("h", "d", "w", "month", "y")
LEVEL_PROPERTIES = (
    "availability",
    "completeness",
    "endOfLife",
    "endOfSupport",
    "errorRate",
    "freshness",
    "frequency",
    "generalAvailability",
    "latency",
    "retention",
    "timeToDetect",
    "timeToNotify",
    "timeToRepair",
)
MEASURED_BY = "measuredBy"


def check_product(draft: Draft) -> Iterator[Problem]:
    yield from _there(draft)
    yield from _names(draft)
    yield from _version(draft)
    yield from _service_levels(draft)
    yield from _people(draft)


def _there(draft: Draft) -> Iterator[Problem]:
    top = "The contract"
    for key, fix in (
        ("apiVersion", "Write `apiVersion: v3.2.0`."),
        ("kind", "Write `kind: DataContract`."),
        ("id", f"Write `id: {draft.product}`."),
        ("name", f"Write `name: {draft.file_name}`."),
        ("version", "Write `version: 1.0.0` for a new product."),
        ("status", "Write `status: active`, or one of: " + ", ".join(STATUSES) + "."),
        ("domain", f"Write `domain: {draft.folder}`."),
        ("description", "Say purpose, usage and limitations."),
        ("servers", "Say where the product lies: one server of type duckdb, one of bigquery."),
        ("schema", "Describe the table and its columns."),
        ("team", "Name the team that owns the product."),
        ("support", "Say where to ask."),
        ("roles", "Say who may read."),
        ("slaProperties", "State freshness, completeness and retention."),
    ):
        yield from draft.missing((), key, top, fix)
    if draft.document.description:
        for key, fix in (
            ("purpose", "Say what the product is for."),
            ("usage", "Say how to use it."),
            ("limitations", "Say what it cannot be used for."),
        ):
            yield from draft.missing(("description",), key, "The description", fix)
    if draft.document.team:
        yield from draft.missing(("team",), "name", "The team", "Name the team.")
    for index, _ in enumerate(draft.document.support or []):
        fix = "Name the channel."
        yield from draft.missing(("support", index), "channel", "The support", fix)
    tables = draft.document.schema_ or []
    if len(tables) > 1:
        fix = "Write one contract for each table."
        message = f"The contract describes {len(tables)} tables."
        yield draft.problem(("schema", 1), "NAME_DISAGREES", message, fix)
    if tables:
        here: Steps = ("schema", 0)
        for key, fix in (
            ("id", f"Write `id: {draft.file_name}`."),
            ("name", f"Write `name: {draft.file_name}`."),
            ("physicalType", "Write `table` or `view`."),
            ("dataGranularityDescription", "Say what one row is: `One row per …`."),
            ("properties", "Describe the columns."),
        ):
            yield from draft.missing(here, key, "The table", fix)


def _names(draft: Draft) -> Iterator[Problem]:
    document, table = draft.document, draft.table
    places: list[tuple[Steps, str | None, str]] = [
        (("name",), document.name, draft.file_name),
        (("domain",), document.domain, draft.folder),
        (("id",), document.id, draft.product),
        (("schema", 0, "name"), table.name if table else None, draft.file_name),
    ]
    for steps, value, expected in places:
        if value is None:
            continue
        words = value.split(".") if steps == ("id",) else [value]
        if not all(IDENTIFIER.fullmatch(word) for word in words):
            message = f"The {steps[-1]} `{shown(value)}` is no plain identifier."
            fix = "Use small letters, digits and `_`, and begin with a letter."
            yield draft.problem(steps, "NAME_INVALID", message, fix)
        elif value != expected:
            message = (
                f"The {steps[-1]} is `{shown(value)}`, but the file is "
                f"{shown(draft.folder)}/{shown(draft.path.name)}."
            )
            yield draft.problem(steps, "NAME_DISAGREES", message, f"Write `{shown(expected)}`.")
    if not IDENTIFIER.fullmatch(draft.file_name) or not draft.path.name.endswith(SUFFIX):
        message = f"`{shown(draft.path.name)}` is no name for a contract."
        fix = f"Call it <product>{SUFFIX}, in small letters, digits and `_`."
        yield draft.problem((), "FILE_NAME", message, fix)
    servers: set[str] = set()
    for index, server in enumerate(document.servers or []):
        here: Steps = ("servers", index)
        if server.server in servers:
            message = f"The server `{shown(server.server)}` stands twice."
            yield draft.problem((*here, "server"), "ID_DUPLICATE", message, "Keep one of them.")
        servers.add(server.server or "")
        yield from draft.missing(here, "server", "The server", "Give it a name.")
        yield from draft.missing(here, "type", "The server", "Write `duckdb` or `bigquery`.")
        key, value = (
            ("schema", server.schema_) if server.type == "duckdb" else ("dataset", server.dataset)
        )
        if server.type and value != draft.folder:
            message = f"The {key} of the server is `{shown(value)}`, not the domain."
            at = (*here, key) if draft.stated((*here, key)) else here
            yield draft.problem(at, "NAME_DISAGREES", message, f"Write `{key}: {draft.folder}`.")


def _version(draft: Draft) -> Iterator[Problem]:
    document = draft.document
    major = None
    if document.version is not None:
        match = VERSION.fullmatch(document.version)
        if match is None:
            message = f"`{shown(document.version)}` is no semantic version."
            fix = "Write three numbers, such as 1.0.0: breaking change, addition, correction."
            yield draft.problem(("version",), "VERSION", message, fix)
        else:
            major = int(match.group(1))
    suffix = _MAJOR.search(draft.file_name)
    if major is not None:
        named = int(suffix.group(1)) if suffix else 1
        if major != named or (suffix and named < 2):
            base = _MAJOR.sub("", draft.file_name)
            right = base if major < 2 else f"{base}_v{major}"
            message = f"Version {document.version} does not go with `{draft.file_name}`."
            if major == 0:
                fix = "Begin with version 1.0.0, and use the status for what is not ready."
            else:
                fix = f"Call the product `{right}`, or correct the version."
            if right != draft.file_name or major == 0:
                yield draft.problem(("version",), "NAME_DISAGREES", message, fix)
    status = document.status
    if status is not None and status not in STATUSES:
        message = f"`{shown(status)}` is no status."
        yield draft.problem(("status",), "STATUS", message, suggestion(status, STATUSES))
    ends = [level for level in document.slaProperties or [] if level.property == "endOfLife"]
    if status == "deprecated" and not ends:
        message = "The version is deprecated, but nobody knows until when it stays."
        fix = "Add a service level `property: endOfLife` with a date as its value."
        yield draft.problem(("status",), "END_OF_LIFE", message, fix)


def _service_levels(draft: Draft) -> Iterator[Problem]:
    levels = draft.document.slaProperties
    if levels is None:
        return
    stated = {level.property for level in levels}
    timed = any(c.logicalType in ("date", "timestamp") for _, c in draft.columns())
    for kind in ("freshness", "completeness", "retention"):
        if kind not in stated and (timed or kind != "freshness"):
            message = f"No service level states the {kind}."
            fix = f"Add one with `property: {kind}`."
            yield draft.problem(LEVELS, "SERVICE_LEVEL", message, fix)
    seen: dict[str, Steps] = {}
    once: set[str] = set()
    for index, level in enumerate(levels):
        here: Steps = (*LEVELS, index)
        if level.property in once:
            message = f"The {level.property} is promised twice."
            yield draft.problem((*here, "property"), "SERVICE_LEVEL", message, "Keep one of them.")
        once |= {level.property or ""} & {"freshness", "retention", "frequency", "endOfLife"}
        for key, fix in (
            ("id", "Give it a stable id."),
            ("property", "Say what is promised, such as freshness."),
            ("value", "State the value."),
            ("description", "Say in plain words what is promised."),
        ):
            yield from draft.missing(here, key, "The service level", fix)
        if level.id:
            if level.id in seen:
                first = draft.tree.line(seen[level.id])
                message = f"The id `{level.id}` stands twice: first on line {first}."
                yield draft.problem((*here, "id"), "ID_DUPLICATE", message, "Rename one of them.")
            seen.setdefault(level.id, here)
        yield from _service_level(draft, here, level)


def _service_level(draft: Draft, here: Steps, level: ServiceLevelObject) -> Iterator[Problem]:
    kind, value = level.property, level.value
    if kind is None:
        return

    def wrong(key: str, message: str, fix: str) -> Problem:
        at = (*here, key) if draft.stated((*here, key)) else here
        return draft.problem(at, "SERVICE_LEVEL", message, fix)

    if kind not in LEVEL_PROPERTIES:
        message = f"`{shown(kind)}` is no service level of the standard."
        yield wrong("property", message, suggestion(kind, LEVEL_PROPERTIES))
        return
    for index, item in enumerate(level.customProperties or []):
        if item.property != MEASURED_BY:
            message = f"`{shown(item.property)}` means nothing at a service level."
            fix = suggestion(str(item.property), [MEASURED_BY])
            steps = (*here, "customProperties", index, "property")
            yield draft.problem(steps, "KEY_UNKNOWN", message, fix)
        elif index:
            message = "The service level is measured by two rules."
            yield wrong("customProperties", message, "Name one rule, or write two service levels.")
    if kind in ("freshness", "retention", "frequency"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and (not number or value <= 0):
            message = f"A {kind} of `{shown(value)}` cannot be measured."
            yield wrong("value", message, "Write a number above 0, and its unit.")
        if level.unit not in UNITS:
            message = f"`{shown(level.unit)}` is no unit of time."
            yield wrong("unit", message, "Write one of: " + ", ".join(UNITS) + ".")
    types = {c.name: c.logicalType for _, c in draft.columns() if c.name}
    element = level.element
    if element is not None and element not in types:
        message = f"The element `{shown(element)}` is no column."
        yield wrong("element", message, suggestion(element, types))
    elif kind == "freshness" and (element is None or types[element] not in ("date", "timestamp")):
        message = "Freshness is measured on a date or a timestamp."
        yield wrong("element", message, "Name such a column as its `element`.")
    if kind == "completeness":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and (not number or not 0 < value <= 100):
            yield wrong(
                "value", f"A completeness of `{shown(value)}` is no share.", "Write 1 to 100."
            )
        if level.unit != "percent":
            yield wrong("unit", "Completeness is stated in percent.", "Write `unit: percent`.")
        if not any(i.property == MEASURED_BY and i.value for i in level.customProperties or []):
            message = "Nobody knows how the completeness is measured."
            fix = (
                "Name a table rule: `customProperties: [{property: measuredBy, value: <rule id>}]`."
            )
            yield wrong("customProperties", message, fix)
    if kind == "endOfLife" and value is not None and end_of_life(value) is None:
        message = f"The end of life `{shown(value)}` is no date."
        yield draft.problem((*here, "value"), "END_OF_LIFE", message, "Write it as YYYY-MM-DD.")


def end_of_life(value: object) -> datetime.date | None:
    """The date of an endOfLife service level, or None when it is none."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def _people(draft: Draft) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, role in enumerate(draft.document.roles or []):
        here: Steps = ("roles", index)
        for key, fix in (
            ("role", "Name the role."),
            ("description", "Say who it stands for and what it may do."),
            ("access", "Write `access: read`."),
        ):
            for problem in draft.missing(here, key, f"The role {role.role or index + 1}", fix):
                yield Problem(problem.path, problem.line, "ROLE", problem.message, problem.fix)
        if role.role is None:
            continue
        if not IDENTIFIER.fullmatch(role.role):
            message = f"The role `{shown(role.role)}` is no plain identifier."
            fix = "Use small letters, digits and `_`, and begin with a letter."
            yield draft.problem((*here, "role"), "NAME_INVALID", message, fix)
        if role.role in seen:
            message = f"The role `{shown(role.role)}` stands twice."
            yield draft.problem((*here, "role"), "ROLE", message, "Keep one of them.")
        seen.add(role.role)
    team = draft.document.team
    if team and team.name and not IDENTIFIER.fullmatch(team.name):
        message = f"The team `{shown(team.name)}` is no plain identifier."
        fix = "Use small letters, digits and `_`, and begin with a letter."
        yield draft.problem(("team", "name"), "NAME_INVALID", message, fix)
