"""What of a revision is laid out: all that is committed and a model may read, and not more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh import revision
from mesh.git import find_checkout
from mesh.project import Project
from mesh.revision import Laid, lay_out
from tests.review_projects import git, repository, shop


def laid(project: Path, to: Path) -> Laid:
    checkout = find_checkout(Project(project.resolve()))
    return lay_out(checkout, checkout.commit("HEAD"), to)


def committed(top: Path, *files: str, text: str = "id\n1\n") -> None:
    for name in files:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    git(top, "add", "-f", *files)
    git(top, "commit", "-qm", "data")


@pytest.mark.parametrize("folder", ["", "teams/mesh"])
@pytest.mark.parametrize("seed", ["data/s.csv", "docs/s.csv", "models/s.csv"])
def test_a_committed_file_is_there_whatever_its_folder_is_called(
    seed: str, folder: str, tmp_path: Path
) -> None:
    top = tmp_path / "top"
    project = shop(top / folder)
    repository(top)
    committed(project, seed)
    assert (laid(project, tmp_path / "out").root / seed).read_text() == "id\n1\n"


def test_what_lies_beside_the_project_is_beside_it_in_the_base(tmp_path: Path) -> None:
    top = tmp_path / "top"
    project = shop(top / "teams" / "mesh")
    repository(top)
    committed(top, "csv/s.csv", "teams/lib/rates.py", "teams/mesh-2/config.yaml")
    (top / "teams" / "linked").symlink_to("../csv")
    (top / "outside").symlink_to("../../etc")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "links")
    root = laid(project, tmp_path / "out").root
    assert root == tmp_path / "out" / "teams" / "mesh"
    for path in ("../../csv/s.csv", "../lib/rates.py", "../linked/s.csv", "../mesh-2/config.yaml"):
        assert (root / path).read_text() == "id\n1\n"
    assert not (tmp_path / "out" / "outside").is_symlink()


def test_what_a_sparse_checkout_leaves_out_beside_the_project_is_not_fetched(
    tmp_path: Path,
) -> None:
    top = tmp_path / "top"
    project = shop(top / "mesh")
    repository(top)
    committed(top, "apps/app.py", "csv/s.csv")
    git(top, "sparse-checkout", "set", "mesh", "csv")
    laid(project, tmp_path / "out")
    assert (tmp_path / "out" / "csv" / "s.csv").is_file()
    assert not (tmp_path / "out" / "apps").exists()


def test_large_files_beside_the_project_are_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "top"
    project = shop(top / "mesh")
    repository(top)
    committed(top, "small.csv", "mesh/seeds/big.csv")
    committed(top, "films/big.bin", "films/bigger.bin", text="x" * 5_000)
    committed(top, "mesh/seeds/big.csv", text="y" * 9_000)
    monkeypatch.setattr(revision, "MOST_BYTES", 6_000)
    monkeypatch.setattr(revision, "AT_ONCE", 1_000)
    made = laid(project, tmp_path / "out")
    assert (tmp_path / "out" / "small.csv").is_file()
    assert (made.root / "seeds" / "big.csv").stat().st_size == 9_000
    there = [name for name in ("big", "bigger") if (tmp_path / f"out/films/{name}.bin").is_file()]
    assert len(there) == 1
    gone = "bigger" if there == ["big"] else "big"
    assert made.left_out.startswith(f"`films/{gone}.bin` of the base")


@pytest.mark.parametrize("folder", ["", "teams/mesh"])
def test_a_folder_of_models_that_is_a_link_is_one_in_the_base(folder: str, tmp_path: Path) -> None:
    """SQLMesh finds as many models behind it as in the work tree, none on some Pythons."""
    top = tmp_path / "top"
    project = shop(top / folder)
    (project / "models" / "shop").rename(top / "kept")
    to = os.path.relpath(top / "kept", project / "models")
    (project / "models" / "shop").symlink_to(to)
    repository(top)
    root = laid(project, tmp_path / "out").root
    assert (root / "models" / "shop").readlink() == Path(to)
    there = {path.name for path in (project / "models" / "shop").iterdir()}
    assert {path.name for path in (root / "models" / "shop").iterdir()} == there
