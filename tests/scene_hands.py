"""Late deliveries to a scene, and what somebody does to its database without this project."""

from __future__ import annotations

import duckdb
from audience import epoch
from scene import Scene, shown

DAILY = "movie_ratings_daily"
LATE = (epoch(1997, 2, 3), epoch(2016, 5, 3))


def deliver_late(scene: Scene, user: int = 1) -> None:
    """A user, who has not rated all movies, rates two more, in 1997-02 and 2016-05."""
    movies = [
        movie for movie in scene.audience.movies if (user, movie) not in scene.audience.ratings
    ]
    for movie, at in zip(movies, LATE, strict=False):
        scene.audience.ratings[user, movie] = (4.5, at)
    scene.deliver(append=True)


def by_hand(scene: Scene, *statements: str) -> list[tuple]:
    """What somebody does to the database without this project; rows of the last statement."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{scene.database}' AS mesh")
        connection.execute("USE mesh")
        rows = []
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        return rows


def physical(scene: Scene, model: str) -> list[str]:
    """The tables that hold versions of a model, as SQL."""
    found = by_hand(
        scene,
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'mesh' "
        f"AND schema_name LIKE 'sqlmesh\\_\\_%' ESCAPE '\\' AND table_name LIKE '%{model}%'",
    )
    return [f'"{schema}"."{table}"' for schema, table in found]


def unchanged(scene: Scene, environment: str = "prod") -> None:
    """Refuse that an environment shows anything else than it must."""
    found = shown(scene.database)[environment]
    assert found == scene.expected(environment)
