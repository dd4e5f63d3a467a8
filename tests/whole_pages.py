"""The pages that tests in the browser look at, written once for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.dashboards.preview.page import index_html
from tests import kinds_data
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT, empty, presented
from tests.project_copy import PROJECT
from tests.tabs import OF_OBJECTS, all_data, written


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of `all_data`, and of no data, as files."""
    out = tmp_path_factory.mktemp("pages")
    views = [presented(name, data) for name, data in all_data().items()]
    for view in views:
        written(out / f"{view.board.id}.html", view, views)
    (out / "index.html").write_text(index_html(views, PROJECT), encoding="utf-8")
    nothing = presented("movie_trends", empty("movie_trends"))
    written(out / "nothing.html", nothing, views)
    rows = kinds_data.all_rows()
    rows["tags"][0]["tag"] = rows["demand"][3]["tag"] = HOSTILE
    rows["tags"][1]["tag"], rows["demand"][2]["tag"] = OF_OBJECTS
    rows["panels"] = [
        row | {"genre": RIGHT_TO_LEFT if row["genre"] == "Drama" else row["genre"]}
        for row in rows["panels"]
    ]
    kinds = kinds_data.page(**rows)
    written(out / "kinds.html", kinds)
    return out
