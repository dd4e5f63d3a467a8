"""Reading a base from real repositories: the whole of it, or a sentence and exit code 2."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mesh.errors import WrongUse
from mesh.project import Project
from mesh.review import run as report
from mesh.review.contracts.two_states import compare_states
from mesh.review.models.review_worker.facts import Models
from mesh.review.run import Review, review
from tests.review_projects import git, repository, shop

ORDERS = "contracts/shop/orders.odcs.yaml"
SUBMODULES = ("-c", "protocol.file.allow=always")


@pytest.fixture(autouse=True)
def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "load_both", lambda *_, **__: (Models(), Models()))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The shop in git: one commit on main, and a branch `change` that is checked out."""
    return repository(shop(tmp_path / "clone"))


def widen(folder: Path) -> None:
    """A breaking change, so that a base that was not read is noticed."""
    file = folder / ORDERS
    text = file.read_text()
    assert "{minimum: 0}" in text
    file.write_text(text.replace("{minimum: 0}", "{minimum: -5}", 1))


def is_compared(folder: Path, base: str | None = "main") -> Review:
    made = review(Project(folder.resolve()), base)
    assert {"RANGE_NO_WIDEN"} <= {found.rule for found in made.findings} and made.breaking
    assert "PRODUCT_ADDED" not in {found.rule for found in made.findings}
    return made


def refused(folder: Path, base: str | None = "main") -> str:
    with pytest.raises(WrongUse) as caught:
        review(Project(folder.resolve()), base)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_hook_of_a_project_below_the_top_reads_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path / "top" / "mesh")
    top = repository(tmp_path / "top")
    widen(top / "mesh")
    for name, value in (("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index"), ("GIT_PREFIX", "")):
        monkeypatch.setenv(name, value)
    is_compared(top / "mesh")


def test_a_hook_in_a_second_work_tree_reads_the_base(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(clone, "worktree", "add", "-q", "-b", "second", str(tmp_path / "second"))
    widen(tmp_path / "second")
    monkeypatch.setenv("GIT_DIR", str(clone / ".git" / "worktrees" / "second"))
    monkeypatch.setenv("GIT_WORK_TREE", ".")
    is_compared(tmp_path / "second")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """The shop whose contracts are a submodule."""
    contracts = shop(tmp_path / "parts") / "contracts"
    shutil.rmtree(tmp_path / "parts" / "models")
    for file in contracts.iterdir():
        shutil.move(file, contracts.parent)
    contracts.rmdir()
    repository(contracts.parent)
    folder = shop(tmp_path / "whole")
    shutil.rmtree(folder / "contracts")
    git(folder, "init", "-q")
    git(folder, *SUBMODULES, "submodule", "add", "-q", str(contracts.parent), "contracts")
    return repository(folder)


def test_contracts_in_a_submodule_are_compared(shared: Path) -> None:
    widen(shared)
    is_compared(shared)
    git(shared / "contracts", "commit", "-qam", "wider")
    git(shared, "add", "contracts")
    is_compared(shared)


def test_a_submodule_that_is_not_there_is_told(shared: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(shared), "again")
    said = refused(tmp_path / "again", "HEAD")
    assert "`contracts` is a submodule, and its commit" in said
    assert "git submodule update --init contracts" in said
    git(tmp_path / "again", *SUBMODULES, "submodule", "update", "-q", "--init", "contracts")
    widen(tmp_path / "again")
    is_compared(tmp_path / "again", "HEAD")


def test_a_submodule_that_is_no_part_of_the_project_does_not_matter(
    clone: Path, shared: Path, tmp_path: Path
) -> None:
    git(clone, *SUBMODULES, "submodule", "add", "-q", str(shared), "theirs")
    git(clone, "commit", "-qm", "theirs")
    git(tmp_path, "clone", "-q", str(clone), "again")
    widen(tmp_path / "again")
    is_compared(tmp_path / "again", "HEAD")


@pytest.mark.parametrize("linked", ["contracts", "contracts/shop", ORDERS])
@pytest.mark.parametrize("there", ["company", "mesh/.company"])
def test_links_within_the_repository_are_followed(tmp_path: Path, linked: str, there: str) -> None:
    folder = shop(tmp_path / "top" / "mesh")
    shutil.move(folder / linked, tmp_path / "top" / there)
    to = os.path.relpath(tmp_path / "top" / there, (folder / linked).parent)
    (folder / linked).symlink_to(f"./{to}")
    repository(tmp_path / "top")
    widen(folder)
    is_compared(folder)


def test_a_link_into_itself_ends(clone: Path) -> None:
    (clone / "contracts" / "again").symlink_to(".")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "in circles")
    widen(clone)
    is_compared(clone, "HEAD")


def test_a_link_out_of_the_repository_is_told(tmp_path: Path) -> None:
    folder = shop(tmp_path / "clone")
    shutil.move(folder / "contracts", tmp_path / "elsewhere")
    (folder / "contracts").symlink_to(tmp_path / "elsewhere")
    repository(folder)
    said = refused(folder)
    assert "`contracts` is a link, and" in said and "does not hold what it leads to" in said


def test_a_link_that_is_no_part_of_the_project_does_not_matter(clone: Path) -> None:
    (clone / "notes").symlink_to("/nowhere/notes")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "notes")
    widen(clone)
    is_compared(clone, "HEAD")


@pytest.mark.parametrize(("old", "new"), [("", "warehouse"), ("warehouse", ""), ("a/b", "c")])
def test_a_project_that_was_moved_is_compared(tmp_path: Path, old: str, new: str) -> None:
    top = tmp_path / "top"
    shop(top / old)
    repository(top)
    (top / new).mkdir(exist_ok=True)
    for part in ("config.yaml", "contracts", "looker", "models"):
        shutil.move(top / old / part, top / new / part)
    widen(top / new)
    made = is_compared(top / new)
    assert f"The project was in `{f'{old}/' if old else './'}` in the base." in made.notes


def test_a_project_beside_others_is_new(tmp_path: Path) -> None:
    shop(tmp_path / "top" / "one")
    repository(tmp_path / "top")
    shop(tmp_path / "top" / "two")
    made = review(Project(tmp_path / "top" / "two"), "main")
    assert {found.rule for found in made.findings} == {"PRODUCT_ADDED", "CHART_ADDED"}


def test_of_several_projects_that_are_gone_none_is_taken(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shop(tmp_path / "top" / name)
    repository(tmp_path / "top")
    (tmp_path / "top" / "one").rename(tmp_path / "top" / "three")
    shutil.rmtree(tmp_path / "top" / "two")
    assert "several others are gone: one, two." in refused(tmp_path / "top" / "three")


@pytest.mark.parametrize("kept", ["looker", "contracts/reporting"])
def test_a_sparse_checkout_is_told(clone: Path, kept: str) -> None:
    git(clone, "sparse-checkout", "set", kept)
    said = refused(clone)
    assert "This checkout is sparse: it leaves out" in said
    assert "git sparse-checkout disable" in said
    git(clone, "sparse-checkout", "disable")
    widen(clone)
    is_compared(clone)


def test_a_sparse_checkout_with_all_of_the_project_will_do(tmp_path: Path) -> None:
    shop(tmp_path / "top" / "mesh")
    (tmp_path / "top" / "apps").mkdir()
    (tmp_path / "top" / "apps" / "app.py").write_text("")
    top = repository(tmp_path / "top")
    git(top, "sparse-checkout", "set", "mesh")
    assert not (top / "apps").exists()
    widen(top / "mesh")
    is_compared(top / "mesh")


@pytest.fixture
def partial(clone: Path, tmp_path: Path) -> Path:
    """A clone without the contents of other revisions than its own."""
    widen(clone)
    git(clone, "commit", "-qam", "wider")
    git(clone, "config", "uploadpack.allowFilter", "true")
    url = f"file://{clone}"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--branch=change", url, "partial")
    return tmp_path / "partial"


def test_a_partial_clone_gets_what_it_lacks(partial: Path) -> None:
    is_compared(partial, "origin/main")


def test_a_partial_clone_without_its_remote_is_told(
    partial: Path, clone: Path, tmp_path: Path
) -> None:
    clone.rename(tmp_path / "out of reach")
    said = refused(partial, "origin/main")
    assert "git cannot read" in said and "without `--filter`" in said


@pytest.mark.parametrize("what", [ORDERS, "contracts", "config.yaml"])
def test_a_lost_object_is_told(clone: Path, what: str) -> None:
    lost = git(clone, "rev-parse", f"main:{what}")
    (clone / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    said = refused(clone)
    assert "git cannot read" in said and "git fsck" in said


def test_a_damaged_object_is_told(clone: Path) -> None:
    lost = git(clone, "rev-parse", f"main:{ORDERS}")
    file = clone / ".git" / "objects" / lost[:2] / lost[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-20] + b"x" * 20)
    assert "git cannot read" in refused(clone)


def test_contracts_that_git_ignores_are_told(tmp_path: Path) -> None:
    folder = shop(tmp_path / "clone")
    git(folder, "init", "-q")
    (folder / ".git" / "info" / "exclude").write_text("contracts/\n")
    said = refused(repository(folder))
    assert "git does not have the contracts of this project" in said


def test_contracts_in_a_repository_that_git_does_not_know_of_are_told(tmp_path: Path) -> None:
    folder = shop(tmp_path / "clone")
    shutil.move(folder / "contracts", tmp_path / "later")
    repository(folder)
    shutil.move(tmp_path / "later", folder / "contracts")
    repository(folder / "contracts")
    assert "git does not have the contracts of this project" in refused(folder)


def test_what_a_shallow_clone_is_told_to_do_works(clone: Path, tmp_path: Path) -> None:
    """Also in a clone of one branch, as `git clone --depth` makes it."""
    widen(clone)
    git(clone, "commit", "-qam", "wider")
    git(clone, "switch", "-q", "main")
    url = f"file://{clone}"
    for base in ("main", "origin/main", None):
        shallow = tmp_path / f"shallow {base}"
        git(tmp_path, "clone", "-q", "--depth=1", "--branch=change", url, str(shallow))
        said = refused(shallow, base)
        assert "This clone is shallow" in said
        command = re.search(r"`(git fetch [^`]*)`", said)
        assert command
        subprocess.run(command[1], shell=True, cwd=shallow, check=True, capture_output=True)
        is_compared(shallow, base)


def test_what_a_clone_of_one_branch_is_told_to_do_works(clone: Path, tmp_path: Path) -> None:
    widen(clone)
    git(clone, "commit", "-qam", "wider")
    single = tmp_path / "single"
    git(tmp_path, "clone", "-q", "--single-branch", "--branch=change", str(clone), str(single))
    command = re.search(r"`(git fetch [^`]*)`", refused(single))
    assert command
    subprocess.run(command[1], shell=True, cwd=single, check=True, capture_output=True)
    is_compared(single)


def test_the_contract_diff_of_a_revision_without_contracts_is_refused(tmp_path: Path) -> None:
    folder = shop(tmp_path / "clone")
    shutil.move(folder / "contracts", tmp_path / "later")
    repository(folder)
    shutil.move(tmp_path / "later", folder / "contracts")
    with pytest.raises(WrongUse, match="There are no contracts in `main`"):
        compare_states(Project(folder), "main", ".")
