"""The build sheet and the links with which a dashboard is built in Looker Studio."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from mesh.cli.dashboards import Host
from mesh.cli.main import app
from mesh.dashboards.looker.links import links
from mesh.dashboards.looker.sheet import build_sheet, sheet
from mesh.dashboards.read import load_dashboards
from mesh.errors import CheckFailed, WrongUse
from mesh.files.generated import update
from mesh.project import Project
from tests.dashboards_data import specs_with
from tests.project_copy import PROJECT

SPECS, CONTRACTS = PROJECT.dashboards, PROJECT.contracts


def test_the_build_sheet_in_the_document_is_up_to_date() -> None:
    assert not update(sheet(PROJECT), only_check=True), "run `mesh docs`"


def test_the_build_sheet_names_every_chart_and_its_filters() -> None:
    sheet = build_sheet(SPECS, CONTRACTS)
    for loaded in load_dashboards(SPECS):
        for chart in loaded.dashboard.charts:
            assert f"(`{chart.id}`)" in sheet
    assert "Include `preference` Equal to `likes`" in sheet


def test_the_build_sheet_names_values_that_looker_studio_can_be_given() -> None:
    """A word of the preview is no value of a column, and a page there counts from today."""
    sheet = build_sheet(SPECS, CONTRACTS)
    year = sheet[sheet.index("(`year`)") :]
    assert "| Default selection | the last 5 values of `cohort` in their order" in year
    assert "| Select | several; who wants one of them" in year
    genre = sheet[sheet.index("#### Control: Genre over the years") :]
    assert "| Default selection | none: all are shown then, “All genres” in the preview |" in genre
    assert "| Control field | `movie_id`, not `title`: two can share that" in sheet
    # The line is a row of the data, which must be no dot.
    years = sheet[sheet.index("(`survival_of_years`)") :]
    assert "with the filter Include `cohort` Equal to `all`, and set it anew" in years
    assert "| Filter of the dots | Exclude `cohort` Equal to `all`, which is the line |" in years
    by_year = sheet[sheet.index("(`survival_by_year`)") : sheet.index("(`survival_of_years`)")]
    assert "CASE WHEN cohort = 'all' THEN 'All years' ELSE cohort END" in by_year
    # What a control picks, a filter of the chart would take away.
    assert "Filter of the last" not in by_year
    assert """WHEN movie_age = 'this_year' THEN "This year's" WHEN""" in sheet


@pytest.mark.parametrize("before", [None, "", "# Our dashboards\n\nAsk Anna.\n"])
def test_the_build_sheet_is_written_beside_what_others_wrote(
    tmp_path: Path, before: str | None
) -> None:
    for folder in (SPECS, CONTRACTS):
        shutil.copytree(folder, tmp_path / folder.name)
    page = tmp_path / "looker" / "README.md"
    page.unlink()
    if before is not None:
        page.write_text(before)
    project = Project(tmp_path)
    assert update(sheet(project)) == [page]
    written = page.read_text()
    assert written.startswith((before or "") + ("\n" if before else "") + "## Build sheet\n")
    assert written.endswith("<!-- end of build sheet -->\n") and "(`raters`)" in written
    assert not update(sheet(project))


@pytest.mark.parametrize("mark", ["<!-- generated: build sheet -->", "<!-- end of build sheet -->"])
def test_a_document_that_lost_a_mark_is_told(tmp_path: Path, mark: str) -> None:
    for folder in (SPECS, CONTRACTS):
        shutil.copytree(folder, tmp_path / folder.name)
    page = tmp_path / "looker" / "README.md"
    page.write_text(page.read_text().replace(mark, ""))
    with pytest.raises(CheckFailed, match=f"one is gone. Put it back: .*`{mark}` "):
        sheet(Project(tmp_path))


def test_a_link_without_a_template_opens_a_report_on_one_source() -> None:
    found = links(SPECS, CONTRACTS, "movie-audience", Host.LOOKER)
    mine = [one for one in found if one.dashboard == "movie_trends"]
    assert {"movies", "genres", "genre_months", "lives"} < {one.source for one in mine}
    query = parse_qs(urlsplit(mine[0].url).query)
    assert query["ds.movies.connector"] == ["bigQuery"]
    assert query["ds.movies.projectId"] == ["movie-audience"]
    assert query["ds.movies.datasetId"] == ["engagement"]
    assert query["ds.movies.tableId"] == ["trending_movies"]
    assert "c.reportId" not in query


def test_a_link_with_a_template_attaches_all_sources_and_keeps_field_types(tmp_path: Path) -> None:
    specs = specs_with(tmp_path, "user_360", "report_id: null", "report_id: abc-123_X")
    found = links(specs, CONTRACTS, "movie-audience", Host.DATA)
    (link,) = [one for one in found if one.dashboard == "user_360"]
    address = urlsplit(link.url)
    assert (address.scheme, address.netloc) == ("https", "datastudio.google.com")
    assert address.path == "/reporting/create"
    query = parse_qs(address.query)
    assert query["c.reportId"] == ["abc-123_X"]
    assert query["r.reportName"] == ["User 360"]
    for alias in ("genres", "actions", "groups", "segments"):
        assert query[f"ds.{alias}.refreshFields"] == ["false"]
        assert query[f"ds.{alias}.type"] == ["TABLE"]
        assert query[f"ds.{alias}.billingProjectId"] == ["movie-audience"]
    assert link.note == "template never checked"


def test_a_link_needs_a_project() -> None:
    with pytest.raises(WrongUse, match="is no id of a Google Cloud project"):
        links(SPECS, CONTRACTS, "No Project", Host.LOOKER)


@pytest.mark.parametrize("host", ["evil.com", "https://lookerstudio.google.com", ""])
def test_a_link_leads_to_looker_studio_and_nowhere_else(host: str) -> None:
    asked = ["dashboards", "links", "--google-project", "movie-audience", "--host", host]
    result = CliRunner().invoke(app, [*asked, "-p", str(PROJECT.root)])
    told = " ".join(result.output.split())
    assert result.exit_code == 2 and "ds." not in told
    assert all(one in told for one in Host)
