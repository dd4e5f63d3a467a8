"""A first draft of a contract, from what SQLMesh infers of a model and from its data.

What can be seen is filled in; what only a person knows says TODO, and lint refuses that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlglot import exp
from sqlmesh.core.model import Model, PythonModel

from mesh.catalogue.document import TOO_FEW, document, written
from mesh.catalogue.found import Found
from mesh.catalogue.key import key
from mesh.catalogue.notes import (
    left_out,
    looking_like,
    of_another_domain,
    told_otherwise,
    unstatable,
    withheld,
)
from mesh.catalogue.noticing import MOST_ROWS, noticing
from mesh.catalogue.profile import LEAST_ROWS, profile
from mesh.catalogue.sure import made_by
from mesh.catalogue.tied import rows_of_inputs, tied
from mesh.catalogue.unbuilt import drafted_rows, place_of
from mesh.catalogue.unit_test import NotDrafted, draft_test, is_tested, test_file
from mesh.contracts import Contract, usable_contracts
from mesh.contracts.checks.names import LETTERS, MODEL_COLUMN
from mesh.contracts.draft import SUFFIX, read_drafts
from mesh.contracts.lint import lint
from mesh.contracts.load import build
from mesh.contracts.types import LOGICAL, bigquery_type, is_statable, narrower, stored_types
from mesh.environments import Opened
from mesh.environments.names import INTERNAL_SUFFIX, is_of_many_tables, is_public, short_name
from mesh.errors import Location, MeshError, WrongUse
from mesh.files.problems import shown, suggestion
from mesh.lint.header import IN_PYTHON, in_sql
from mesh.project import display
from mesh.words import joined

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment


@dataclass(frozen=True)
class NewContract:
    """environment: whose data was looked at, if any. rows: that the draft was made from, 0 when
    there were none. built: whether the environment has the model, or its query was run on what the
    environment has of its inputs. left: how many places lint names that are left to write.
    test: the unit test that was drafted besides, and expected: the rows that it expects.
    is_new: whether the contract was drafted, or was there and the test alone was not. notes:
    what else is to be known of it."""

    path: Path
    environment: str | None
    rows: int
    built: bool
    left: int
    test: Path | None = None
    expected: int = 0
    is_new: bool = True
    notes: tuple[str, ...] = ()

    @property
    def about_test(self) -> str:
        """What is to be done with the test, as the end of a sentence."""
        if not self.expected:
            return (
                "its query finds nothing in them, and lint asks for a test that expects a row: "
                "write rows of which it makes one."
            )
        several = self.expected > 1
        rows = f"{self.expected} rows that it expects are" if several else "row that it expects is"
        return f"read whether the {rows} right."


@dataclass(frozen=True)
class _Wanted:
    """A model that gets a contract. types: of its columns, in BigQuery. path: of the contract.

    where, environment: whose data is looked at, if it is there. built: whether it has the model
    with these columns. is_new: whether there is no contract, and not just no unit test.
    """

    name: str
    types: dict[str, str]
    path: Path
    where: str | None
    environment: Environment | None
    built: bool
    is_new: bool


def new_contracts(
    opened: Opened, models: Iterable[str], environment: str | None = None
) -> Iterator[NewContract]:
    """Write the drafts of models' contracts where they belong; needs the models and their tests.

    environment: whose data is looked at; by default where a bare plan goes, else prod. Of a model
    that is not there yet, or not with these columns, the query is run on its inputs, and a unit
    test is drafted. Of one with a contract and without a unit test, that is drafted alone.
    Raises what keeps some of them from being drafted, once the others are: a model that is unknown
    or internal, a column whose type no contract can state, a query that the engine refuses. And
    WrongUse where all have what could be drafted, or nothing that it could be made of; of such
    beside others it is in their `notes`.
    """
    failed: list[MeshError] = []
    wanted: dict[str, _Wanted] = {}
    for model in models:
        try:
            one = _wanted(opened, model, environment)
            wanted[one.name] = one
        except WrongUse as error:
            failed.append(error)
    stay: list[WrongUse] = []
    for one in wanted.values():
        try:
            with opened.readable_errors():
                made = _new_contract(opened, one) if one.is_new else _new_test(opened, one)
        except MeshError as error:
            if one.is_new or not isinstance(error, WrongUse) or len(stay) == len(wanted) - 1:
                failed.append(_named(one.name, error))
                continue
            stay.append(error)
            why = f"{error.message} {error.fix}"
            made = NewContract(one.path, None, 0, one.built, 0, is_new=False, notes=(why,))
        yield made
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise WrongUse("\n".join(dict.fromkeys(map(str, failed))))


def _named(name: str, error: MeshError) -> MeshError:
    """The same error, saying of which model it is."""
    if name in str(error):
        return error
    named = type(error)(f"{name}: {error.message}", where=error.where, fix=error.fix)
    named.__cause__ = error.__cause__
    return named


def _wanted(opened: Opened, model: str, environment: str | None) -> _Wanted:
    name, types = _model(opened, model)
    domain, _, table = name.partition(".")
    if not is_public(name):
        raise WrongUse(
            f"{name} is internal: only its own domain reads it, so it needs no contract.",
            fix=f"To publish it, call it {domain.removesuffix(INTERNAL_SUFFIX)}.{table}.",
        )
    if is_of_many_tables(name):
        raise WrongUse(
            f"{name} is many tables under one name, and a contract is of one.",
            fix=f"Let a model of {domain}{INTERNAL_SUFFIX} read them, and draft the contract of a "
            "model that is made of it.",
        )
    if isinstance(opened.models[name], PythonModel):
        raise WrongUse(f"{name}: {IN_PYTHON}", fix=in_sql(name))
    if opened.models[name].kind.is_embedded:
        raise WrongUse(
            f"{name} is embedded: its query becomes part of those that read it, and there are no "
            "rows of its own to promise anything of.",
            fix="Make it a view with `kind VIEW`, or draft contracts of the models that read it.",
        )
    path = opened.project.contracts / domain / f"{table}{SUFFIX}"
    where = environment or opened.usual_environment
    there = opened.environment(where) if where else None
    snapshot = opened.there(there).get(name) if there else None
    # The table of a source is there whether or not somebody planned what reads it.
    built = opened.models[name].kind.is_external or (
        snapshot is not None and types.items() <= _types(snapshot.model).items()
    )
    return _Wanted(name, types, path, where, there, built, is_new=not path.exists())


def _types(model: Model) -> dict[str, str]:
    return {name: bigquery_type(kind) for name, kind in stored_types(model).items()}


def _new_test(opened: Opened, wanted: _Wanted) -> NewContract:
    name, test = wanted.name, None
    model, where = opened.models[name], Location(display(wanted.path))
    if not model.is_sql or is_tested(opened, model):
        fix = "Edit it, or move it away first."
        raise WrongUse(f"{name} has a contract already.", where=where, fix=fix)
    if (file := test_file(opened, model)).exists():
        raise WrongUse(
            f"{name} has a contract already, and {display(file)} is there, in which no test is of "
            f"{model.name}.",
            where=where,
            fix="Correct its `model:`, or move it away first.",
        )
    known = usable_contracts(opened.project.contracts)
    if wanted.environment:
        rules = known[name].table_rules() if name in known else ()
        read = {one for rule in rules for one in rule.references}
        test = draft_test(opened, model, wanted.environment, known, read)
    if test is None:
        raise WrongUse(
            f"{name} has a contract already, and there are no rows to draft a unit test from.",
            where=where,
            fix="Plan what it reads, or write the test by hand.",
        )
    made, notes = (test.file, test.expected), test.notes
    return NewContract(wanted.path, wanted.where, 0, wanted.built, 0, *made, False, notes)


def _new_contract(opened: Opened, wanted: _Wanted) -> NewContract:
    name, types, path, found_there = wanted.name, wanted.types, wanted.path, wanted.environment
    domain, _, table = name.partition(".")
    place = _place(opened, wanted)
    seen = profile(opened, place, types) if place is not None else None
    is_empty = seen is not None and not seen.rows
    seen = None if is_empty else seen
    known = usable_contracts(opened.project.contracts)
    asked, models = opened.models[name], opened.context.models
    made = made_by(asked.render_query() if asked.is_sql else None)
    by_key = key(opened, asked, made, place, seen, wanted.built)
    found = Found(
        types,
        _narrower(opened, asked, types),
        seen,
        by_key.columns,
        known,
        _servers(opened, asked, known),
        asked,
        models,
        is_empty,
        made,
        (opened.project.day_of_use or datetime.now(UTC)).date(),
        above=[models[one] for one in opened.context.dag.upstream(asked.fqn) if one in models],
    )
    if seen and place is not None and found_there and not asked.kind.is_external:
        ties = tied(opened, asked, place, found.grain, known, found_there, made.unmatched)
        found.ties.extend(ties)
    draft = document(domain, table, found)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(draft, seen), encoding="utf-8")
    try:
        # Of what rows were before, the first rows tell nothing.
        is_told = seen and seen.rows <= MOST_ROWS and not found.written
        if is_told and place is not None and found_there:
            more = list(noticing(opened, place, path, known, found_there, made))
            draft["schema"][0]["quality"][:0] = more
        if found_there:
            inputs = rows_of_inputs(opened, draft["schema"][0]["quality"], found_there)
            path.write_text(written(draft, seen, inputs), encoding="utf-8")
        left = len(lint([path]).problems)
        test, by_hand = None, ""
        if found_there and not wanted.built:
            try:
                read = _read_by_rules(path)
                test = draft_test(opened, asked, found_there, known, read, found.withheld)
            except NotDrafted as error:
                by_hand = str(error)
        file, expected, shown = (test.file, test.expected, test.notes) if test else (None, 0, ())
    except BaseException:
        path.unlink()
        raise
    rows = seen.rows if seen else 0
    few = TOO_FEW if seen and seen.rows < LEAST_ROWS else ""
    doubt = "" if wanted.built else of_another_domain(opened, asked)
    told = (
        told_otherwise(opened, asked),
        few,
        doubt,
        left_out(asked),
        *by_key.notes,
        withheld(found),
        *looking_like(found.looks_like),
        by_hand,
        *shown,
    )
    notes = tuple(filter(None, told))
    return NewContract(path, wanted.where, rows, wanted.built, left, file, expected, notes=notes)


def _model(opened: Opened, wanted: str) -> tuple[str, dict[str, str]]:
    """Name and columns, by BigQuery type, of a model by its name with or without domain."""
    models = opened.models
    asked = wanted.lower()
    same = [
        n
        for n, model in models.items()
        if asked in (n.lower(), n.partition(".")[2].lower(), model.name.lower())
    ]
    if len(same) > 1:
        raise WrongUse(
            f"More than one model is called {wanted}.", fix=f"Write {' or '.join(sorted(same))}."
        )
    if not same:
        raise WrongUse(f"There is no model {wanted}.", fix=suggestion(wanted, models))
    model = models[same[0]]
    if not model.kind.is_external:
        _check_statable(same[0], model)
    kinds = stored_types(model).items()
    return same[0], {column: bigquery_type(kind) for column, kind in kinds if is_statable(kind)}


def _check_statable(name: str, model: Model) -> None:
    """WrongUse for columns that no contract can state, told all at once."""
    names = [c for c in model.columns_to_types or {} if not MODEL_COLUMN.fullmatch(c)]
    types = unstatable(model)
    told, fixes = [], []
    if names:
        called = joined([f"`{shown(one)}`" for one in names])
        told.append(f"{'columns' if names[1:] else 'a column'} called {called}")
        fixes.append(f"Rename {'them' if names[1:] else 'it'} in the model, with {LETTERS}")
    if types:
        of = "types of the columns" if types[1:] else "type of the column"
        told.append(f"the {of} {joined(types)}")
        each = "each of them" if types[1:] else "it"
        fixes.append(f"Cast {each} in the model to one of: {', '.join(LOGICAL)}.")
    if told:
        raise WrongUse(f"{name}: no contract can state {', nor '.join(told)}.", fix=" ".join(fixes))


def _read_by_rules(path: Path) -> set[str]:
    """The products that the rules of a draft read."""
    drafts, _ = read_drafts([path])
    rules = build(drafts[path]).table_rules() if path in drafts else ()
    return {name for rule in rules for name in rule.references}


def _narrower(opened: Opened, model: Model, types: dict[str, str]) -> dict[str, str]:
    """Types on DuckDB that are not just as wide: those of a source's table, where it is."""
    adapter, table = opened.context.engine_adapter, exp.to_table(model.fqn)
    if adapter.dialect != "duckdb":
        return {}
    wide = {"INT": "INTEGER", "REAL": "FLOAT", "DECIMAL": "DECIMAL(18, 3)"}
    texts = {column: kind.sql(dialect="duckdb") for column, kind in stored_types(model).items()}
    texts = {column: wide.get(text, text) for column, text in texts.items()}
    # The table of a source is there whether or not anything was planned.
    if model.kind.is_external and adapter.table_exists(table):
        there = adapter.columns(table)
        texts |= {c: kind.sql(dialect="duckdb") for c, kind in there.items() if c in texts}
    return {c: text for c, text in texts.items() if narrower(types.get(c, ""), text)}


def _place(opened: Opened, wanted: _Wanted) -> exp.Expr | None:
    """Where its rows are, if there are any."""
    if wanted.environment is None:
        return None
    if wanted.built:
        return place_of(opened, wanted.name, wanted.environment)
    model = opened.models[wanted.name]
    # Of a history SQLMesh writes some columns while it builds it.
    return None if model.managed_columns else drafted_rows(opened, model, wanted.environment)


def _servers(opened: Opened, model: Model, known: Mapping[str, Contract]) -> list[dict[str, Any]]:
    """Where other products of its catalog lie, or else where SQLMesh is connected to."""
    domain = short_name(model.fqn).partition(".")[0]
    for contract in known.values():
        other = opened.models.get(contract.product)
        if other is not None and other.catalog == model.catalog:
            stated = yaml.safe_load(contract.path.read_text(encoding="utf-8"))["servers"]
            keys = {"duckdb": "schema", "bigquery": "dataset"}
            return [{**one, keys[one["type"]]: domain} for one in stated]
    adapter, project = opened.context.engine_adapter, opened.project
    if adapter.dialect == "bigquery":
        place = {"project": model.catalog, "dataset": domain}
    else:
        file = project.databases.get(model.catalog or "", project.database)
        place = {"database": str(project.shown(file)), "schema": domain}
    return [{"server": "local", "type": adapter.dialect, "environment": "prod", **place}]
