"""`mesh dashboards serve`: pages of any environment, drawn when somebody asks for them."""

from __future__ import annotations

import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError

import pytest

from mesh.contracts import load_contracts
from mesh.dashboards import load_dashboards
from mesh.dashboards.data import ChartData, read_data
from mesh.dashboards.parts import Filter
from mesh.dashboards.preview.build import Drawn, drawn_page
from mesh.dashboards.preview.serve import Built, Site, make_server
from mesh.environments import Opened
from mesh.errors import CheckFailed, WrongUse
from tests.project_copy import PROJECT
from tests.verify_project import ENVIRONMENT

pytest_plugins = ["tests.verify_project"]


class Kept:
    """The built project, which a server may not close."""

    def __init__(self, project: Opened):
        self._project = project

    def __getattr__(self, name: str):
        return getattr(self._project, name)

    @property
    def context(self):
        class Open:
            def __init__(self, context):
                self._context = context

            def __getattr__(self, name):
                return (lambda: None) if name == "close" else getattr(self._context, name)

        return Open(self._project.context)


@pytest.fixture
def address(built: Opened, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A running server that has a page when it answers, and the folder of its spec."""
    shutil.copy(PROJECT.dashboards / "user_360.yaml", tmp_path)
    with served(Site(PROJECT, lambda: Kept(built), specs=tmp_path, patience=600)) as url:
        yield url, tmp_path


@contextmanager
def served(site: Site) -> Iterator[str]:
    server = make_server(site, 0, ENVIRONMENT)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_server_shows_any_environment_and_follows_a_spec(address: tuple[str, Path]) -> None:
    url, specs = address
    status, text = get(url)
    assert status == 200
    assert f'<option value="{ENVIRONMENT}" selected>' in text
    _, version = get(f"{url}/{ENVIRONMENT}/version")
    spec = specs / "user_360.yaml"
    spec.write_text(spec.read_text().replace("title: User 360", "title: All about users", 1))
    assert get(f"{url}/{ENVIRONMENT}/version")[1] != version
    assert "All about users" in get(f"{url}/{ENVIRONMENT}/user_360.html")[1]


def test_who_opens_a_page_is_told_that_it_is_being_drawn_and_gets_it_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = threading.Event()

    def waits(self: Site, environment: str) -> Built:
        assert drawn.wait(60)
        if environment == "broken":
            raise CheckFailed("a chart is wrong.")
        return Built("1", {"index.html": f"<title>{environment}</title>"})

    monkeypatch.setattr(Site, "get", waits)
    names = ["acceptance", "broken"]
    with served(Site(PROJECT, lambda: None, patience=0.01, names=names)) as url:
        for _ in range(2):
            status, text = get(f"{url}/acceptance/")
            assert status == 503
            assert "The dashboards of acceptance are being drawn" in text
            assert 'http-equiv="refresh"' in text
        # A page that is open stays as it is.
        assert get(f"{url}/acceptance/version") == (503, "")
        assert get(f"{url}/broken/")[0] == 503
        drawn.set()
        until(lambda: get(f"{url}/acceptance/") == (200, "<title>acceptance</title>"))
        until(lambda: get(f"{url}/broken/")[0] == 500)


def test_names_that_no_environment_has_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any page that is open in the browser can ask for them."""
    asked: list[str] = []

    state = SimpleNamespace(context=SimpleNamespace(close=lambda: None), environment_names=["prod"])

    def opened() -> SimpleNamespace:
        asked.append("state")
        return state

    def found(self: Site, environment: str) -> Built:
        asked.append(environment)
        return Built("1", {"index.html": environment})

    monkeypatch.setattr(Site, "get", found)
    site = Site(PROJECT, lambda: pytest.fail("The models are not needed."), open_state=opened)
    with served(site) as url:
        assert get(f"{url}/prod/") == (200, "prod")
        for number in range(40):
            status, text = get(f"{url}/zz{number}/")
            assert (
                status == 404 and f"there is no environment &#x27;zz{number}&#x27; (prod)" in text
            )
        assert asked == ["state", "prod"] and not site.pending
        # One that was made since is found when it is asked again.
        state.environment_names = ["dev", "prod"]
        assert get(f"{url}/dev/")[0] == 404
        site.asks_again = 0
        assert get(f"{url}/dev/") == (200, "dev")


def test_no_page_of_others_shows_these_within_itself() -> None:
    with served(Site(PROJECT, lambda: None)) as url, pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{url}/there/is/no/such/page")
    headers = refused.value.headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def until(true: Callable[[], bool]) -> None:
    """Wait for it, half a minute at most."""
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("It did not come true.")


def test_data_go_up_to_the_newest_day_of_the_sources_whatever_the_charts_show(
    built: Opened,
) -> None:
    boards = {
        loaded.dashboard.id: loaded.dashboard for loaded in load_dashboards(PROJECT.dashboards)
    }
    board = boards["user_360"]
    day = read_data(built, ENVIRONMENT, board).as_of
    assert day is not None
    nobody = Filter(field="user_group", equals="nobody")
    (chart,) = (one for one in board.charts if one.id == "all_users")
    empty = board.model_copy(update={"charts": [chart.model_copy(update={"filters": [nobody]})]})
    data = read_data(built, ENVIRONMENT, empty)
    assert (data.charts["all_users"].rows, data.as_of) == ((), day)


def test_what_another_environment_shows_the_same_of_is_not_drawn_again(
    built: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = (loaded.dashboard for loaded in load_dashboards(PROJECT.dashboards))
    (board,) = (one for one in boards if one.id == "user_360")
    data = read_data(built, ENVIRONMENT, board)
    elsewhere = replace(
        data,
        environment="other",
        sources=tuple(replace(one, view=f"other.{one.product}") for one in data.sources),
    )
    contracts = load_contracts(PROJECT.contracts)
    drawn: Drawn = {}
    first = drawn_page(board, data, contracts, drawn)
    monkeypatch.setattr("mesh.dashboards.preview.build.present", None)
    again = drawn_page(board, elsewhere, contracts, drawn)
    assert (again.environment, again.charts) == ("other", first.charts)
    assert {state.view for state, _ in again.sources} == {
        f"other.{one.product}" for one in data.sources
    }
    fewer = replace(data, charts={**data.charts, "active_users": ChartData(())})
    with pytest.raises(TypeError):
        drawn_page(board, fewer, contracts, drawn)


def test_the_server_keeps_the_last_good_page_while_a_spec_is_broken(
    address: tuple[str, Path],
) -> None:
    url, specs = address
    assert get(f"{url}/{ENVIRONMENT}/user_360.html")[0] == 200
    (specs / "user_360.yaml").write_text("id: [")
    status, text = get(f"{url}/{ENVIRONMENT}/user_360.html")
    assert (status, "User 360" in text) == (200, True)


def test_the_server_answers_what_is_not_there_in_words(address: tuple[str, Path]) -> None:
    url, _ = address
    status, text = get(f"{url}/nowhere/")
    assert status == 404
    assert "there is no environment" in text
    assert get(f"{url}/{ENVIRONMENT}/other.html")[0] == 404
    assert get(f"{url}/../../etc/passwd")[0] == 404
    assert get(url + "/", Host="evil.example")[0] == 403


def test_a_port_that_is_taken_is_named(address: tuple[str, Path], built: Opened) -> None:
    port = int(address[0].rpartition(":")[2])
    with pytest.raises(WrongUse, match=f"port {port} cannot be used"):
        make_server(Site(PROJECT, lambda: built), port, ENVIRONMENT)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BrokenPipeError(), ""),
        (ValueError("odd"), "a page could not be sent: ValueError('odd')\n"),
    ],
)
def test_a_viewer_who_leaves_is_no_error_and_others_are_one_line(
    error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with make_server(Site(PROJECT, lambda: None), 0, ENVIRONMENT) as server:
        try:
            raise error
        except type(error):
            server.handle_error(None, None)
    assert capsys.readouterr().err == told
