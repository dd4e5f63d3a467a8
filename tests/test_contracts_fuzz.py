"""Contracts mutated at random by the hundred: never a crash, and no mutation stays unseen."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.contracts import ContractInvalid, load_contract
from mesh.contracts.lint import lint

FIXTURES = Path(__file__).parent / "fixtures" / "contracts"
ROUNDS = 60
OPTIONAL = {
    # What a contract may leave out without breaking a promise.
    "database",
    "project",
    "primaryKey",
    "primaryKeyPosition",
    "logicalTypeOptions",
    "enum",
    "quality",
    "tool",
    "element",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
}
"""Dropping one of these is a change of the contract, not a mistake in it."""


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    shutil.copytree(FIXTURES / "valid", tmp_path / "contracts")
    return tmp_path / "contracts" / "interactions" / "plays.odcs.yaml"


def places(data: Any, steps: tuple = ()) -> Iterator[tuple]:
    """The steps of every value in a tree."""
    children = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for step, value in children:
        yield (*steps, step)
        yield from places(value, (*steps, step))


def at(data: Any, steps: tuple) -> Any:
    for step in steps:
        data = data[step]
    return data


def drop(data: Any, steps: tuple, chance: random.Random) -> None:
    del at(data, steps[:-1])[steps[-1]]


def rename(data: Any, steps: tuple, chance: random.Random) -> None:
    parent = at(data, steps[:-1])
    letters = list(steps[-1])
    letters[chance.randrange(len(letters))] = chance.choice("qxzQXZ_")
    parent["".join(letters) + "q"] = parent.pop(steps[-1])


def change_type(data: Any, steps: tuple, chance: random.Random) -> None:
    value = at(data, steps)
    others = [{"q": 1}, ["q"], "q", 17.25, True]
    at(data, steps[:-1])[steps[-1]] = chance.choice(
        [
            other
            for other in others
            if type(other) is not type(value) and not _both_fit(value, other)
        ]
    )


def _both_fit(value: Any, other: Any) -> bool:
    return isinstance(value, int | float) and isinstance(other, float)


def empty(data: Any, steps: tuple, chance: random.Random) -> None:
    at(data, steps[:-1])[steps[-1]] = chance.choice([None, "", "  "])


def duplicate(data: Any, steps: tuple, chance: random.Random) -> None:
    parent = at(data, steps[:-1])
    parent.insert(steps[-1], copy.deepcopy(parent[steps[-1]]))


def is_key(steps: tuple) -> bool:
    return isinstance(steps[-1], str)


def may_stay_unseen(mutation: Any, steps: tuple) -> bool:
    if mutation in (drop, empty):
        # A column's type on DuckDB follows from the one on BigQuery.
        is_type = steps[-1] == "customProperties" and "properties" in steps
        return is_key(steps) and (steps[-1] in OPTIONAL or is_type)
    if mutation is duplicate:
        return (steps[-2] in ("examples", "properties") and "arguments" in steps) or (
            steps[-2] in ("examples", "support")
        )
    return False


@pytest.mark.parametrize("mutation", [rename, change_type, drop, empty, duplicate])
def test_each_mutation_of_the_meaning_is_found(plays: Path, mutation: Any) -> None:
    chance = random.Random(f"contracts {mutation.__name__}")
    original = yaml.safe_load(plays.read_text())
    wanted = [
        steps
        for steps in places(original)
        if (is_key(steps) if mutation is not duplicate else not is_key(steps))
        and not may_stay_unseen(mutation, steps)
    ]
    unseen = []
    for steps in chance.sample(wanted, min(ROUNDS, len(wanted))):
        data = copy.deepcopy(original)
        mutation(data, steps, chance)
        plays.write_text(yaml.safe_dump(data, sort_keys=False))
        if not lint([plays]).problems:
            unseen.append((steps, at(data, steps[:-1])))
    assert not unseen


@pytest.mark.parametrize("other", [["q"], {"q": 1}], ids=["list", "mapping"])
@pytest.mark.parametrize("name", ["interactions/plays", "operational/users"])
def test_a_list_or_mapping_in_the_place_of_any_value_is_a_problem(
    plays: Path, name: str, other: object
) -> None:
    path = plays.parents[1] / f"{name}.odcs.yaml"
    original = yaml.safe_load(path.read_text())
    unseen = []
    for steps in places(original):
        if isinstance(at(original, steps), dict | list):
            continue
        data = copy.deepcopy(original)
        at(data, steps[:-1])[steps[-1]] = other
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        if not lint([path]).problems:
            unseen.append(steps)
    assert not unseen


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_and_lines_never_crash(plays: Path, seed: int) -> None:
    chance = random.Random(seed)
    original = plays.read_bytes()
    lines = original.splitlines(keepends=True)
    for _ in range(100):
        kind = chance.choice(["bytes", "cut", "lines", "signs", "twice"])
        if kind == "bytes":
            broken = bytearray(original)
            for _ in range(chance.randint(1, 20)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
        elif kind == "cut":
            broken = bytearray(original[: chance.randrange(len(original))])
        elif kind == "signs":
            broken = bytearray(original)
            place = chance.randrange(len(broken))
            broken[place:place] = bytes(chance.choices(b"{}[]&*!|>'\"%@`:,#-?\n\t ", k=3))
        else:
            mixed = list(lines)
            first, second = chance.sample(range(len(mixed)), 2)
            if kind == "twice":
                mixed.insert(second, mixed[first])
            else:
                mixed[first], mixed[second] = mixed[second], mixed[first]
            broken = bytearray(b"".join(mixed))
        plays.write_bytes(bytes(broken))
        for problem in lint([plays]).problems:
            assert problem.line >= 1
            assert problem.message.endswith((".", "…"))
            assert "\n" not in str(problem)
        try:
            contract = load_contract(plays)
            contract.row_rules()
        except ContractInvalid as error:
            assert error.where is not None


def test_a_line_that_stands_twice_is_never_the_silent_winner(plays: Path) -> None:
    lines = plays.read_text().splitlines()
    single = [
        number
        for number, line in enumerate(lines)
        if ": " in line and not line.lstrip().startswith("-") and "query" not in line
    ]
    chance = random.Random("twice")
    for number in chance.sample(single, 40):
        inside_query = lines[number].lstrip().startswith(("SELECT", "WHERE"))
        if inside_query:
            continue
        plays.write_text("\n".join([*lines[: number + 1], *lines[number:]]))
        rules = {problem.rule for problem in lint([plays]).problems}
        assert rules & {"KEY_DUPLICATE", "YAML_INVALID"}, lines[number]
