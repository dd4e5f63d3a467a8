"""SQLMesh's unit tests that went, or hold less than before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from mesh.review.contracts.words import shortened
from mesh.review.guards.checks import some_of
from mesh.review.models.both import Both
from mesh.review.models.lines import edited_at
from mesh.review.models.review_worker.facts import UnitTest
from mesh.review.rules import BREAKS, WARNS, Change, Found, Rules
from mesh.words import many

rule: Rules[[Both]] = Rules("guard")


@rule(BREAKS, instead="Keep the test; change what it expects only where the contract changed.")
def test_no_delete(both: Both) -> Found:
    """What no test holds any more changes unseen."""
    kept = {_said(test) for test in both.head.tests} | {test.name for test in both.head.tests}
    gone: dict[tuple[str, str], list[str]] = defaultdict(list)
    for test in both.base.tests:
        if test.model in both.head.models and not {_said(test), test.name} & kept:
            gone[test.model, test.path].append(test.name)
    for (model, path), names in gone.items():
        message = f"{many(len(names), 'unit test')} of {model} went: {some_of(names)}."
        yield Change(model, message, edited_at(both.files, path))


def _said(test: UnitTest) -> str:
    """What a unit test says, whatever the order of its rows."""
    return json.dumps(_unordered(test.said))


def _unordered(said: Any) -> Any:
    if isinstance(said, Mapping):
        return {key: _unordered(value) for key, value in said.items()}
    return sorted(said, key=json.dumps) if isinstance(said, list) else said


@rule(WARNS, instead="Keep the rows, or say in the pull request what holds the case from now on.")
def test_keeps_rows(both: Both) -> Found:
    """A test of the same name that is told less holds less: the awkward rows go first."""
    for model, last in {test.model: test for test in both.head.tests}.items():
        was, now = (
            {test.name: test.said for test in side.tests if test.model == model}
            for side in (both.base, both.head)
        )
        kept = sorted(was.keys() & now.keys())
        fewer = {name: gone for name in kept if (gone := _rows(was[name]) - _rows(now[name])) > 0}
        if fewer and sum(map(_rows, now.values())) < sum(map(_rows, was.values())):
            gone = sum(fewer.values())
            message = f"{gone} rows of the unit tests of {model} went: {some_of(fewer)}."
            yield Change(model, message, edited_at(both.files, last.path, last.line))
    known = {test.key: test.said for test in both.base.tests}
    for test in both.head.tests:
        if less := _no_longer_expected(known.get(test.key, test.said), test.said):
            message = f"The unit test {test.name} of {test.model} no longer expects {less}."
            yield Change(test.model, message, edited_at(both.files, test.path, test.line))


def _no_longer_expected(before: Any, after: Any) -> str:
    """What a test held of the columns of its model, and holds no more; "" for nothing."""
    was, now = (_expected(body.get("outputs") or {}) for body in (before, after))
    if gone := was[0] - now[0]:
        return some_of(gone)
    return "that there are no more columns than it names" if now[1] and not was[1] else ""


def _expected(outputs: Mapping[str, Any]) -> tuple[set[str], bool]:
    """The columns that a test expects, and whether there may be others."""
    query = outputs.get("query") or {}
    stated = query if isinstance(query, Mapping) else {"rows": query}
    rows = stated.get("rows") or []
    if isinstance(rows, str):
        columns = {one.strip() for one in rows.strip().partition("\n")[0].split(",")}
    else:
        columns = {name for row in rows if isinstance(row, Mapping) for name in row}
    return columns, bool(outputs.get("partial") or stated.get("partial"))


def _rows(said: Any) -> int:
    """How many rows a part of a unit test gives and expects."""
    if isinstance(said, Mapping):
        text = said.get("rows")
        lines = len(text.strip().splitlines()) if isinstance(text, str) else 0
        return lines + sum(map(_rows, said.values()))
    if isinstance(said, list):
        return sum(isinstance(one, Mapping) for one in said)
    return 0


@rule(BREAKS, instead="Mend the model, or say in contracts/review.yaml why the test was wrong.")
def test_of_base_holds(both: Both) -> Found:
    """A change together with its tests would otherwise agree with itself.

    The unit tests of the base run on the models and macros of the work tree.
    """
    failing: dict[str, list[UnitTest]] = defaultdict(list)
    for test in both.base.tests:
        if test.key in both.head.failing:
            failing[test.model].append(test)
    for model, tests in failing.items():
        tests.sort(key=lambda test: test.name)
        names = [test.name for test in tests]
        said = shortened(" ".join(both.head.failing[tests[0].key].split()), 300)
        what = f"The unit test {names[0]} of the base no longer holds"
        if others := names[1:]:
            what = f"{what}, nor {'do' if others[1:] else 'does'} {some_of(others)}"
        yield Change(model, f"{what}: {said}.", both.files.place(model, None))
