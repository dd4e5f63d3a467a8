"""The house: what may use what, and how large its rooms are. Read from the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mesh.project import SET_UP
from tests.project_copy import ROOT

# From the ground up. A package uses those before it, and its own.
LAYERS = (
    "plain",
    "secret",
    "errors",
    "words",
    "settings",
    "configuration",
    "project",
    "console",
    "signals",
    "deliveries",
    "database",
    "working_copy",
    "wrapping",
    "files",
    "git",
    "large_files",
    "revision",
    "unit_test_files",
    "contracts",
    "bigquery",
    "environments",
    "lint",
    "verify",
    "bite",
    "prove",
    "cost",
    "dashboards",
    "review",
    "catalogue",
    "setup",
    "movielens",
    "cli",
)
MOST_LINES = 400
CODE = ("mesh", "macros", "linter", "materializations")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {name_of(path): path for path in sorted((ROOT / "mesh").rglob("*.py"))}


@cache
def imports(name: str) -> frozenset[str]:
    """The modules of `mesh` that a module imports, also within functions; not for types alone."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    return frozenset(found for found in _imported(tree) if found in modules() and found != name)


def _imported(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.ImportFrom) and child.module:
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from names
            if not all(name in modules() for name in names):
                yield child.module
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        yield from _imported(child)


def package(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_every_package_has_its_layer() -> None:
    assert {package(name) for name in modules()} - {"mesh"} == set(LAYERS)


def test_no_arrow_goes_upwards() -> None:
    wrong = [
        f"{name} imports {used}"
        for name in modules()
        for used in imports(name)
        if package(name) in LAYERS
        and package(used) in LAYERS
        and LAYERS.index(package(used)) > LAYERS.index(package(name))
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    below: dict[str, set[str]] = {name: set(imports(name)) for name in modules()}
    while free := [name for name, used in below.items() if not used & below.keys()]:
        for name in free:
            del below[name]
    assert below == {}


def test_to_ask_for_help_loads_none_of_what_commands_work_with() -> None:
    """Each of these takes longer to load than a person should wait for a page of help."""
    heavy = ("sqlglot", "sqlmesh", "yaml", "pydantic", "duckdb", "ibis", "jinja2", "altair")
    code = f"import sys; import mesh.cli.main; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_to_read_a_projects_settings_does_not_load_sqlmesh() -> None:
    """config.yaml asks for our hooks when SQLMesh reads it: with them comes all that SQLMesh is."""
    code = (
        "import sys; from mesh.project import find_project; settings = find_project().settings; "
        "print(settings.version, 'sqlmesh' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (f"{SET_UP} False", "")


def test_no_file_has_more_than_400_lines() -> None:
    paths = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    long = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in paths}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_the_platform_knows_no_word_of_the_movies() -> None:
    words = ("movie", "rating", "genre", "half_star", "operational ", "user_id", "userid")
    words += ("tagger", "sleeper", "interactions", "engagement", "acceptance")
    words += ("rated_on", "rated_at", "tagged_at")
    commands = ("demo", "erase", "generate", "ingest")
    own = {ROOT / "mesh" / "cli" / f"{name}.py" for name in commands}
    package_name = "movie-audience-mesh"  # As it is installed, whatever it is used for.
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "mesh").rglob("*.*"))
        if path.suffix in (".py", ".css", ".js", ".j2", ".sql")
        if "movielens" not in path.parts and path not in own
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if any(word in line.lower().replace(package_name, "") for word in words)
    ]
    assert found == []


def test_to_compare_and_check_contracts_loads_no_sqlmesh() -> None:
    """Pre-commit runs both at each commit; with SQLMesh and Pandera they begin seconds later."""
    used = "mesh.review.contracts.two_states, mesh.contracts.lint, mesh.bite.excuses"
    heavy = ("sqlmesh", "pandera", "ibis", "pandas", "altair")
    code = f"import sys; import {used}; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
