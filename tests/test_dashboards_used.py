"""The pages in a real browser as somebody uses them: what is sought, sorted, picked and linked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.dashboards.preview.page import page_html
from mesh.dashboards.preview.png import PHONE_WIDTH
from tests.dashboards_data import HOSTILE, filled, movie, presented
from tests.picked_data import page
from tests.project_copy import PROJECT
from tests.tabs import Tab, written

pytestmark = pytest.mark.browser
pytest_plugins = ["tests.whole_pages"]


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


class Open:
    """The page in a browser, what it complained about, and what it shows."""

    def __init__(self, browser: Any, path: Path, link: str = "", width: int = 1280):
        self.page = browser.new_context(
            viewport={"width": width, "height": 900}, offline=True
        ).new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri() + link)

    def until(self, selector: str, text: str) -> None:
        wanted = """([selector, text]) => document.documentElement.dataset.ready === 'yes' &&
            [...document.querySelectorAll(selector)].some(one => one.textContent.includes(text))"""
        self.page.wait_for_function(wanted, arg=[selector, text])

    @property
    def link(self) -> str:
        return self.page.evaluate("location.hash")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("picked") / "picked.html"
    shown = page()
    made.write_text(page_html(shown, [shown], PROJECT), encoding="utf-8")
    return made


def test_a_genre_is_picked_by_keys_and_the_page_can_be_linked(browser, path: Path) -> None:
    tab = Open(browser, path)
    tab.until(".question", "How is Drama doing?")
    tab.page.get_by_label("Genre", exact=True).focus()
    tab.page.keyboard.press("ArrowDown")
    tab.until("#genre_plays .seen", "9,600 in Aug 2018")
    assert tab.page.get_by_role("status").first.inner_text() == "Showing Western, All data, slow."
    assert tab.page.locator(".question").inner_text() == "How is Western doing?"
    assert tab.link == "#genre=Western&period=&tag=slow"
    assert tab.page.locator("#genre_plays .anchor").get_attribute("href") == (
        "#genre_plays&genre=Western&period=&tag=slow"
    )
    assert tab.page.locator("#genre_plays svg path").count() > 0
    assert not tab.page.locator("#genre_plays table.data").is_visible()
    tab.page.locator("#genre_plays summary").click()
    tab.page.go_back()
    tab.until("#genre_plays .seen", "320 in Aug 2018")
    # What was opened stays open.
    assert tab.page.locator("#genre_plays table.data").is_visible()
    assert tab.page.locator("#genre-control").input_value() == "Drama"
    assert tab.complaints == []


def test_a_link_opens_the_page_as_it_was_picked_at_its_chart(browser, path: Path) -> None:
    tab = Open(browser, path, "#tag_facts&genre=Western&period=12&tag=Am%C3%A9lie", PHONE_WIDTH)
    tab.until("#tag_list .title", "Amélie")
    tab.until("#genre_plays .seen", "9,600")
    assert tab.page.locator("#tag-control").input_value() == "Amélie"
    assert tab.page.locator("#period-control").input_value() == "Last 12 months"
    assert tab.page.locator(".card.target").get_attribute("id") == "tag_facts"
    inner, outer = tab.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert inner <= outer


def test_a_value_is_found_by_typing_without_accents(browser, path: Path) -> None:
    tab = Open(browser, path)
    tab.until(".question", "Drama")
    box = tab.page.get_by_role("combobox", name="Tag")
    box.click()
    assert box.get_attribute("aria-expanded") == "true"
    box.fill("nothing like it")
    assert tab.page.locator("[role=listbox]").inner_text() == (
        "Nothing found among the first 6 of 53 under “Tag”."
    )
    box.fill("ame")
    tab.page.keyboard.press("ArrowDown")
    picked = tab.page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert picked.inner_text() == "Amélie" and picked.get_attribute("aria-selected") == "true"
    tab.page.keyboard.press("Enter")
    tab.until("#tag_list .title", "Amélie")
    assert box.get_attribute("aria-expanded") == "false" and box.input_value() == "Amélie"
    box.fill("slo")
    tab.page.keyboard.press("Escape")
    assert box.input_value() == "Amélie"
    box.fill("script")
    tab.page.locator("[role=listbox] [role=option]").click()
    tab.until("#tag_list .title", HOSTILE)
    assert tab.page.evaluate("typeof window.hacked") == "undefined" and tab.complaints == []


def test_what_was_not_found_leaves_the_page_and_its_box_as_they_are(browser, path: Path) -> None:
    tab = Open(browser, path, "#tag=Am%C3%A9lie")
    tab.until("#tag_list .title", "Amélie")
    link = tab.link
    box = tab.page.get_by_role("combobox", name="Tag")
    # Nothing like it, nothing at all, blanks, and a list that was opened by a click alone.
    for words in ("nothing like it", "", "  ", None):
        if words is None:
            box.click()
        else:
            box.fill(words)
        assert box.get_attribute("aria-expanded") == "true", words
        tab.page.keyboard.press("Enter")
        assert box.get_attribute("aria-expanded") == "false", words
        assert (box.input_value(), tab.link) == ("Amélie", link), words
    assert tab.page.locator("#tag_list .title").inner_text() == "Amélie"
    # What the arrows point at in the whole list is picked, and the first of what was sought.
    box.fill("")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.until("#tag_list .title", "slow")
    box.fill("ame")
    tab.page.keyboard.press("Enter")
    tab.until("#tag_list .title", "Amélie")
    assert tab.complaints == []


def test_a_link_to_what_is_not_there_says_so_and_the_file_is_of_what_is_picked(
    browser, path: Path
) -> None:
    tab = Open(browser, path, "#genre=Opera&tag=tag%200&other=1&%")
    tab.until("#tag_list .title", "tag 0")
    said = tab.page.get_by_role("status").first.inner_text()
    assert said == "There is no “Opera” here: this is Drama."
    with tab.page.expect_download() as download:
        tab.page.locator("#tag_list .csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert "tag 0" in text and "slow" not in text
    # A picture of what is picked follows the theme too.
    tab.page.locator("#theme").click()
    assert tab.complaints == []
