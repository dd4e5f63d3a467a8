"""Pages with data in full, and the tab of a browser that they are opened in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import TimeoutError as PlaywrightTimeout

from mesh.dashboards.preview.page import page_html
from mesh.dashboards.preview.png import PHONE_WIDTH
from mesh.dashboards.preview.present import PageView
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT, filled, genre, movie
from tests.project_copy import PROJECT

# What every object of JavaScript has by these names.
OF_OBJECTS = ("constructor", "__proto__")
WIDTHS = {"desktop": 1280, "zoomed": 701, "phone": PHONE_WIDTH, "narrow phone": 320}


def all_data() -> dict[str, Any]:
    """Both dashboards in full, with names that try to break out of their page."""
    genres = ["Drama", HOSTILE, RIGHT_TO_LEFT, "Action", "War", "Crime", "IMAX", *OF_OBJECTS]
    slices = [genre(i, name, 700 - 40 * i, 1 - 0.05 * i) for i, name in enumerate(genres, 1)]
    slices.append(genre(10, "Others", 650, 0.9, True))
    bars = [
        {"genre": name, "genre_users": 660 - 20 * i, "genre_share": 1 - 0.02 * i}
        | {"liking_share": 0.5 - 0.02 * i, "asked_users": 300 - i, "share_rank": i}
        for i, name in enumerate([*genres, *(f"Genre {i}" for i in range(10))], 1)
    ]
    sides = [
        {"membership": "members", "group_users": 245, "group_share": 0.4},
        {"membership": "others", "group_users": 365, "group_share": 0.6},
    ]
    movies = [movie(1, HOSTILE), movie(2, RIGHT_TO_LEFT), movie(3, "Amélie", genres="Romance")]
    movies += [movie(rank, f"Movie {rank}") for rank in range(4, 24)]
    movies.append(movie(24, "W" * 200, comparison="new", movie_ratings_change=None))
    movies += [movie(1, "Just now", period="last_30_days")]
    weights = [
        {"segment": name, "segment_share": share, "segment_action_share": 1 - share}
        for name, share in (("raters_only", 0.4), ("all_taggers", 0.03), ("sleepers", 0.59))
    ]
    segments = [
        {"segment": name, "segment_users": users, "segment_share": users / 610}
        for name, users in (("sleepers", 361), ("raters_only", 231), ("all_taggers", 18))
    ]
    return {
        "user_360": filled(
            "user_360",
            active_users=[{"active_users": 59, "active_share": 0.097}],
            all_users=[{"group_users": 610}],
            raters_count=[{"group_users": 245, "group_share": 0.4, "group_active": 35}],
            taggers_count=[{"group_users": 18, "group_share": 0.03}],
            sleepers=[{"group_users": 361, "group_share": 0.59}],
            genres_rated=slices,
            genres_reach=bars,
            genres_liked=slices[:3],
            genres_like_share=bars[:5],
            actions_by_type=[
                {"action_type": "rate", "actions": 100836, "action_share": 0.965},
                {"action_type": "tag", "actions": 3683, "action_share": 0.035},
            ],
            raters=sides,
            taggers=sides,
            group_activity=[
                {"user_group": name, "users_ever": ever, "active_users": lately}
                for name, ever, lately in (("all_users", 610, 59), ("taggers", 18, 8))
            ],
            group_overlap=segments,
            group_weight=weights,
        ),
        "movie_trends": filled(
            "movie_trends",
            most_rated_movies=movies,
            half_year_genres_rated=slices,
            half_year_genres_reach=bars,
            half_year_genres_liked=slices,
            half_year_genres_like_share=bars,
        ),
    }


def written(path: Path, view: PageView, views: list[PageView] | None = None) -> Path:
    """A page as a file, with links to all of the views."""
    path.write_text(page_html(view, views or [view], PROJECT), encoding="utf-8")
    return path


class Tab:
    """A page that is open, and all that it complained about or asked the network for."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, **options: Any):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, offline=True, **options
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        if path.stem != "index":
            self.page.wait_for_function("document.documentElement.dataset.ready === 'yes'")

    def point_at(self, mark: Any) -> None:
        """Point at a mark until its tooltip shows; a chart that is drawn anew loses the pointer."""
        for _ in range(5):
            mark.hover()
            try:
                self.page.wait_for_selector("#tip:not([hidden])", timeout=3000)
                return
            except PlaywrightTimeout:
                self.page.mouse.move(0, 0)
        raise AssertionError("no tooltip shows")

    def point_at_line(self, chart: str, place: int) -> None:
        """Point at a line that is not seen, and is as wide as its stroke alone."""
        line = self.page.locator(f"{chart} line[opacity='0']").nth(place)
        line.evaluate("line => line.closest('.card').scrollIntoView()")
        x, y = line.evaluate(
            "line => { const b = line.getBoundingClientRect(); return [b.x, b.y + b.height / 2]; }"
        )
        self.page.mouse.move(x - 9, y)
        self.page.mouse.move(x, y)
        self.page.wait_for_selector("#tip:not([hidden])", timeout=5000)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *_: Any) -> None:
        self.context.close()
