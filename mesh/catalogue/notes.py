"""What is to be known of a draft and stands in no file: each one sentence, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlmesh.core.model import Model

from mesh.catalogue.found import Found
from mesh.contracts.engines import told_apart
from mesh.contracts.sql import DIALECT
from mesh.contracts.types import is_statable
from mesh.environments import Opened
from mesh.environments.names import domain_of, short_name
from mesh.files.problems import suggestion
from mesh.lint.folders import domain_by_folder
from mesh.words import joined


def withheld(found: Found) -> str:
    """Whose values are not shown though no contract says that they lead to a person."""
    names = [one for one in found.types if one in found.called - found.personal]
    who, they = ("their names", "they") if names[1:] else ("its name", "it")
    if not names:
        return ""
    return (
        f"No value of {joined(names)} is shown: by {who} {they} may lead to a person, which "
        "`classification` says."
    )


def looking_like(looks: Mapping[str, str]) -> Iterator[str]:
    """Whose values are not shown because of what they look like: that, by column."""
    for what in dict.fromkeys(looks.values()):
        names = [name for name, like in looks.items() if like == what]
        yield (
            f"No value of {joined(names)} is shown: some are, hold or look like {what}. Classify "
            f"{'them' if names[1:] else 'it'} as personal, unless these lead to nobody."
        )


def told_otherwise(opened: Opened, model: Model) -> str:
    """That what was drafted from DuckDB's answer is not what BigQuery will answer."""
    on_duckdb = opened.context.engine_adapter.dialect == "duckdb"
    if not (on_duckdb and model.is_sql and model.dialect == DIALECT):
        return ""
    query = model.render_query(needs_optimization=False)
    said = dict.fromkeys(map(str, told_apart(query))) if query else {}
    if not said:
        return ""
    return (
        f"Drafted from what DuckDB answers, and BigQuery answers otherwise: {' '.join(said)} Once "
        "that is written, draft it anew."
    )


def left_out(model: Model) -> str:
    missing = ", ".join(unstatable(model))
    return missing and (
        f"Left out: {missing}, since no contract can state such types. A model that reads the "
        "source may still cast them, or take lists and records apart."
    )


def of_another_domain(opened: Opened, model: Model) -> str:
    """That a name says another domain than its folder, or one that nothing else is of."""
    domain, _, table = short_name(model.fqn).partition(".")
    if folder := domain_by_folder(model, opened.models, opened.project):
        return (
            f"{domain}.{table} lies in the folder of the domain {folder}: if it is one of its "
            f"models, call it {folder}.{table}, and move its contract."
        )
    others = [one for one in opened.models.values() if one is not model]
    if any(one._path == model._path for one in others):
        return ""  # Of blueprints the domain is written as a list, or in a table.
    known = {domain_of(short_name(one.fqn)) for one in others if not one.kind.is_external}
    if domain in known or not known or model.kind.is_external:
        return ""
    return f"{domain} is a new domain. If it should be none: {suggestion(domain, known)}"


def unstatable(model: Model) -> list[str]:
    """The columns whose types no contract can state, with these as the project writes them."""
    kinds = (model.columns_to_types or {}).items()
    return [f"{c} ({k.sql(model.dialect)})" for c, k in kinds if not is_statable(k)]
