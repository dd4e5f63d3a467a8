"""The shop in git, for tests of `mesh review` in a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.review import run as report
from mesh.review.models.review_worker.facts import Models
from tests.review_projects import repository, shop


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The shop in git: one commit on main, and a branch `change` that is checked out."""
    return repository(shop(tmp_path / "clone"))


@pytest.fixture
def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave SQLMesh out, for tests of what surrounds it."""
    monkeypatch.setattr(report, "load_both", lambda *_, **__: (Models(), Models()))
