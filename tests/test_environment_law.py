"""The law of environments, under sequences of deliveries and commands that nobody thought of.

MESH_SEQUENCES: how many sequences; MESH_STEPS: how long each is.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from audience import Audience, epoch
from scene import Scene, begin, clock, copied, shown
from test_refresh import change

from mesh.errors import MeshError, WrongUse

SEQUENCES = int(os.environ.get("MESH_SEQUENCES", "1"))
STEPS = int(os.environ.get("MESH_STEPS", "9"))
FIRST = int(os.environ.get("MESH_FIRST_SEED", "0"))
ENVIRONMENTS = ("prod", "acceptance")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return begin(tmp_path_factory.getbasetemp() / "all", few=False)


def deliver(scene: Scene, chance: random.Random) -> None:
    scene.audience.chance = chance
    snapshot = [change(scene.audience) for _ in range(chance.choice([1, 1, 3]))]
    if chance.random() < 0.3:
        newer(scene.audience, chance)
    scene.deliver(append=not any(snapshot) and chance.random() < 0.7)


def newer(audience: Audience, chance: random.Random) -> None:
    """Ratings in a month that there was none in."""
    for movie in (1, 2):
        audience.rate(40 + movie, movie, epoch(2016, 12, chance.randint(1, 28)))


def step(scene: Scene, chance: random.Random) -> None:
    """One command; what other environments show stays as it was."""
    kind = chance.choice(
        ["deliver", "deliver", "plan", "plan", "refresh", "run", "promote", "back"]
    )
    name, other = chance.sample(ENVIRONMENTS, 2)
    version = chance.choice(list(scene.versions))
    scene.told.append(f"{kind} {name} {version}")
    before = shown(scene.database)
    if kind == "deliver":
        deliver(scene, chance)
        name = ""
    elif kind == "plan":
        scene.plan(name, version)
    elif kind == "refresh":
        scene.refresh(name)
    elif kind == "run":
        days = chance.choice([0, 0, 40])
        if days:
            scene.told.append(f"{days} days later")
        with clock(days=days):
            scene.run(name, version)
    elif kind == "promote":
        scene.promote(other, name)
    elif name in scene.before:
        go_back(scene, name)
    after = shown(scene.database)
    for environment in scene.shows.keys() - {name}:
        assert after[environment] == before[environment], (environment, scene.told)


def go_back(scene: Scene, name: str) -> None:
    """Roll back, unless more than a week went by: then SQLMesh has removed the tables."""
    try:
        scene.rollback(name)
    except WrongUse as error:
        assert "SQLMesh keeps them for a week" in str(error)
        assert any("later" in told for told in scene.told), scene.told


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEQUENCES))
def test_whatever_happens_environments_equal_fresh_builds(
    begun: Scene, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    scene = copied(begun, tmp_path)
    for number in range(STEPS):
        try:
            step(scene, chance)
        except MeshError as error:
            pytest.fail(f"{error} {scene.told}")
        scene.check(whole=number == STEPS - 1)
