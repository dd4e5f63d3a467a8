"""`mesh dashboards serve`: the dashboards of any environment on this machine.

The database is opened only while pages are built, so that SQLMesh can work beside the server.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mesh.contracts.draft import contract_files
from mesh.dashboards.check import checked_dashboards
from mesh.dashboards.preview.build import Drawn, present_all, render
from mesh.dashboards.preview.page import Served
from mesh.dashboards.preview.present import NotDrawn
from mesh.dashboards.read import dashboard_files
from mesh.errors import CheckFailed, MeshError, WrongUse
from mesh.project import Project

LOOPBACK = "127.0.0.1"
BIGQUERY_SECONDS = 300
"""How long pages of BigQuery are kept: nothing tells when its data changed."""
PATIENCE_SECONDS = 2.0
"""How long a viewer waits for pages before being told that they are being drawn."""
NAMES_SECONDS = 30.0
"""How often it is asked at most whether there is an environment that was not there yet."""
# No page of others shows these within itself, nor takes anything from them.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PATH = re.compile(r"/([a-z0-9_]+)/([a-z0-9_]+\.html|version|)")
_PROBLEM = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta http-equiv="refresh" content="3"><title>{title}</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 4em auto">
<h1>{title}</h1><p>{text}</p><p>This page tries again every three seconds.</p></body></html>
"""


@dataclass(frozen=True)
class Built:
    """The pages of an environment, and the state of data and specs they were built from."""

    version: str
    pages: dict[str, str]


@dataclass
class Site:
    """Builds pages when they are asked for, and again when data or specs changed.

    open_project: how to open the project; it is closed after each use. specs: the folder of
    dashboards, where it is not the project's. open_state: how to open it where names are all that
    is asked. drawn: what another environment that shows the same
    need not draw again. pending: what is being built, for all who ask for it meanwhile. names: of
    the environments that are known; asks_again: when those of others are asked for again.
    """

    project: Project
    open_project: Callable[[], Any]
    specs: Path | None = None
    gateway: str | None = None
    open_state: Callable[[], Any] | None = None
    patience: float = PATIENCE_SECONDS
    built: dict[str, Built] = field(default_factory=dict)
    drawn: Drawn = field(default_factory=dict)
    pending: dict[str, Future[Built]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    asks_again: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    asking: threading.Lock = field(default_factory=threading.Lock)

    def state(self) -> str:
        """A text that differs when the database, a spec or a contract does."""
        marks = [f"{path}:{stat}" for path, stat in self._files()]
        if self.project.is_on_bigquery(self.gateway):
            marks.append(str(int(time.time() // BIGQUERY_SECONDS)))
        return sha256("\n".join(marks).encode()).hexdigest()[:16]

    def _files(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        database = self.project.database
        texts = dashboard_files(self.specs or self.project.dashboards)
        texts += contract_files(self.project.contracts)
        for path in (database, Path(f"{database}.wal"), *sorted(texts)):
            try:
                stat = path.stat()
            except OSError:
                continue
            yield path, (stat.st_mtime_ns, stat.st_size)

    def environments(self) -> list[str]:
        """The names of all environments; WrongUse when there is none."""
        with self.lock:
            opened = (self.open_state or self.open_project)()
            with closing(opened.context):
                self.names = names = opened.environment_names
        if not names:
            raise WrongUse(
                "there is no environment yet.", fix="Create one with `sqlmesh plan dev`."
            )
        return names

    def get(self, environment: str) -> Built:
        """The pages of an environment as of now.

        When they cannot be built at the moment (the database is in use, a spec is being edited),
        those of before are given, if there are any; otherwise the error is raised.
        """
        with self.lock:
            known = self.built.get(environment)
            if known and known.version == self.state():
                return known
            try:
                return self._build(environment)
            except NotDrawn:
                raise  # That is in order neither now nor later.
            except MeshError:
                if known:
                    return known
                raise

    def soon(self, environment: str) -> Built | None:
        """The same, or None when it takes longer than a viewer is patient; it goes on then.

        Any page that is open in a browser can ask for any name: one that no environment has costs
        nothing but once in a while.
        """
        with self.asking:
            building = self.pending.get(environment)
            if building is None:
                if environment not in self.names:
                    if time.monotonic() < self.asks_again:
                        raise self._unknown(environment)
                    self.asks_again = time.monotonic() + NAMES_SECONDS
                building = self.pending[environment] = Future()
                # Whoever stops the server does not wait for pages.
                threading.Thread(target=self._fill, args=(environment,), daemon=True).start()
        try:
            return building.result(self.patience)
        except TimeoutError:
            return None

    def _fill(self, environment: str) -> None:
        building = self.pending[environment]
        try:
            if environment not in self.names and environment not in self.environments():
                raise self._unknown(environment)
            building.set_result(self.get(environment))
        except Exception as error:
            building.set_exception(error)
        finally:
            with self.asking:
                del self.pending[environment]

    def _unknown(self, environment: str) -> WrongUse:
        return WrongUse(
            f"there is no environment {environment!r} ({', '.join(self.names)}).",
            fix=f"Create it with `sqlmesh plan {environment}`.",
        )

    def _build(self, environment: str) -> Built:
        opened = self.open_project()
        with closing(opened.context):
            self.names = names = opened.environment_names
            pages = present_all(opened, environment, specs=self.specs, drawn=self.drawn)
        # Taken after the database is closed: closing it can write its log into it.
        version = self.state()
        built = Built(version, render(pages, self.project, Served(names, environment, version)))
        self.built[environment] = built
        return built


def serve(
    project: Project,
    port: int,
    environment: str | None,
    gateway: str | None,
    announce: Callable[[str], None],
) -> None:
    """Serve until interrupted.

    WrongUse when the port is taken, the environment unknown, or there is no dashboard; CheckFailed
    when one is not in order at the start.
    """
    checked_dashboards(project.dashboards, project.contracts)
    from mesh.environments import open_project

    site = Site(
        project,
        lambda: open_project(project, gateway, unit_tests=False),
        gateway=gateway,
        open_state=lambda: open_project(project, gateway, models=False),
    )
    names = site.environments()
    first = environment or ("prod" if "prod" in names else names[0])
    with make_server(site, port, first) as server:
        # Built before the address is told: whoever opens it waits for nothing.
        site.get(first)
        announce(f"http://{LOOPBACK}:{server.server_address[1]}/  (stop with Ctrl-C)")
        server.serve_forever()


def make_server(site: Site, port: int, first: str) -> ThreadingHTTPServer:
    """A server on loopback. first: the environment that `/` leads to."""

    class Handler(_Handler):
        pass

    Handler.site, Handler.first = site, first
    try:
        return _Server((LOOPBACK, port), Handler)
    except (OSError, OverflowError):
        raise WrongUse(
            f"port {port} cannot be used.", fix="Name another one with --port, or 0 for a free one."
        ) from None


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line, where the standard library prints a traceback; none when the viewer left."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            print(f"a page could not be sent: {error!r}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    site: Site
    first: str

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host")
        if host not in (LOOPBACK, "localhost"):
            self._send(403, _page("Not here", "This server answers this machine only."))
            return
        path = self.path.partition("?")[0]
        if path == "/":
            self.send_response(302)
            self.send_header("Location", f"/{self.first}/index.html")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        found = _PATH.fullmatch(path)
        if found is None:
            self._send(404, _page("Not found", "There is no such page."))
            return
        environment, name = found.group(1), found.group(2) or "index.html"
        try:
            built = self.site.soon(environment)
        except WrongUse as error:
            self._send(404, _page("Cannot be shown", str(error)))
            return
        except CheckFailed as error:
            self._send(500, _page("Not in order", str(error)))
            return
        if built is None and name == "version":
            # Asked for by a page that is open: it stays as it is until there is another.
            self._send(503, "", "text/plain; charset=utf-8")
        elif built is None:
            told = f"The dashboards of {environment} are being drawn; that can take a minute."
            self._send(503, _page("One moment", told))
        elif name == "version":
            self._send(200, built.version, "text/plain; charset=utf-8")
        elif name in built.pages:
            self._send(200, built.pages[name])
        else:
            self._send(404, _page("Not found", "There is no such dashboard."))

    def _send(self, status: int, text: str, kind: str = "text/html; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a line per request helps nobody here."""


def _page(title: str, text: str) -> str:
    return _PROBLEM.format(title=escape(title), text=escape(text))
