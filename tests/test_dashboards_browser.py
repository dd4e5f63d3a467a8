"""The pages in a real browser, with the network cut."""

from __future__ import annotations

import contextlib
import re
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from mesh.dashboards.drawing.vega import THEMES
from mesh.dashboards.preview.page import index_html, page_html
from mesh.dashboards.preview.png import PHONE_WIDTH, pictures
from mesh.dashboards.preview.present import PageView
from tests import kinds_data
from tests.dashboards_data import (
    HOSTILE,
    RIGHT_TO_LEFT,
    dashboard,
    empty,
    filled,
    genre,
    movie,
    presented,
)
from tests.project_copy import PROJECT, ROOT

pytestmark = pytest.mark.browser
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


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("name", ["index", "user_360", "movie_trends", "nothing", "kinds"])
def test_a_page_opens_without_network_and_complaints(browser, folder: Path, name: str) -> None:
    with Tab(browser, folder / f"{name}.html") as tab:
        assert tab.complaints == []
        assert [url for url in tab.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("name", ["user_360", "movie_trends"])
def test_every_chart_has_marks_and_labels(browser, folder: Path, name: str) -> None:
    with Tab(browser, folder / f"{name}.html") as tab:
        charts = tab.page.locator("[data-chart]")
        assert charts.count() == {"user_360": 10, "movie_trends": 4}[name]
        for chart in charts.all():
            marks = chart.locator("svg path[aria-label]")
            assert marks.count() >= 2
            assert all(box and box["width"] > 1 for box in (m.bounding_box() for m in marks.all()))
            assert "".join(chart.locator("svg text").all_text_contents()).strip()
            assert chart.get_attribute("aria-label")


def test_the_numbers_in_scorecards_slices_and_tables_are_those_of_the_data(
    browser, folder: Path
) -> None:
    with Tab(browser, folder / "user_360.html") as tab:
        assert tab.texts(".scorecard .number") == ["59", "610", "245", "18", "361"]
        labels = tab.page.locator("#genres_rated path[aria-label]").evaluate_all(
            "marks => marks.map(mark => mark.getAttribute('aria-label'))"
        )
        assert "Genre Drama, Users 660, Share of all who rated 95.0%" in labels[0]
        tab.page.locator("#genres_rated summary").click()
        first = tab.page.locator("#genres_rated table.data tbody tr").first.inner_text()
        assert first.split() == ["Drama", "660", "95.0%", "12.8%"]
        assert tab.texts("#actions_by_type .legend li[data-key]")[0].split() == [
            "Ratings",
            "100,836",
            "96.5%",
        ]


def test_a_tooltip_tells_counts_and_shares(browser, folder: Path) -> None:
    with Tab(browser, folder / "user_360.html") as tab:
        tab.point_at(tab.page.locator("#genres_rated path[aria-label]").first)
        text = tab.page.locator("#tip").inner_text()
        assert "Drama" in text
        assert "660" in text
        assert "95.0%" in text


def test_the_table_turns_pages(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        assert tab.page.locator(".rank tbody tr").count() == 10
        assert tab.texts(".pager .where") == ["1–10 of 24 movies"]
        assert tab.page.locator(".previous").is_disabled()
        tab.page.locator(".next").click()
        tab.page.locator(".next").click()
        assert tab.texts(".pager .where") == ["21–24 of 24 movies"]
        assert tab.page.locator(".next").is_disabled()
        assert tab.texts(".rank tbody .title")[-1] == "W" * 200


def test_the_table_sorts_by_any_column_both_ways(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        header = tab.page.locator(".rank th", has_text="Ratings").first
        header.locator("button").click()
        assert header.get_attribute("aria-sort") == "descending"
        numbers = [int(text) for text in tab.texts(".rank tbody td.number:nth-child(4)")]
        assert numbers == sorted(numbers, reverse=True)
        header.locator("button").click()
        assert header.get_attribute("aria-sort") == "ascending"
        numbers = [int(text) for text in tab.texts(".rank tbody td.number:nth-child(4)")]
        assert numbers[0] == 76
        change = tab.page.locator(".rank th", has_text="Change of ratings")
        change.locator("button").focus()
        tab.page.keyboard.press("Enter")
        tab.page.keyboard.press("Enter")
        for _ in range(2):
            tab.page.locator(".next").click()
        badge = tab.page.locator(".rank tbody .delta.new").last
        assert badge.inner_text() == "none before"
        assert badge.get_attribute("title") == "Nothing in 24 Sep – 24 Sep 2018"


def test_the_table_finds_titles_without_accents_and_genres(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        search = tab.page.locator("input[type=search]")
        search.fill("amelie")
        assert tab.texts(".rank tbody .title") == ["Amélie"]
        search.fill("romance")
        assert tab.texts(".rank tbody .title") == ["Amélie"]
        search.fill("nothing like it")
        assert tab.texts(".rank tbody td") == ["Nothing found for this search."]


def test_the_period_of_the_table_can_be_chosen(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        tab.page.locator(".choice label", has_text="Last 30 days").click()
        assert tab.texts(".rank tbody .title") == ["Just now"]


def test_what_is_said_over_the_table_is_of_the_choice_that_it_shows(
    browser, tmp_path: Path
) -> None:
    counts = {"movie_ratings": 200, "movie_ratings_before": 90, "movie_ratings_change": 1.22}
    data = filled("movie_trends", most_rated_movies=[movie(1, "Heat", **counts)])
    with Tab(browser, written(tmp_path / "page.html", presented("movie_trends", data))) as tab:
        said, seen, against = (
            tab.page.locator(f"#most_rated_movies {part}")
            for part in (".window", ".seen", ".against")
        )
        assert seen.inner_text().startswith("Last half year: 1 of 1 movies surely changed: Heat")
        half_year = said.inner_text(), against.inner_text()
        tab.page.locator(".search input").fill("jaws")
        assert tab.texts(".rank tbody td") == ["Nothing found for this search."]
        tab.page.locator(".choice label", has_text="Last 30 days").click()
        why = "No movie was rated by five users or more in this period."
        assert tab.texts(".rank tbody td") == [why]
        assert said.inner_text() == "Last 30 days up to 24 Sep 2018"
        assert not seen.is_visible() and against.inner_text() == ""
        tab.page.locator(".choice label", has_text="Last half year").click()
        assert (said.inner_text(), against.inner_text()) == half_year and seen.is_visible()
        assert tab.complaints == []


def test_hostile_names_show_as_text(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        assert tab.texts(".rank tbody .title")[:2] == [HOSTILE, RIGHT_TO_LEFT]
        assert HOSTILE in tab.texts("#half_year_genres_rated .legend .name")
        tab.point_at(tab.page.locator("#half_year_genres_rated path[aria-label]").nth(1))
        assert tab.texts("#tip strong") == [HOSTILE]
        assert tab.page.evaluate("typeof window.hacked") == "undefined"
        assert tab.page.locator("img").count() == 0
    with Tab(browser, folder / "index.html") as tab:
        assert HOSTILE in tab.texts(".first li")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index", "user_360", "movie_trends", "nothing", "kinds"])
def test_nothing_sticks_out(browser, folder: Path, name: str, width: str) -> None:
    with Tab(browser, folder / f"{name}.html", WIDTHS[width]) as tab:
        inner, outer = tab.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert inner <= outer
        for card in tab.page.locator(".card").all():
            content, room = card.evaluate("card => [card.scrollWidth, card.clientWidth]")
            assert content <= room, card.get_attribute("id")
        cut_off = """chart => [...chart.querySelectorAll("text")].filter(text => {
            const part = text.getBoundingClientRect(), whole = chart.getBoundingClientRect();
            return part.left < whole.left - 1 || part.right > whole.right + 1;
        }).map(text => text.textContent)"""
        for chart in tab.page.locator("[data-chart]").all():
            assert chart.evaluate(cut_off) == [], chart.get_attribute("data-chart")


def test_no_word_of_a_heading_is_broken_where_the_table_is_narrow(browser, folder: Path) -> None:
    lines = """button => {
        const word = document.createRange();
        word.selectNodeContents(button.firstChild);
        return word.getClientRects().length;
    }"""
    with Tab(browser, folder / "movie_trends.html", 700) as tab:
        for head in tab.page.locator(".rank th button").all():
            assert head.evaluate(lines) <= len(head.inner_text().split()) // 2 + 1, (
                head.inner_text()
            )


@pytest.mark.parametrize("name", ["user_360", "kinds"])
def test_a_page_is_ready_within_a_second(browser, folder: Path, name: str) -> None:
    with Tab(browser, folder / f"{name}.html") as tab:
        session = tab.context.new_cdp_session(tab.page)
        # The time of the page's own thread: other work on this machine does not count.
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.page.reload()
        tab.page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        measured = session.send("Performance.getMetrics")["metrics"]
    seconds = {metric["name"]: metric["value"] for metric in measured}["TaskDuration"]
    assert 0 < seconds < 1


def test_a_month_tells_its_numbers_when_one_points_near_it(browser, folder: Path) -> None:
    with Tab(browser, folder / "kinds.html") as tab:
        tab.point_at_line("#one_line", 8)
        assert tab.texts("#tip")[0].split("\n")[0] == "Sep 2014"
        assert "Plays" in tab.texts("#tip")[0] and "The last 12 months" in tab.texts("#tip")[0]
        # In a panel the page writes the numbers itself.
        tab.point_at_line("#panels .vega[data-panel='7']", 20)
        told = tab.texts("#tip")[0]
        assert "Sep 2015" in told and "6.3% (5.5% to 7.1%)" in told and "900" in told
        tab.point_at(tab.page.locator("#cohorts path[aria-label*='Sep 2017, 10']"))
        assert "held back: too few" in tab.texts("#tip")[0]


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_points_and_lines_do_not_cover_each_other(
    browser, folder: Path, width: str
) -> None:
    boxes = """chart => [...chart.querySelectorAll("svg text")]
        .filter(text => text.textContent.trim() && +getComputedStyle(text).opacity > 0
            && text.getAttribute("opacity") !== "0")
        .map(text => { const box = text.getBoundingClientRect();
            return [text.textContent, box.left, box.top, box.right, box.bottom]; })"""
    with Tab(browser, folder / "kinds.html", WIDTHS[width]) as tab:
        for chart in ("demand", "genre_lines", "survival", "tags"):
            found = tab.page.locator(f"[data-chart={chart}]").evaluate(boxes)
            assert len(found) > 8
            for index, (name, left, top, right, bottom) in enumerate(found):
                for other, left2, top2, right2, bottom2 in found[index + 1 :]:
                    wide = min(right, right2) - max(left, left2)
                    high = min(bottom, bottom2) - max(top, top2)
                    assert wide < 1 or high < 4, (chart, name, other)


def test_the_numbers_of_a_chart_are_downloaded_as_a_file(browser, folder: Path) -> None:
    with Tab(browser, folder / "kinds.html") as tab:
        with tab.page.expect_download() as waiting:
            tab.page.locator("#tags .csv").click()
        assert waiting.value.suggested_filename == "kinds.tags.csv"
        lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("\ufefftag,as_of,Difference in stars,") and len(lines) == 19
        assert tab.complaints == []


def test_a_link_leads_to_its_chart(browser, folder: Path) -> None:
    with Tab(browser, folder / "kinds.html") as tab:
        link = tab.page.locator("#demand .anchor")
        assert link.get_attribute("aria-label") == "Link to Demand against supply"
        link.click()
        assert tab.page.url.endswith("kinds.html#demand")
        assert tab.page.locator("#demand:target").count() == 1


def test_a_chart_says_that_it_follows_no_choice_while_there_is_one(browser, tmp_path: Path) -> None:
    data = filled("movie_trends", most_rated_movies=[movie(1, "Heat")])
    view = presented("movie_trends", replace(data, options={"genre": [{"genre": "Drama"}]}))
    with Tab(browser, written(tmp_path / "page.html", view)) as tab:
        said = tab.page.locator("#most_rated_movies .unmoved")
        assert not said.is_visible()
        for picked in ("Drama", "All genres"):
            tab.page.locator("#genre-control").select_option(picked)
            said.wait_for(state="visible" if picked == "Drama" else "hidden")
        assert said.text_content() == "Does not follow “Genre over the years”."
        assert tab.complaints == []


def test_what_a_page_states_is_nobodys_choice_until_another_is_made(
    browser, tmp_path: Path
) -> None:
    periods = [{"period": "all_time"}, {"period": "last_182_days"}]
    data = replace(filled("user_360", all_users=[{}]), options={"period": periods})
    view = presented("user_360", data)
    with Tab(browser, written(tmp_path / "page.html", view)) as tab:
        said = tab.page.locator("#all_users .unmoved")
        assert not said.is_visible()
        for picked in ("Last half year", "All ratings"):
            tab.page.locator("#period-control").select_option(picked)
            said.wait_for(state="hidden" if picked == "All ratings" else "visible")
        assert tab.complaints == []


def test_light_and_dark_follow_the_system_and_the_button(browser, folder: Path) -> None:
    def ground(tab: Tab) -> str:
        return tab.page.evaluate("getComputedStyle(document.body).backgroundColor")

    with Tab(browser, folder / "user_360.html", color_scheme="dark") as tab:
        assert ground(tab) == "rgb(15, 19, 25)"
        assert tab.page.locator("#raters svg path[stroke='#181E26']").count() == 2
        tab.page.locator("#theme").click()
        assert ground(tab) == "rgb(244, 246, 248)"
        tab.page.wait_for_selector("#raters svg path[stroke='#FFFFFF']")
        assert tab.complaints == []


def test_everything_can_be_reached_by_keyboard(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        reached = set()
        for _ in range(60):
            tab.page.keyboard.press("Tab")
            reached.add(
                tab.page.evaluate(
                    "[document.activeElement].map(e => `${e.tagName}.${e.id || e.type || ''}`)[0]"
                )
            )
        words = " ".join(sorted(reached))
        for part in (
            "BUTTON.theme",
            "INPUT.radio",
            "INPUT.search",
            "BUTTON.button",
            "LI.",
            "SUMMARY.",
        ):
            assert part in words, part


@pytest.mark.parametrize("media", ["screen", "print"])
def test_without_scripts_each_picture_says_so_and_its_numbers_can_be_read(
    browser, folder: Path, media: str
) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto((folder / "kinds.html").as_uri())
    page.emulate_media(media=media)
    cards = page.locator(".card:has(.vega)")
    assert cards.count() == 10
    for card in cards.all():
        why = "The picture needs JavaScript to be switched on. Its numbers stand below."
        assert card.locator(".empty").inner_text() == why
        assert card.locator("table.data tbody td").first.is_visible()
        for lost in card.locator(".vega, .csv").all():
            assert not lost.is_visible()
    context.close()


def test_numbers_that_are_open_without_scripts_move_nothing_where_there_are_some(
    browser, folder: Path
) -> None:
    with Tab(browser, folder / "kinds.html") as tab:
        assert not [one for one in tab.page.locator(".card .empty").all() if one.is_visible()]
        after = tab.page.locator("table.data").first.is_visible()
        heights = "cards => cards.map(card => card.getBoundingClientRect().height)"
        closed = tab.page.locator(".card").evaluate_all(heights)
        # As the page is before its own script runs.
        tab.page.evaluate(
            "document.querySelectorAll('.numbers details').forEach(one => { one.open = true; });"
            "delete document.documentElement.dataset.ready;"
        )
        assert not after and not tab.page.locator("table.data").first.is_visible()
        assert tab.page.locator(".card").evaluate_all(heights) == closed


def test_a_print_has_no_controls(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        tab.page.emulate_media(media="print")
        controls = tab.page.locator(".controls").all()
        assert controls and not any(one.is_visible() for one in controls)
        assert not tab.page.locator(".top").is_visible()
        assert tab.page.locator("#most_rated_movies").is_visible()


def inks(pdf: bytes) -> set[str]:
    """The colours that a PDF fills or draws with, as the web writes them."""
    found = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            for colour in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) rg", zlib.decompress(stream)):
                found.add("#" + "".join(f"{round(float(part) * 255):02X}" for part in colour))
    return found


def test_legends_keep_their_colours_on_paper_without_background_graphics(
    browser, folder: Path
) -> None:
    with Tab(browser, folder / "user_360.html") as tab:
        # Charts are drawn and always printed: only what is left can lose its colours.
        tab.page.add_style_tag(content=".vega { display: none }")
        printed = inks(tab.page.pdf(print_background=False))
    stated = dashboard("user_360").colours
    assert {stated[name] for name in ("Drama", "Action", "Raters", "Tags")} <= printed


def test_a_dark_page_is_printed_light_and_is_dark_again(browser, folder: Path) -> None:
    with Tab(browser, folder / "user_360.html", color_scheme="dark") as tab:
        printed = inks(tab.page.pdf(print_background=False))
        assert THEMES["light"]["@ink"] in printed
        assert not printed & (set(THEMES["dark"].values()) - set(THEMES["light"].values()))
        assert tab.page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert tab.page.locator("#raters svg path[stroke='#181E26']").count() == 2


def test_all_movies_are_printed_and_the_page_is_as_it_was(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        tab.page.locator("input[type=search]").fill("movie")
        tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert tab.page.locator(".rank tbody tr").count() == 20
        tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.page.locator(".rank tbody tr").count() == 10


def test_a_wide_chart_is_drawn_for_the_sheet_and_then_for_the_window(browser, folder: Path) -> None:
    """Scaled down, its letters could not be read."""
    with Tab(browser, folder / "kinds.html") as tab:
        widths = "all => all.map(box => +box.querySelector('svg').getAttribute('width'))"
        before = tab.page.locator(".vega").evaluate_all(widths)
        assert max(before) > 640
        tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert max(tab.page.locator(".vega").evaluate_all(widths)) <= 640
        tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.page.locator(".vega").evaluate_all(widths) == before
        assert tab.complaints == []


def test_the_head_of_a_table_is_printed_on_each_sheet(browser, folder: Path) -> None:
    """Chromium keeps the room of controls in a head that it repeats, and leaves them out."""
    with Tab(browser, folder / "movie_trends.html") as tab:
        tab.page.emulate_media(media="print")
        display = "heads => heads.map(one => getComputedStyle(one).display)"
        assert set(tab.page.locator(".rank th button").evaluate_all(display)) == {"contents"}


def test_a_place_of_four_digits_stands_in_one_line(browser, folder: Path) -> None:
    with Tab(browser, folder / "movie_trends.html") as tab:
        place = tab.page.locator(".rank tbody td.rank").first
        height = place.evaluate("cell => cell.clientHeight")
        assert (
            place.evaluate("cell => { cell.textContent = '1000'; return cell.clientHeight; }")
            == height
        )


def test_a_screen_reader_hears_what_a_chart_is(browser, folder: Path) -> None:
    with Tab(browser, folder / "user_360.html") as tab:
        labels = tab.page.locator("[role=graphics-document]").evaluate_all(
            "charts => charts.map(chart => chart.getAttribute('aria-label'))"
        )
    assert labels[0].startswith("Genres by users who rated them. Pie with 10 parts: Drama, 660, ")
    assert not any(label.startswith("Vega") for label in labels)


def test_of_small_pictures_each_is_called_by_its_own_name(browser, folder: Path) -> None:
    with Tab(browser, folder / "kinds.html") as tab:
        names = tab.texts("#panels .panel bdi")
        labels = tab.page.locator("#panels [role=graphics-document]").evaluate_all(
            "charts => charts.map(chart => chart.getAttribute('aria-label'))"
        )
    assert len(names) == 8
    for name, label in zip(names, labels, strict=True):
        assert f". {name}: " in label and len(label) < 120


def test_numbers_that_are_shown_do_not_stretch_the_card_beside_them(browser, folder: Path) -> None:
    with Tab(browser, folder / "user_360.html") as tab:
        beside = tab.page.locator("#taggers")
        before = beside.bounding_box()["height"]
        tab.page.locator("#raters summary").click()
        assert beside.bounding_box()["height"] <= before


def test_the_table_of_sources_can_be_read_on_a_phone(browser, folder: Path) -> None:
    with Tab(browser, folder / "user_360.html", PHONE_WIDTH) as tab:
        for cell in tab.page.locator(".sources th[scope=row], .sources td").all():
            box = cell.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE_WIDTH
        views = tab.texts(".sources td[data-label='Read from']")
        assert "mesh.engagement.audience_groups" in views


def test_a_number_of_millions_stays_on_one_line_on_a_phone(browser, folder: Path) -> None:
    with Tab(browser, folder / "user_360.html", PHONE_WIDTH) as tab:
        own = tab.page.locator("#all_users .number").get_attribute("style")
        assert own == "--letters: 3"
        for card in tab.page.locator(".scorecard .number").all():
            # As the page writes a number of ten letters: none of its parts may go below another.
            heights = card.evaluate(
                "e => [...['1', '25,000,095']].map(text => { e.textContent = text;"
                " e.style.setProperty('--letters', text.length); const r = document.createRange();"
                " r.selectNodeContents(e); const box = r.getBoundingClientRect();"
                " return [r.getClientRects().length, box.width, e.clientWidth]; })"
            )
            assert [lines for lines, _, _ in heights] == [1, 1]
            assert all(width <= room for _, width, room in heights)


def test_pictures_are_taken_of_pages_and_charts(browser, folder: Path, tmp_path: Path) -> None:
    assert browser
    script = (
        "import sys; from pathlib import Path; root = sys.argv[2];"
        "sys.path[:0] = [root, root + '/tests'];"
        "from tests.test_dashboards_browser import take; take(Path(sys.argv[1]))"
    )
    import sys

    subprocess.run([sys.executable, "-c", script, str(folder), str(ROOT)], check=True, timeout=120)
    names = {path.name for path in (folder / "png").glob("*.png")}
    assert {"movie_trends.png", "movie_trends-dark.png", "movie_trends-phone.png"} <= names
    assert "movie_trends.most_rated_movies.png" in names


def take(folder: Path) -> None:
    """Pictures of the trends; in a process of its own, as Playwright runs once per process."""
    view = presented("movie_trends", all_data()["movie_trends"])
    pictures([view], folder)


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
