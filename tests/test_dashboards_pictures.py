"""Pictures of charts where there is no browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mesh.dashboards.preview.png import pictures
from tests import kinds_data
from tests.dashboards_data import presented
from tests.tabs import all_data

pytestmark = pytest.mark.browser


def test_panels_are_drawn_one_by_one_where_there_is_no_browser(tmp_path: Path, monkeypatch) -> None:
    from mesh.dashboards.preview import png

    monkeypatch.setattr(png, "chromium", lambda: None)
    rows = kinds_data.all_rows()["panels"]
    written = pictures([kinds_data.page(panels=rows)], tmp_path)
    assert [path.name for path in written] == [f"kinds.panels.{n}.png" for n in range(1, 9)]
    assert len({path.read_bytes() for path in written}) == 8


def test_charts_are_drawn_where_there_is_no_browser(tmp_path: Path, monkeypatch) -> None:
    from mesh.dashboards.preview import png

    monkeypatch.setattr(png, "chromium", lambda: None)
    view = presented("movie_trends", all_data()["movie_trends"])
    written = pictures([view], tmp_path)
    assert [path.name for path in written] == [
        f"movie_trends.half_year_genres_{name}.png"
        for name in ("rated", "reach", "liked", "like_share")
    ]
    assert all(re.match(rb"\x89PNG", path.read_bytes()) for path in written)
