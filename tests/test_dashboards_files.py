"""The numbers of a chart as a file: its heads, and texts that no spreadsheet runs."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from html import unescape
from io import StringIO
from typing import Any

import pytest

from mesh.dashboards import load_dashboards
from mesh.dashboards.csv_file import cell, csv_text
from mesh.dashboards.preview.page import page_html
from mesh.dashboards.preview.present import PageView
from tests.dashboards_data import card, dashboard, filled, movie
from tests.dashboards_data import presented as page
from tests.project_copy import PROJECT

BOARDS = [loaded.dashboard.id for loaded in load_dashboards(PROJECT.dashboards)]


def html(view: PageView) -> str:
    return page_html(view, [view], PROJECT)


def test_every_chart_with_rows_has_its_numbers_as_a_file_and_a_link_to_itself() -> None:
    view = page("user_360", filled("user_360", genres_like_share=[{"genre": "War"}]))
    text = html(view)
    for chart in view.charts:
        assert f'href="#{chart.spec.id}"' in text
        assert (f'data-file="{chart.spec.id}"' in text) is bool(chart.csv)
    packed = json.loads(unescape(re.findall(r'id="data">(.*?)</script>', text)[0]))["files"]
    assert list(packed) == ["genres_like_share"]
    file = gzip.decompress(base64.b64decode(packed["genres_like_share"])).decode()
    heads, line = file.removeprefix("\ufeff").splitlines()
    assert heads.startswith(
        "genre,share_rank,window_start,as_of,period,Share of those who rated it often,"
    )
    assert line == "War,1,2018-09-24,2018-09-24,1,1,1"


def heads(name: str, chart: str) -> list[str]:
    """The heads of a chart's numbers, without the columns that are none."""
    board = dashboard(name)
    (spec,) = (one for one in board.charts if one.id == chart)
    (read,) = csv.reader(StringIO(csv_text(board, spec, []).removeprefix("\ufeff")))
    return read[len(spec.columns_read(board)) :]


def test_a_count_that_is_rounded_down_says_so_in_the_file() -> None:
    assert heads("movie_report", "years") == ["Ratings (rounded down to 5s)"]
    assert heads("movie_trends", "praise_and_complaint")[-1] == "Users (rounded down to 5s)"


def test_the_end_of_an_interval_says_of_what_it_is_where_its_label_does_not() -> None:
    assert heads("cohorts_and_churn", "survival")[1:3] == [
        "Lower end of share that is still there",
        "Upper end of share that is still there",
    ]
    change = "change of the share of all ratings"
    assert heads("movie_trends", "genre_changes")[1:3] == [
        f"Lower end of {change}",
        f"Upper end of {change}",
    ]
    assert "Lower end of late above early" in heads("movie_report", "opinion")


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_columns_of_a_file_have_one_head(name: str) -> None:
    board = dashboard(name)
    for chart in board.charts:
        told = [*chart.columns_read(board), *heads(name, chart.id)]
        assert len({text.lower() for text in told}) == len(told), chart.id


def test_facts_with_the_same_words_for_their_ends_have_heads_of_their_own() -> None:
    board = dashboard("genre_report")
    alike = {
        name: metric.model_copy(update={"label": f"{end} end"})
        for name, metric in board.metrics.items()
        for end in ("Lower", "Upper")
        if metric.label.startswith(f"{end} end")
    }
    board = board.model_copy(update={"metrics": {**board.metrics, **alike}})
    (chart,) = (one for one in board.charts if one.id == "against_comparable")
    (read,) = csv.reader(StringIO(csv_text(board, chart, []).removeprefix("\ufeff")))
    assert len(set(read)) == len(read)
    assert "Lower end of ratings of a typical rated movie" in read
    assert "Upper end of difference of unrated movies" in read


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-30-", "'-30-"),
        ("@import", "'@import"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("\x01=1", "'\x01=1"),
        ("\u200b=1", "'\u200b=1"),
        # Behind what separates cells in some countries, quoted or not.
        ("Heat;=1+1;x", "Heat;'=1+1;x"),
        ("Heat\t-1", "Heat\t'-1"),
        ("Heat; a-b", "Heat; a-b"),
        ("Drama", "Drama"),
        ("8½", "8½"),
        (-0.25, "-0.25"),
        (0.1 + 0.2, "0.3"),
        (104519, 104519),
        (True, "true"),
        (None, None),
    ],
)
def test_no_text_of_a_file_is_run_by_a_spreadsheet(value: Any, written: Any) -> None:
    assert cell(value) == written


def test_a_file_has_all_periods_of_the_table_and_one_heading_per_column() -> None:
    rows = [movie(1, "=HYPERLINK(1)"), movie(1, "Heat, “the”", period="last_30_days")]
    file = card("movie_trends", "most_rated_movies", rows).csv.removeprefix("\ufeff")
    read = list(csv.DictReader(StringIO(file)))
    assert [row["title"] for row in read] == ["'=HYPERLINK(1)", "Heat, “the”"]
    assert [row["period"] for row in read] == ["last_182_days", "last_30_days"]
    assert len(set(read[0])) == len(file.splitlines()[0].split(","))
