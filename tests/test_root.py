"""Two clones and one virtual environment: each command judges the clone that it is run in."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from mesh.cli.main import app, run
from mesh.errors import MeshError, WrongUse
from mesh.project import SET_UP, Project, find_project, project_around
from tests.project_copy import OF_GROUPS, OF_USERS, ROOT, copy_project
from tests.review_projects import git

# In each clone contracts and dashboards have a key of its own that nobody knows, and the database
# is no database: whatever a command reads, its error names the clone.
COMMANDS = {
    "demo": "demo",
    "erase": "erase 1",
    "ingest": "ingest nowhere",
    "cost": "cost",
    "refresh": "refresh dev",
    "promote": "promote dev prod",
    "rollback": "rollback dev",
    "status": "status",
    "review": "review --base HEAD",
    "codeowners": "codeowners --check",
    "docs": "docs --check",
    "contracts lint": "contracts lint",
    "contracts verify": "contracts verify dev",
    "contracts prove": "contracts prove",
    "contracts list": "contracts list",
    "contracts show": "contracts show audience_groups",
    "contracts new": "contracts new user_actions",
    "contracts diff": "contracts diff HEAD .",
    "contracts bite": "contracts bite",
    "dashboards check": "dashboards check",
    "dashboards build": "dashboards build",
    "dashboards links": "dashboards links --google-project some-project",
}
# What they write shows where they were.
WRITING = {
    "init": ("init --yes", "macros/contract.py"),
    "schema": ("schema", "looker/dashboard.schema.json"),
}
ELSEWHERE = {
    "generate": "makes files from nothing, and reads no project",
    "dashboards serve": "goes on until it is stopped: tests/test_dashboards_serve.py",
}


class Clones:
    """here and there: two clones, each with marks of its own."""

    def __init__(self, folder: Path) -> None:
        self.here, self.there = (self._clone(folder, name) for name in ("alpha", "beta"))

    def _clone(self, folder: Path, name: str) -> Path:
        root = (folder / name).resolve()
        copy_project(root).keep_few(*OF_USERS, *OF_GROUPS)
        (root / "looker").mkdir()
        shutil.copy(ROOT / "looker" / "user_360.yaml", root / "looker")
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-qm", "all")
        for path in ("contracts/engagement/audience_groups.odcs.yaml", "looker/user_360.yaml"):
            file = root / path
            file.write_text(f"{file.read_text()}\n{name}Key: 1\n")
        (root / "data").mkdir()
        (root / "data" / "mesh.duckdb").write_text(f"no database {name}\n" * 1000)
        return root

    def marks(self, root: Path) -> tuple[str, ...]:
        return (f"{root.name}Key", f"{root}/")


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Clones:
    return Clones(tmp_path_factory.mktemp("clones"))


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESH_DUCKDB", raising=False)
    monkeypatch.setenv("COLUMNS", "500")


def names(command: object, before: tuple[str, ...] = ()) -> Iterator[str]:
    for name, below in getattr(command, "commands", {}).items():
        yield from names(below, (*before, name))
    if not hasattr(command, "commands"):
        yield " ".join(before)


def said(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        run(list(words))
    output = capfd.readouterr()
    return int(end.value.code or 0), output.out + output.err


def test_every_command_is_tried() -> None:
    assert {*COMMANDS, *WRITING, *ELSEWHERE} == set(names(typer.main.get_command(app)))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_judges_the_clone_that_it_is_run_in(
    command: str,
    clones: Clones,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = COMMANDS[command].split()
    monkeypatch.chdir(clones.here / "models")
    # What only looks at contracts tells of one that it leaves out, and goes on.
    fails = command != "contracts list"
    code, output = said(capfd, *words)
    assert bool(code) == fails and any(one in output for one in clones.marks(clones.here)), output
    assert not any(mark in output for mark in clones.marks(clones.there)), output
    code, output = said(capfd, *words, "--project", str(clones.there))
    assert bool(code) == fails and any(one in output for one in clones.marks(clones.there)), output
    assert not any(mark in output for mark in clones.marks(clones.here)), output
    assert str(ROOT / "") not in output.replace(str(ROOT / ".venv"), "")


@pytest.mark.parametrize("command", WRITING)
def test_a_command_writes_into_the_clone_that_it_is_run_in(
    command: str,
    clones: Clones,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    words, file = WRITING[command]
    for root in (clones.here, clones.there):
        (root / file).unlink(missing_ok=True)
    monkeypatch.chdir(clones.here)
    assert said(capfd, *words.split())[0] == 0
    assert (clones.here / file).exists() and not (clones.there / file).exists()
    assert said(capfd, "-p", str(clones.there), *words.split())[0] == 0
    assert (clones.there / file).exists()


def test_outside_of_any_project_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS.values():
        code, output = said(capfd, *command.split())
        assert code == 2
        assert output == (
            f"error: {tmp_path}: no SQLMesh project here, nor in any folder above. Go to a folder "
            "with a config.yaml, or name one with `--project`.\n"
        )


def refused(folder: Path) -> str:
    with pytest.raises(MeshError) as caught:
        find_project(folder).check_set_up()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_folder_that_is_named_must_be_a_project(tmp_path: Path) -> None:
    assert refused(tmp_path / "no").startswith(f"{tmp_path}/no: there is no such folder.")
    (tmp_path / "config.yaml").write_text("model_defaults: {dialect: duckdb}\n")
    assert refused(tmp_path / "config.yaml").endswith(
        f"a project is a folder, and this is a file. Name its folder: `--project {tmp_path}`."
    )
    (tmp_path / "models").mkdir()
    assert "it has no config.yaml" in refused(tmp_path / "models")


def test_a_project_of_another_version_of_mesh_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("model_defaults: {dialect: duckdb}\n")
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "contract.py").write_text("# of an older version\n")
    (tmp_path / "config.yaml").write_text("variables: {mesh: {version: 1}}\n")
    assert "set up for an older version of `mesh`" in refused(tmp_path)
    assert "`mesh init`" in refused(tmp_path)
    (tmp_path / "config.yaml").write_text("variables: {mesh: {version: 99}}\n")
    assert "set up for a newer version" in refused(tmp_path)


@pytest.mark.parametrize("name", ["config.yaml", "config.py"])
def test_a_project_whose_configuration_lacks_its_lines_is_told_so(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("")
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "contract.py").write_text("# written by `mesh init`\n")
    assert refused(tmp_path) == (
        f"{tmp_path / name}: this project is set up in part: its configuration does not say so "
        f"yet, by the lint rules and `variables: mesh: version: {SET_UP}`. Run `mesh init`: it "
        "writes what is missing, or prints it for a `config.py`."
    )


IN_ITS_WAY = {
    "no YAML": (b"model_defaults: [\n", "config.yaml:2: the file cannot be read: did not find"),
    "binary": (b"a: b\n\x00\xff", "config.yaml:2: the file cannot be read: it is not encoded in"),
    "odd": (b"variables: {mesh: {bite: high}}\n", "config.yaml: `variables: mesh: bite` is not a"),
    "empty": (b"# later\n", "config.yaml: the file is empty, and SQLMesh takes none that is."),
}


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (command, what)
        for command in (
            *("status", "contracts lint --json", "docs", "cost", "contracts new a.b", "init"),
        )
        for what in IN_ITS_WAY
        # Contracts can be read without SQLMesh.
        if (command, what) != ("contracts lint --json", "empty")
    ],
)
def test_without_a_configuration_nothing_is_judged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    what: str,
) -> None:
    """Exit code 1 would say that what was asked about is not in order."""
    content, says = IN_ITS_WAY[what]
    (tmp_path / "config.yaml").write_bytes(content)
    shutil.copytree(ROOT / "tests" / "fixtures" / "contracts" / "valid", tmp_path / "contracts")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(command.split())
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert says in " ".join(said.err.split())
    assert said.out == ""


def test_a_configuration_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("gateways: {}\nmodel_defaults: [\n")
    with pytest.raises(MeshError, match=r"^config\.yaml:3: the file cannot be read: "):
        find_project(tmp_path).settings  # noqa: B018
    (tmp_path / "config.yaml").write_text("a: {% if %}\n")
    with pytest.raises(MeshError, match=r"^config\.yaml:1: the file cannot be read: "):
        Project(tmp_path.resolve()).settings  # noqa: B018
    (tmp_path / "config.yaml").write_text("variables: {mesh: {versions: 2}}\n")
    with pytest.raises(MeshError, match="has no key versions"):
        Project(tmp_path.resolve()).settings  # noqa: B018
    for text, named in (("variables: 5\n", "variables"), ("variables: {mesh: 5}\n", "mesh")):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(MeshError, match=f"{named}` is no mapping: 5"):
            Project(tmp_path.resolve()).settings  # noqa: B018
    for stated, meant in {
        "version: '2'": "version` is not a whole number: '2'",
        "growth: [1]": r"growth` is not a mapping of columns to powers of 0 or more: \[1\]",
        "growth: {user: .inf}": "growth` is not a mapping of columns to powers",
        "bite: high": "bite` is not a share from 0 to 1: 'high'",
        "bite: .nan": "bite` is not a share from 0 to 1: nan",
        "as_of: 2020-01-01": "as_of` is not a day in quotes: ",
    }.items():
        (tmp_path / "config.yaml").write_text(f"variables: {{mesh: {{{stated}}}}}\n")
        with pytest.raises(MeshError, match=meant):
            Project(tmp_path.resolve()).settings  # noqa: B018
    (tmp_path / "config.yaml").write_bytes(b"a: 1\n# caf\xe9\n")
    with pytest.raises(MeshError, match=r"^config\.yaml:2: .* it is not encoded in UTF-8"):
        Project(tmp_path.resolve()).settings  # noqa: B018


def test_sources_are_those_of_all_files_of_external_models(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("gateways: {}\n")
    file = tmp_path / "external_models.yaml"
    file.write_text("- name: shop.orders\n  columns: {id: int}\n- name: alone\n- name: shop.bare\n")
    folder = tmp_path / "external_models"
    folder.mkdir()
    (folder / "more.yml").write_text("- name: '`a`.`shop`.`more`'\n  columns:\n")
    sources = Project(tmp_path.resolve()).sources
    assert {name: dict(source.columns) for name, source in sources.items()} == {
        "shop.orders": {"id": "INT"},
        "shop.bare": {},
        "shop.more": {},
    }


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("name: shop.orders\n", "it holds no list"),
        ("- columns: {id: int}\n", "entry 1 has no name"),
        ("- name: shop.orders\n- orders\n", "entry 2 has no name"),
        ("- name: shop.orders\n  columns: [id]\n", "the columns of shop.orders are no mapping"),
    ],
)
def test_what_are_no_sources_is_told(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "config.yaml").write_text("gateways: {}\n")
    (tmp_path / "external_models.yaml").write_text(text)
    with pytest.raises(MeshError, match=f"^external_models.yaml: these are no .*: {wrong}"):
        Project(tmp_path.resolve()).sources  # noqa: B018


@pytest.mark.parametrize("command", ["status", "refresh prod", "contracts verify prod"])
def test_a_gateway_that_there_is_not_is_wrong_use(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run([*command.split(), "--project", str(ROOT), "--gateway", "nope"])
    assert end.value.code == 2
    said = " ".join(capfd.readouterr().err.split())
    assert "config.yaml: there is no gateway 'nope'. Known are duckdb" in said


def test_the_nearest_project_around_is_meant(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    (inner / "models" / "deep").mkdir(parents=True)
    for root in (tmp_path / "outer", inner):
        (root / "config.yaml").write_text("{}\n")
    assert project_around(inner / "models" / "deep") == Project(inner.resolve())
    assert project_around(tmp_path / "outer") == Project((tmp_path / "outer").resolve())
    assert project_around(tmp_path) is None


@pytest.mark.parametrize(
    ("written", "is_part"),
    [(None, False), ("gitdir: ../.git/worktrees/1", False), ("gitdir: ../.git/modules/1", True)],
    ids=["repository", "worktree", "submodule"],
)
def test_a_project_around_a_repository_is_not_meant(
    tmp_path: Path, written: str | None, is_part: bool
) -> None:
    inner = tmp_path / "outer" / "inner"
    (inner / "models").mkdir(parents=True)
    (tmp_path / "outer" / "config.yaml").write_text("{}\n")
    if written:
        (inner / ".git").write_text(written)
    else:
        (inner / ".git").mkdir()
    outer = Project((tmp_path / "outer").resolve())
    assert project_around(inner / "models") == (outer if is_part else None)


def test_a_command_that_verifies_asks_for_its_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert said(capfd, "contracts", "verify") == (
        2,
        "error: verify needs an environment. Name it: `mesh contracts verify prod`.\n",
    )


def test_the_version_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert said(capfd, "--version") == (0, f"mesh {version('movie-audience-mesh')}\n")


def test_a_shell_can_complete_the_commands(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "_MESH_COMPLETE": "complete_bash",
        "COMP_WORDS": "mesh sta",
        "COMP_CWORD": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert said(capfd) == (0, "status\n")


GATEWAYS = """\
gateways:
  warehouse: {connection: {type: bigquery}}
  first: {connection: {type: duckdb, database: first.duckdb}}
  second: {connection: {type: duckdb, catalogs: {shop: second.duckdb}}}
"""
IN_PYTHON = """\
from sqlmesh.core.config import Config, DuckDBConnectionConfig, ModelDefaultsConfig

from elsewhere import AS_OF

config = Config(
    model_defaults=ModelDefaultsConfig(dialect="duckdb"),
    default_connection=DuckDBConnectionConfig(database="own.duckdb"),
    variables={"mesh": {"as_of": AS_OF}},
)
"""


@pytest.mark.parametrize(
    ("stated", "database"),
    [
        (GATEWAYS, "first.duckdb"),
        (f"{GATEWAYS}default_gateway: second\n", "second.duckdb"),
        (f"{GATEWAYS}default_gateway: warehouse\n", "first.duckdb"),
        ("default_connection: {type: duckdb, database: own.duckdb}\n", "own.duckdb"),
        ("model_defaults: {dialect: duckdb}\n", "data/mesh.duckdb"),
    ],
)
def test_the_database_is_the_one_that_sqlmesh_opens(
    tmp_path: Path, stated: str, database: str
) -> None:
    (tmp_path / "config.yaml").write_text(stated)
    assert Project(tmp_path).database == tmp_path / database


def test_a_configuration_in_python_says_what_one_in_yaml_says(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text('AS_OF = "2020-01-08"\n')
    config = tmp_path / "config.py"
    config.write_text(IN_PYTHON)
    project = Project(tmp_path)
    assert project.database == tmp_path / "own.duckdb"
    assert project.settings.as_of == "2020-01-08"
    assert "config" not in sys.modules
    config.write_text("config = settings.CONFIG\n")
    with pytest.raises(WrongUse) as caught:
        _ = project.database
    assert str(caught.value) == (
        "config.py: the file cannot be read: NameError: name 'settings' is not defined. "
        "Mend it; SQLMesh reads it too."
    )
