"""Pictures of pages where there is no browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.dashboards.preview import png
from tests import kinds_data


def test_without_a_browser_there_are_no_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "chromium", lambda: None)
    assert png.pictures([kinds_data.page()], tmp_path) == []
    assert not list(tmp_path.iterdir())
