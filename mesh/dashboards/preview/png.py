"""Pictures of pages and charts, taken by Chromium."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mesh.dashboards.preview.present import PageView

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTH, PHONE_WIDTH, SCALE = 1280, 390, 1.5
# How pages are photographed: the end of the file's name, width, colours.
_SIGHTS: tuple[tuple[str, int, Literal["light", "dark"]], ...] = (
    ("", WIDTH, "light"),
    ("-dark", WIDTH, "dark"),
    ("-phone", PHONE_WIDTH, "light"),
)


def chromium() -> str | None:
    """The browser for pictures and tests, if there is one.

    None without Playwright, which leads it: pictures of pages are an extra of the installation.
    """
    if find_spec("playwright") is None:
        return None
    known = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, known), None)


def pictures(pages: list[PageView], out: Path) -> list[Path]:
    """A PNG of each page (wide, dark, on a phone) and of each chart; the paths that were written.

    None without a browser.
    """
    browser = chromium()
    if browser is None:
        return []
    from playwright.sync_api import sync_playwright

    folder = out / "png"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=list(FLAGS))
        for page in pages:
            for suffix, width, scheme in _SIGHTS:
                context = running.new_context(
                    viewport={"width": width, "height": 900},
                    device_scale_factor=SCALE,
                    color_scheme=scheme,
                    offline=True,
                )
                tab = context.new_page()
                tab.goto((out / f"{page.board.id}.html").resolve().as_uri())
                tab.wait_for_function("document.documentElement.dataset.ready === 'yes'")
                path = folder / f"{page.board.id}{suffix}.png"
                tab.screenshot(path=path, full_page=True)
                written.append(path)
                if not suffix:
                    for chart in page.charts:
                        path = folder / f"{page.board.id}.{chart.spec.id}.png"
                        tab.locator(f"#{chart.spec.id}").screenshot(path=path)
                        written.append(path)
                context.close()
        running.close()
    return written
