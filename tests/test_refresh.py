"""`mesh refresh`: after any sequence of deliveries an environment is as if built anew."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import processes
import pytest
from audience import Audience, epoch, opened, products, small_audience
from built import built
from project_copy import OF_USERS, ProjectCopy, copy_project
from sqlmesh.core.snapshot import SnapshotEvaluator
from sqlmesh.utils.date import to_datetime

from mesh.environments import plan, refresh
from mesh.errors import CheckFailed
from mesh.movielens.ingest import ingest

SEQUENCES = int(os.environ.get("MESH_SEQUENCES", "1"))
GENRE_MONTHS = "interactions_internal.user_genre_ratings_monthly"
KILLED = """
import os, signal, sys
from pathlib import Path
from sqlmesh.core.snapshot import SnapshotEvaluator
from mesh.environments import open_project, refresh
from mesh.project import find_project

left = int(sys.argv[1])
evaluate = SnapshotEvaluator.evaluate

def counted(*args, **kwargs):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return evaluate(*args, **kwargs)

SnapshotEvaluator.evaluate = counted
refresh(open_project(find_project()), "dev")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """Of few models: what a refresh does with each is the same, and test_environment_law.py has
    sequences on all."""
    return few(tmp_path_factory.mktemp("refresh") / "project")


def few(folder: Path) -> ProjectCopy:
    copy = copy_project(folder)
    copy.keep_few(*OF_USERS)
    return copy


@pytest.fixture(scope="module")
def planned(copy: ProjectCopy) -> Path:
    """A database with the small audience in dev; tests work on copies of it."""
    return built(copy, small_audience(), "dev")


@pytest.fixture
def database(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy2(planned, tmp_path / "mesh.duckdb"))


def late(audience: Audience) -> Audience:
    """Two ratings arrive late, in two months, and one is withdrawn from a third."""
    audience.rate(
        1, next(m for m in audience.movies if (1, m) not in audience.ratings), epoch(1997, 2, 3)
    )
    audience.rate(
        2, next(m for m in audience.movies if (2, m) not in audience.ratings), epoch(2016, 5, 3)
    )
    withdrawn = next(
        key for key, (_, at) in audience.ratings.items() if month_of(at) == date(2015, 11, 1)
    )
    del audience.ratings[withdrawn]
    return audience


LATE_MONTHS = (date(1997, 2, 1), date(2015, 11, 1), date(2016, 5, 1))


def month_of(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date().replace(day=1)


def change(audience: Audience) -> bool:
    """One thing that happens to a source; whether it needs a full snapshot to be delivered."""
    chance = audience.chance
    kind = chance.choice(["late", "late", "withdraw", "rename", "genres", "new", "remove", "tags"])
    if kind == "late":
        for _ in range(chance.randint(1, 5)):
            audience.rate(chance.randint(1, 32), chance.choice(list(audience.movies)))
    elif kind == "withdraw":
        month = month_of(chance.choice(list(audience.ratings.values()))[1])
        gone = [key for key, (_, at) in audience.ratings.items() if month_of(at) == month]
        for key in gone[: chance.choice([1, len(gone)])]:
            del audience.ratings[key]
        return True
    elif kind == "rename":
        movie = chance.choice(list(audience.movies))
        audience.movies[movie] = (
            f"Renamed {movie} ({chance.randint(1950, 2016)})",
            audience.movies[movie][1],
        )
    elif kind == "genres":
        audience.make_movie(chance.choice(list(audience.movies)))
    elif kind == "new":
        movie = max(audience.movies) + 1
        audience.make_movie(movie)
        for user in chance.sample(range(1, 33), 6):
            audience.rate(user, movie)
    elif kind == "remove":
        movie = chance.choice(list(audience.movies))
        del audience.movies[movie]
        for table in (audience.ratings, audience.tags):
            for key in [key for key in table if key[1] == movie]:
                del table[key]  # type: ignore[arg-type]
        return True
    else:
        for key in chance.sample(list(audience.tags), 2):
            del audience.tags[key]
        for _ in range(3):
            audience.tag(chance.randint(1, 32), chance.choice(list(audience.movies)))
        return True
    return False


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_after_any_deliveries_and_refreshes_all_is_as_if_built_anew(
    copy: ProjectCopy, database: Path, tmp_path: Path, seed: int
) -> None:
    audience = small_audience()
    audience.chance = random.Random(seed)
    told = []
    for number in range(8):
        snapshot = change(audience)
        source = audience.deliver(tmp_path / f"source_{number}")
        done = ingest(source, append=not snapshot, database=database)
        told.append((done.mode, [str(month) for month in done.changed_months]))
        if number in (1, 4, 7):
            with opened(copy, database) as project:
                refresh(project, "dev")
                found = products(project, "dev")
    fresh = tmp_path / "fresh" / "mesh.duckdb"
    fresh.parent.mkdir()
    ingest(source, database=fresh)
    with opened(copy, fresh) as project:
        plan(project, "dev")
        expected = products(project, "dev")
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, (name, told)


@pytest.fixture(scope="module")
def after_late(copy: ProjectCopy, planned: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the late delivery makes of dev, which models ran for it, and for which months."""
    folder = tmp_path_factory.mktemp("late")
    database = Path(shutil.copy2(planned, folder / "mesh.duckdb"))
    ingest(late(small_audience()).deliver(folder / "source"), database=database)
    spans: list[tuple[str, date, date]] = []
    evaluate = SnapshotEvaluator.evaluate

    def spied(self: Any, snapshot: Any, **arguments: Any) -> Any:
        if snapshot.is_incremental_by_time_range:
            days = (to_datetime(time).date() for time in (arguments["start"], arguments["end"]))
            spans.append((snapshot.name, *days))  # type: ignore[arg-type]
        return evaluate(self, snapshot, **arguments)

    with pytest.MonkeyPatch.context() as patch, opened(copy, database) as project:
        patch.setattr(SnapshotEvaluator, "evaluate", spied)
        first = refresh(project, "dev")
        rows = products(project, "dev")
        second = refresh(project, "dev")
        return first, second, spans, rows, products(project, "dev")


def test_only_the_changed_months_are_built_again(after_late: Any) -> None:
    first, _, spans, *_ = after_late
    assert first.changed_months == LATE_MONTHS
    assert first.seconds > 0
    months = {month for _, start, _ in spans for month in [start.replace(day=1)]}
    assert months == set(LATE_MONTHS)
    assert all((end - start).days <= 31 for _, start, end in spans), spans
    assert any("user_genre_ratings_monthly" in name for name, *_ in spans)


def test_a_delivery_of_ratings_leaves_the_tags_and_movies_alone(after_late: Any) -> None:
    models = set(after_late[0].models)
    assert GENRE_MONTHS in models
    assert not models & {
        "interactions_internal.tag_events",
        "interactions_internal.movies",
        "interactions_internal.movie_genres",
    }


def test_a_second_refresh_finds_nothing_to_do(after_late: Any) -> None:
    _, second, _, rows, again = after_late
    assert (second.changed_months, second.models) == ((), ())
    assert rows == again


def test_a_late_delivery_shows(after_late: Any) -> None:
    rows = after_late[3]["interactions.user_movie_ratings"]
    assert len(rows) == len(late(small_audience()).ratings)


@pytest.mark.parametrize("after", [2, 9])
def test_a_refresh_that_was_killed_is_made_good_by_the_next(
    copy: ProjectCopy, database: Path, tmp_path: Path, after_late: Any, after: int
) -> None:
    ingest(late(small_audience()).deliver(tmp_path / "source"), database=database)
    environment = {**copy.environment, "MESH_DUCKDB": str(database)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(after)], cwd=copy.root, env=environment, timeout=500
    )
    assert killed.returncode == -9
    with opened(copy, database) as project:
        refresh(project, "dev")
        assert products(project, "dev") == after_late[3]


def test_what_an_audit_stopped_is_repaired_by_a_later_refresh(
    copy: ProjectCopy, database: Path, planned: Path
) -> None:
    """A broken rating goes into no table that is shown: products stay as they were."""
    change_by_hand(database, "UPDATE operational.ratings SET rating = rating + 7 WHERE userId = 3")
    with opened(copy, database) as project:
        before = products(project, "dev")
        with pytest.raises(CheckFailed) as caught:
            refresh(project, "dev")
        assert products(project, "dev") == before
    said = str(caught.value)
    assert said.startswith(
        "dev could not be brought up to date and is as it was. "
        "interactions_internal.rating_events: "
    )
    assert "operational.ratings breaks its contract. Rule rating.range: " in said
    assert said.endswith(
        "Mend it, or run `sqlmesh plan dev` if the project has changed since, and run the same "
        "command again."
    )
    undone = "UPDATE operational.ratings SET rating = rating - 7 WHERE userId = 3"
    with duckdb.connect(str(database)) as connection:
        connection.execute(undone)
    with opened(copy, database) as project:
        assert len(refresh(project, "dev").models) > 5
        assert products(project, "dev") == before
        assert refresh(project, "dev").models == ()


def change_by_hand(database: Path, statement: str) -> None:
    """A delivery that changes ratings of user 3 behind the back of ingest's checks."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(statement)
        connection.execute(
            "INSERT INTO operational.changed_months SELECT DISTINCT 2, 'ratings', "
            "date_trunc('month', timestamp)::DATE FROM operational.ratings WHERE userId = 3"
        )


def test_the_current_month_is_built_as_far_as_it_was_delivered(
    copy: ProjectCopy, database: Path, tmp_path: Path
) -> None:
    now = int(datetime.now(UTC).timestamp()) - 60
    audience = small_audience()
    for movie in (1, 2):
        audience.rate(40, movie, now)
        ingest(audience.deliver(tmp_path / f"source_{movie}"), append=True, database=database)
        with opened(copy, database) as project:
            done = refresh(project, "dev")
            assert done.changed_months == (month_of(now),)
            rows = products(project, "dev")["interactions.user_actions"]
        counts = [(count, total) for user, _, _, count, total in rows if user == 40]
        assert counts == [(movie, movie)]


def test_an_environment_with_its_own_version_of_a_model_is_repaired_by_its_own_refresh(
    database: Path, tmp_path: Path, after_late: Any
) -> None:
    copy = few(tmp_path / "project")
    path = "models/interactions/internal/user_genre_ratings_monthly.sql"
    copy.edit(path, "COUNT(*)::INT64", "COUNT(ratings.movie_id)::INT64")
    with opened(copy, database) as project:
        assert GENRE_MONTHS in plan(project, "dev_anna").models
    ingest(late(small_audience()).deliver(tmp_path / "source"), database=database)
    with opened(copy, database) as project:
        refresh(project, "dev")
        assert products(project, "dev") == after_late[3]
        stale = products(project, "dev_anna")
        assert (
            stale["interactions.user_genre_ratings"]
            != after_late[3]["interactions.user_genre_ratings"]
        )
        assert GENRE_MONTHS in refresh(project, "dev_anna").models
        assert products(project, "dev_anna") == after_late[3]
        assert refresh(project, "dev_anna").models == ()


def test_the_command_says_what_it_did(copy: ProjectCopy, database: Path, tmp_path: Path) -> None:
    ingest(late(small_audience()).deliver(tmp_path / "source"), database=database)
    environment = {**copy.environment, "MESH_DUCKDB": str(database)}

    def mesh(*words: str) -> subprocess.CompletedProcess[str]:
        return processes.run("mesh", *words, cwd=copy.root, env=environment, timeout=500)

    done = mesh("refresh", "dev")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    shown = "dev shows delivery 2 now: 3 changed months (1997-02, 2015-11, 2016-05), "
    assert said.startswith(shown), said
    answer = json.loads(mesh("refresh", "dev", "--json").stdout)
    assert answer["changed_months"] == answer["models"] == []
    said = " ".join(mesh("refresh", "dev", "--found").stdout.split())
    assert said.startswith("dev was up to date. No rows of its source came or went since")
    assert "`mesh contracts verify dev` tells" in said
