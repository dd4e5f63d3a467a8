"""A first unit test of a model: awkward rows of its inputs, and what its query makes of them.

The rows are real ones, with the least and the greatest values and with those that are missing. What
leads to a person is numbered anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import duckdb
import yaml
from sqlglot import exp
from sqlmesh.core.model.common import ParsableSql
from sqlmesh.utils.errors import SQLMeshError
from sqlmesh.utils.yaml import load

from mesh.catalogue.nobody import kind_of, stand_in
from mesh.catalogue.notes import looking_like
from mesh.catalogue.sample import Sample, column_of, sampled
from mesh.contracts import Contract
from mesh.environments import Opened
from mesh.environments.names import short_name
from mesh.errors import WrongUse
from mesh.project import display
from mesh.words import joined

if TYPE_CHECKING:
    from sqlmesh.core.environment import Environment
    from sqlmesh.core.model import Model

# What SQLMesh writes as the `execution_time` when it runs a test, and of which types.
_NOW: Mapping[type[exp.Expr], str] = {
    exp.CurrentDate: "date",
    exp.CurrentDatetime: "datetime",
    exp.CurrentTime: "time",
    exp.CurrentTimestamp: "timestamp",
}


@dataclass(frozen=True)
class Drafted:
    """expected: how many rows it expects. notes: what it shows of its inputs, and what not."""

    file: Path
    expected: int
    notes: tuple[str, ...]


class NotDrafted(WrongUse):
    """The query of a model cannot be run on rows that show nobody."""


def is_tested(opened: Opened, model: Model) -> bool:
    """Whether a unit test of it is there; the project has to be loaded with its tests."""
    return bool(opened.context.select_tests(model_names={model.name}))


def draft_test(
    opened: Opened,
    model: Model,
    environment: Environment,
    known: Mapping[str, Contract],
    read_by_rules: Collection[str],
    withheld: Collection[str] = (),
) -> Drafted | None:
    """Write the test beside the others; None without inputs.

    A test that is there already stays as it is. read_by_rules: the products that the rules of its
    contract read. They are built before it, so SQLMesh asks for them in a test. withheld: the
    columns of the model whose values its contract does not show.
    Raises NotDrafted where its query refuses what stands in the place of persons.
    """
    file = test_file(opened, model)
    if file.exists() or not model.is_sql:
        return None
    _, _, product = short_name(model.fqn).partition(".")
    sample = sampled(opened, model, environment, known, withheld)
    if sample is None:
        return None
    instead = _instead(sample)
    dialect = opened.context.engine_adapter.dialect
    queries = {
        opened.models[one].fqn: _anonymous(sample, one, instead).sql(dialect=dialect)
        for one in sample.places
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    path = file.relative_to(opened.project.root / "tests")
    times = _times(model)
    test = f"test_{product}_awkward_rows"
    try:
        with warnings.catch_warnings(), _stopped(opened, model, times):
            warnings.simplefilter("ignore", FutureWarning)
            opened.context.create_test(
                model.name, queries, variables=times, path=str(path), name=test
            )
    except (duckdb.Error, SQLMeshError) as error:
        with suppress(OSError):  # Others lie there.
            file.parent.rmdir()
        why = " ".join(str(error).split())
        raise NotDrafted(
            f"No unit test of {short_name(model.fqn)} could be drafted, since its query cannot be "
            f"run on a few rows in which made-up values stand for those of persons: {why}",
            fix=f"Write it by hand, as {display(file)}.",
        ) from error
    # As SQLMesh writes it: a text `no` or `11:30:00` is a text there, and none to PyYAML.
    body = load(file, render_jinja=False)[test]
    body["model"] = _called(opened, model.fqn)
    body["inputs"] = {_called(opened, one): {"rows": rows} for one, rows in body["inputs"].items()}
    for one in sorted({*read_by_rules} - {*sample.places}):
        fqn = opened.models[one].fqn if one in opened.models else one
        body["inputs"][_called(opened, fqn)] = {"rows": []}
    # What SQLMesh writes beside the query's columns no test can expect.
    whole: dict[str, Any] = {"partial": True} if model.managed_columns else {}
    body["outputs"] = whole | {"query": {"rows": (made := _listed(body["outputs"]["query"]))}}
    text = yaml.safe_dump({test: body}, sort_keys=False, allow_unicode=True, width=98)
    file.write_text(text, encoding="utf-8")
    return Drafted(file, len(made), tuple(_notes(sample)))


def _notes(sample: Sample) -> Iterator[str]:
    yield from looking_like({f"{name}.{c}": like for (name, c), like in sample.looks.items()})
    if sample.shown:
        shown = joined([f"{name}.{column}" for name, column in sample.shown])
        yield (
            f"The unit test shows texts of {shown} as they are. Whether one names somebody, only "
            "a reader can tell: if so, make it up."
        )


def test_file(opened: Opened, model: Model) -> Path:
    """Where a first unit test of it is written."""
    domain, _, product = short_name(model.fqn).partition(".")
    return opened.project.root / "tests" / domain / f"test_{product}.yaml"


def _called(opened: Opened, full_name: str) -> str:
    """A model as a test names it: with its catalog, unless that is the usual one."""
    catalog = exp.to_table(full_name).catalog
    name = short_name(full_name)
    return name if catalog in ("", opened.context.default_catalog) else f"{catalog}.{name}"


def _times(model: Model) -> dict[str, str]:
    """The interval and the moment of the test: as now, whenever it is run."""
    times = {"start": "1970-01-01", "end": "2100-01-01"} if model.kind.is_incremental else {}
    query = model.render_query(needs_optimization=False)
    if query is not None and query.find(*_NOW):
        times["execution_time"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    return times


@contextmanager
def _stopped(opened: Opened, model: Model, times: Mapping[str, str]) -> Iterator[None]:
    """The model with the moment of its test in it: SQLMesh writes that when it runs a test, and not
    when it makes one."""
    start, end, now = map(times.get, ("start", "end", "execution_time"))
    query = model.render_query(start=start, end=end, execution_time=now, needs_optimization=False)
    if query is None or now is None:
        yield
        return
    moment = exp.Literal.string(f"{now}+00:00")

    def at_moment(node: exp.Expr) -> exp.Expr:
        kind = _NOW.get(type(node))
        return exp.cast(moment.copy(), kind, dialect=model.dialect) if kind else node

    stopped = ParsableSql.from_parsed_expression(query.transform(at_moment), model.dialect)
    opened.context.upsert_model(model.copy(update={"query_": stopped}))
    try:
        yield
    finally:
        opened.context.upsert_model(model)


def _listed(output: Any) -> list[Any]:
    return list(output.get("rows", []) if isinstance(output, dict) else output or [])


Persons = Mapping[tuple[str, str], Mapping[Any, Any]]
"""By input and column, for each personal value in the chosen rows what is written instead."""


def _instead(sample: Sample) -> Persons:
    """Of one kind of values each has one number, the same in all inputs."""
    found: dict[tuple[str, str], list[Any]] = {}
    kinds: dict[str, set[Any]] = {}
    for name, columns in sample.types.items():
        for column in columns:
            if sample.personal(name, column):
                query = exp.select(column_of(column)).from_(sample.rows(name).subquery("kept"))
                values = [one for (one,) in sample.opened.rows(query) if one is not None]
                # In the place of lists and of what has parts nothing can stand.
                values = [one for one in values if not isinstance(one, list | dict)]
                found[name, column] = values
                for value in values:
                    kinds.setdefault(kind_of(value), set()).add(value)
    numbers = {
        kind: {value: number for number, value in enumerate(sorted(values), start=1)}
        for kind, values in kinds.items()
    }
    return {
        place: {value: stand_in(value, numbers[kind_of(value)][value]) for value in values}
        for place, values in found.items()
    }


def _anonymous(sample: Sample, name: str, instead: Persons) -> exp.Select:
    columns: list[exp.Expr] = []
    for column in sample.types[name]:
        value: exp.Expr = column_of(column)
        if (name, column) in instead:
            case = exp.Case(this=value)
            for old, new in instead[name, column].items():
                case = case.when(_literal(old), _literal(new))
            value = case if case.args.get("ifs") else exp.Null()
        columns.append(exp.alias_(value, column, quoted=True))
    return exp.select(*columns).from_(sample.rows(name).subquery("kept"))


def _literal(value: Any) -> exp.Expr:
    """A value in SQL, with the type that it has."""
    if isinstance(value, UUID):
        return exp.cast(exp.Literal.string(str(value)), "uuid")
    if isinstance(value, Decimal):
        return exp.Literal.number(str(value))
    if isinstance(value, float):
        return exp.cast(exp.Literal.string(repr(value)), "double")
    return exp.convert(value)
