"""The pages in a real browser, with the network cut: how they look on a screen and on paper."""

from __future__ import annotations

import contextlib
import re
import subprocess
import zlib
from pathlib import Path

import pytest

from mesh.dashboards.drawing.vega import THEMES
from mesh.dashboards.preview.png import PHONE_WIDTH, pictures
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT, dashboard, presented
from tests.project_copy import ROOT
from tests.tabs import WIDTHS, Tab, all_data

pytestmark = pytest.mark.browser
pytest_plugins = ["tests.whole_pages"]


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
