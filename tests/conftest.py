"""What tests of several files need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import importlib_metadata
import pytest

from mesh.dashboards.preview.png import FLAGS, chromium
from tests.project_copy import ROOT

# A developer's own `.env` wins over the environment in which tests say what they need.
os.environ.setdefault("SQLMESH_DOTENV_PATH", os.devnull)
# SQLMesh walks all installed packages for each plan, and the tests make hundreds in one process.
importlib_metadata.packages_distributions = cache(importlib_metadata.packages_distributions)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if chromium() is None:
        subprocess.run([ROOT / "tests" / "servers" / "install-chromium"], check=True)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield running
        running.close()
