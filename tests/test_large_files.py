"""Files of Git LFS: the base has what they hold, not the pointer that is committed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mesh.errors import WrongUse
from tests.review_projects import git, repository, shop
from tests.test_revision import laid

ROWS = "id,name\n1,a\n"
HASH = hashlib.sha256(ROWS.encode()).hexdigest()
POINTER = (
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{HASH}\nsize {len(ROWS.encode())}\n"
)


@pytest.fixture(params=["", "teams/mesh"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project whose seed is committed as a pointer, and is one in the work tree, too."""
    made = shop(tmp_path / "top" / request.param)
    for folder in ("seeds", "docs"):
        (made / folder).mkdir(exist_ok=True)
        (made / folder / "rows.csv").write_text(POINTER)
    repository(tmp_path / "top")
    return made


def test_a_file_that_is_as_in_the_base_is_laid_out_as_it_is(project: Path, tmp_path: Path) -> None:
    (project / "seeds" / "rows.csv").write_text(ROWS)
    root = laid(project, tmp_path / "out").root
    assert (root / "seeds" / "rows.csv").read_text() == ROWS
    # As in a clone without Git LFS.
    assert (root / "docs" / "rows.csv").read_text() == POINTER


def test_a_file_that_changed_is_taken_from_what_is_kept(project: Path, tmp_path: Path) -> None:
    (project / "seeds" / "rows.csv").write_text("id,name\n2,b\n")
    kept = tmp_path / "top" / ".git" / "lfs" / "objects" / HASH[:2] / HASH[2:4] / HASH
    kept.parent.mkdir(parents=True)
    kept.write_text(ROWS)
    assert (laid(project, tmp_path / "out").root / "seeds" / "rows.csv").read_text() == ROWS


def test_a_file_that_is_not_here_is_told(project: Path, tmp_path: Path) -> None:
    (project / "docs" / "rows.csv").write_text("id,name\n2,b\n")
    made = laid(project, tmp_path / "out")
    said = "docs/rows.csv` of the base are left out: Git LFS keeps them elsewhere."
    assert made.left_out.endswith(said)
    assert not (made.root / "docs" / "rows.csv").exists()
    git(project, "rm", "-q", "--cached", "seeds/rows.csv")
    (project / "seeds" / "rows.csv").unlink()
    with pytest.raises(WrongUse, match=r"Git LFS keeps `.*seeds/rows.csv`.* Run `git lfs fetch"):
        laid(project, tmp_path / "again")
