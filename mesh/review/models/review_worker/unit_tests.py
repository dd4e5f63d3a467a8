"""SQLMesh's unit tests of a project, and those of another revision on its models."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from sqlmesh import Context
from sqlmesh.core.test.discovery import ModelTestMetadata
from sqlmesh.core.test.runner import run_tests

from .facts import Models, UnitTest


def unit_tests(context: Context) -> tuple[UnitTest, ...]:
    """SQLMesh's unit tests of a project."""
    found = []
    for one in context._model_test_metadata:
        path = os.path.relpath(one.path, context.path)
        lines = Path(one.path).read_text(encoding="utf-8").splitlines()
        starts = (n for n, text in enumerate(lines, 1) if text.startswith(f"{one.test_name}:"))
        body = json.dumps(one.body, default=str)
        found.append(UnitTest(one.test_name, _named(one.model_name), path, next(starts, 1), body))
    return tuple(found)


def to_be_run(base: Models, head: Models) -> list[UnitTest]:
    """The unit tests of the base of models that are others now, and those that were changed."""
    kept = {test.body for test in head.tests}
    versions = {model.name: model.version for model in base.models.values()}
    others = {name for name, one in head.models.items() if one.version != versions.get(name)}
    return [
        test
        for test in base.tests
        if test.model in head.models and (test.body not in kept or test.model in others)
    ]


def _named(model: str) -> str:
    """A model as its facts call it; a test may name the catalog too, or nothing that is a name."""
    return ".".join(model.replace("`", "").replace('"', "").split(".")[-2:])


def _named_columns(expected: Any) -> Any:
    """Rows that are expected in the columns that they name: a new one breaks nothing.

    Of no rows SQLMesh compares all columns.
    """
    if isinstance(expected, list) and expected:
        return {"rows": expected, "partial": True}
    if isinstance(expected, dict) and expected.get("rows"):
        return {**expected, "partial": True}
    return expected


def failing(context: Context, tests: list[UnitTest]) -> tuple[dict[str, str], list[str]]:
    """Which unit tests of another revision fail here, by key, with what words; which cannot run.

    One cannot where it gives rows to a model, or asks for a part of a query, that is gone.
    """
    failed: dict[str, str] = {}
    unable = []
    for test in tests:
        body = test.said
        outputs = body.get("outputs", {})
        body["outputs"] = {key: _named_columns(rows) for key, rows in outputs.items()}
        if ctes := outputs.get("ctes"):
            body["outputs"]["ctes"] = {key: _named_columns(rows) for key, rows in ctes.items()}
        path = Path(context.path, test.path)
        made = ModelTestMetadata(path=path, test_name=test.name, body=body)
        try:
            result = run_tests(
                [made],
                context._models,
                context.config,
                context.selected_gateway,
                dialect=context.default_dialect,
                stream=StringIO(),
                default_catalog=context.default_catalog,
                default_catalog_dialect=context.config.dialect or "",
            )
        except Exception:
            unable.append(test.name)
            continue
        for _, said in result.failures:
            told = [words for tables in result.failure_tables for words in _differing(tables)]
            failed[test.key] = "; ".join(told) or said.strip()[-2000:]
        unable += [test.name for _ in result.errors]
    return failed, unable


def _differing(tables: Iterable[Table]) -> Iterator[str]:
    """What a test expects and what it got, as SQLMesh shows it in tables: the first of each."""
    for table in tables:
        title = _plain(table.title)
        columns = {
            _plain(one.header): [_plain(cell).removesuffix(".0") for cell in one.cells]
            for one in table.columns
        }
        columns.pop("Row", None)
        if "mismatch" not in title:
            row = ", ".join(f"{name} {values[0]}" for name, values in columns.items())
            how = "should come and does not" if "Missing" in title else "comes and should not"
            yield f"the row {row} {how}"
            continue
        for name in columns:
            column = name.removesuffix(": Expected")
            pairs = zip(columns[name], columns.get(f"{column}: Actual", ()), strict=False)
            if other := next((pair for pair in pairs if pair[0] != pair[1]), None):
                yield f"{column} should be {other[0]} and is {other[1]}"


def _plain(shown: Any) -> str:
    return Text.from_markup(str(getattr(shown, "renderable", shown))).plain
