"""What every model keeps to: names, layout, format, unit tests, and who reads the source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot import exp
from sqlmesh import Context
from sqlmesh.core.model import Model
from sqlmesh.utils import yaml

from mesh.environments.names import query_inputs

ROOT = Path(__file__).resolve().parent.parent
MODEL_FILES = sorted((ROOT / "models").rglob("*.sql")) + sorted((ROOT / "models").rglob("*.py"))
TEST_FILES = sorted(
    path
    for domain in (ROOT / "models").iterdir()
    for path in (ROOT / "tests" / domain.name).glob("*.yaml")
)


def full_name(model_file: Path) -> str:
    """The name that a model must have by its path: <domain>.<file> or <domain>_internal.<file>."""
    domain, *folders = model_file.relative_to(ROOT / "models").parts[:-1]
    return ".".join(["_".join([domain, *folders]), model_file.stem])


def test_file(model_file: Path) -> Path:
    """Where the SQLMesh unit tests of a model are."""
    domain = model_file.relative_to(ROOT / "models").parts[0]
    return ROOT / "tests" / domain / f"test_{model_file.stem}.yaml"


test_file.__test__ = False


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_DUCKDB", str(tmp_path_factory.mktemp("models") / "mesh.duckdb"))
        context = Context(paths=[str(ROOT)])
        yield context
        context.close()


@pytest.fixture(scope="module")
def models(project: Context) -> dict[Path, Model]:
    """The project's own models, by their file."""
    return {model._path: model for model in project.models.values() if not model.kind.is_external}


def test_every_file_under_models_is_a_model(models: dict[Path, Model]) -> None:
    assert sorted(models) == sorted(MODEL_FILES)


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.stem)
def test_a_models_name_is_its_path(models: dict[Path, Model], path: Path) -> None:
    assert exp.table_name(exp.to_table(models[path].name)).split(".")[-2:] == full_name(path).split(
        "."
    )


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.stem)
def test_a_model_has_unit_tests_that_bear_its_name(path: Path) -> None:
    assert test_file(path).exists(), f"write {test_file(path).relative_to(ROOT)}"
    cases = yaml.load(test_file(path))
    assert cases, f"{test_file(path).relative_to(ROOT)} has no case"
    for name, case in cases.items():
        assert name.startswith(f"test_{path.stem}_"), f"{name} must start with test_{path.stem}_"
        assert case["model"] == full_name(path)


def test_every_unit_test_belongs_to_a_model() -> None:
    assert set(TEST_FILES) == {test_file(path) for path in MODEL_FILES}


def test_no_two_models_share_a_unit_test_file() -> None:
    assert len({test_file(path) for path in MODEL_FILES}) == len(MODEL_FILES)


def test_models_are_formatted(project: Context) -> None:
    assert project.format(check=True), "run `sqlmesh format`"


def test_only_the_first_models_read_the_operational_tables(models: dict[Path, Model]) -> None:
    readers = {
        path.stem
        for path, model in models.items()
        # Contracts of products may be compared with them.
        if any(name.startswith("operational.") for name in query_inputs(model))
    }
    first = {"movies", "rating_events", "tag_events"}
    assert first <= readers
    assert {name for name in readers - first if not name.startswith("delivered_")} == set()
