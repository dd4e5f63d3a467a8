"""Names and ids: plain, each once, and the same wherever a product is named."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from mesh.contracts.checks.product import MEASURED_BY, VERSION
from mesh.contracts.checks.record import Subject, check
from mesh.contracts.draft import LEVELS, SUFFIX, Draft
from mesh.contracts.findings import Finding, Found
from mesh.contracts.types import DUCKDB_TYPE
from mesh.files.problems import shown
from mesh.files.tree import Steps
from mesh.project import project_around, real

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,99}")
NEAR = 0.8
_MAJOR = re.compile(r"_v(\d+)$")
MODEL_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_SOURCE_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
LETTERS = "small letters, digits and `_`, and begin with a letter."


def _product_names(draft: Draft) -> Iterator[tuple[Steps, str, str]]:
    """Where the product is named, how, and how it should be."""
    document, table = draft.document, draft.table
    for steps, value, expected in (
        (("name",), document.name, draft.file_name),
        (("domain",), document.domain, draft.folder),
        (("id",), document.id, draft.product),
        (("schema", 0, "name"), table.name if table else None, draft.file_name),
    ):
        if value is not None:
            yield steps, value, expected


def _is_plain(steps: Steps, value: str) -> bool:
    words = value.split(".") if steps == ("id",) else [value]
    return all(IDENTIFIER.fullmatch(word) for word in words)


@check("NAME_INVALID", "Names are plain identifiers, so that none can carry SQL.")
def name_invalid(subject: Subject) -> Found:
    draft = subject.draft
    named = [(s, f"The {s[-1]}", value) for s, value, _ in _product_names(draft)]
    for index, role in enumerate(draft.document.roles or []):
        named.append((("roles", index, "role"), "The role", role.role or ""))
    team = draft.document.team
    named.append((("team", "name"), "The team", (team and team.name) or ""))
    for steps, what, value in named:
        if value and not _is_plain(steps, value):
            message = f"{what} `{shown(value)}` is no plain identifier."
            yield Finding(steps, message, f"Use {LETTERS}")
    source = _may_be_a_source(draft)
    pattern = _SOURCE_COLUMN if source else MODEL_COLUMN
    for here, column in draft.columns():
        if column.name and not pattern.fullmatch(column.name):
            message = f"`{shown(column.name)}` is no name for a column."
            fix = "Use letters, digits and `_`, and begin with a letter."
            yield Finding((*here, "name"), message, fix if source else f"Use snake_case: {LETTERS}")


def _may_be_a_source(draft: Draft) -> bool:
    """Whether the table may not be built here; what is not built keeps its own spelling.

    A contract that lies in no project may be one of a source.
    """
    path = real(draft.path)
    project = project_around(path)
    if project is None or not path.is_relative_to(project.contracts):
        return True
    return draft.product in project.sources


def _is_of_another(draft: Draft) -> str:
    """The product that all of a contract names, where its file is another's; else nothing."""
    stated = draft.document.id or ""
    domain, _, name = stated.partition(".")
    own = {("name",): name, ("domain",): domain, ("id",): stated, ("schema", 0, "name"): name}
    agree = all(_is_plain(s, value) and own[s] == value for s, value, _ in _product_names(draft))
    moved = (domain, name) != (draft.folder, draft.file_name)
    return stated if domain and name and agree and moved else ""


def _where_it_belongs(draft: Draft, product: str) -> str:
    domain, _, name = product.partition(".")
    place = f"{domain}/{name}{SUFFIX}"
    own = next((one for one in draft.path.parents if one.name == draft.folder), None)
    if own is not None and (own.parent / place).exists():
        return (
            f"That has one, {place}: remove this one, or name another product by id, domain, name "
            "and the name of its table."
        )
    return f"Move it to {place}, or name {draft.product} by id, domain, name and table."


@check("NAME_DISAGREES", "File, id, domain, schema and major version name the same product.")
def name_disagrees(subject: Subject) -> Found:
    draft = subject.draft
    tables = draft.document.schema_ or []
    if len(tables) > 1:
        message = f"The contract describes {len(tables)} tables."
        yield Finding(("schema", 1), message, "Write one contract for each table.")
    file = f"{shown(draft.folder)}/{shown(draft.path.name)}"
    if elsewhere := _is_of_another(draft):
        message = f"The contract is of {elsewhere}, but the file is {file}."
        yield Finding(("id",), message, _where_it_belongs(draft, elsewhere))
    for steps, value, expected in () if elsewhere else _product_names(draft):
        if value != expected and _is_plain(steps, value):
            message = f"The {steps[-1]} is `{shown(value)}`, but the file is {file}."
            yield Finding(steps, message, f"Write `{shown(expected)}`.")
    for index, server in enumerate(draft.document.servers or []):
        key, place = (
            ("schema", server.schema_) if server.type == "duckdb" else ("dataset", server.dataset)
        )
        if server.type and place != (elsewhere.partition(".")[0] or draft.folder):
            message = f"The {key} of the server is `{shown(place)}`, not the domain."
            yield Finding(("servers", index, key), message, f"Write `{key}: {draft.folder}`.")
    for here, column in draft.columns():
        if column.physicalName is not None and column.physicalName != column.name:
            message = "A column has one name on all engines."
            yield Finding((*here, "physicalName"), message, "Leave `physicalName` out.")
    yield from _major(draft)


def _major(draft: Draft) -> Found:
    """From the second on, a major version stands in the name."""
    version = draft.document.version
    match = VERSION.fullmatch(version or "")
    if match is None:
        return
    major = int(match.group(1))
    suffix = _MAJOR.search(draft.file_name)
    named = int(suffix.group(1)) if suffix else 1
    if major == named and not (suffix and named < 2):
        return
    base = _MAJOR.sub("", draft.file_name)
    right = base if major < 2 else f"{base}_v{major}"
    fix = f"Call the product `{right}`, or correct the version."
    if major == 0:
        fix = "Begin with version 1.0.0, and use the status for what is not ready."
    if right != draft.file_name or major == 0:
        message = f"Version {version} does not go with `{draft.file_name}`."
        yield Finding(("version",), message, fix)


@check(
    "FILE_NAME",
    "A contract lies at contracts/<domain>/<product>.odcs.yaml, so that it is found.",
)
def file_name(subject: Subject) -> Found:
    draft = subject.draft
    if not IDENTIFIER.fullmatch(draft.file_name) or not draft.path.name.endswith(SUFFIX):
        message = f"`{shown(draft.path.name)}` is no name for a contract."
        fix = f"Call it <product>{SUFFIX}, in small letters, digits and `_`."
        yield Finding((), message, fix)


@check("ID_DUPLICATE", "Ids are stable and unique: the contract diff tells things apart by them.")
def id_duplicate(subject: Subject) -> Found:
    draft = subject.draft
    columns, rules = list(draft.columns()), list(draft.rules())
    one = "Rename or delete one of them."
    for key in ("name", "id"):
        values = [((*s, key), getattr(column, key)) for s, column in columns]
        yield from _twice(draft, f"The {key}", values, one, fold=True)
        values = [((*s, key), getattr(rule, key)) for s, rule in rules]
        yield from _twice(draft, f"The rule {key}", values, "Rename one of the rules.")
    levels = enumerate(draft.document.slaProperties or [])
    values = [((*LEVELS, i, "id"), level.id) for i, level in levels]
    yield from _twice(draft, "The id", values, "Rename one of them.")
    servers = enumerate(draft.document.servers or [])
    values = [(("servers", i, "server"), server.server) for i, server in servers]
    yield from _twice(draft, "The server", values, "Keep one of them.")


def _twice(
    draft: Draft,
    what: str,
    values: Iterable[tuple[Steps, str | None]],
    fix: str,
    fold: bool = False,
) -> Found:
    seen: dict[str, Steps] = {}
    for steps, value in values:
        if not value:
            continue
        word = value.lower() if fold else value
        if word in seen:
            first = draft.line(seen[word])
            message = f"{what} `{shown(value)}` stands twice: first on line {first}."
            yield Finding(steps, message, fix)
        seen.setdefault(word, steps)


@check("KEY_UNKNOWN", "A misspelt key is a promise that nobody keeps.")
def key_unknown(subject: Subject) -> Found:
    draft = subject.draft
    for here, column in draft.columns():
        items = [item.property for item in column.customProperties or []]
        yield from _misspelt(here, items, DUCKDB_TYPE, "a column")
    for index, level in enumerate(draft.document.slaProperties or []):
        items = [item.property for item in level.customProperties or []]
        yield from _misspelt((*LEVELS, index), items, MEASURED_BY, "a service level")


def _misspelt(here: Steps, names: list[str | None], known: str, what: str) -> Found:
    """What is nearly a property that is read here; others are somebody else's."""
    for index, name in enumerate(names):
        plain = (name or "").lower().replace("_", "").replace("-", "")
        if not plain:
            at = (*here, "customProperties", index)
            yield Finding(at, f"A custom property of {what} has no name.", "Write its `property`.")
        elif name != known and difflib.SequenceMatcher(None, plain, known.lower()).ratio() > NEAR:
            message = f"`{shown(name)}` means nothing at {what}."
            at = (*here, "customProperties", index, "property")
            yield Finding(at, message, f"Did you mean `{known}`?")
