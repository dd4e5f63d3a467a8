"""A file of unit tests is read once for each of its texts, and counts as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlmesh import Context
from sqlmesh.core import loader

from mesh.unit_test_files import install

CONFIG = """
gateways: {local: {connection: {type: duckdb}, test_connection: {type: duckdb}}}
model_defaults: {dialect: bigquery, start: 2020-01-01}
disable_anonymized_analytics: true
"""
TEST = """
test_one:
  model: a.one
  outputs: {query: [{d: 2020-01-05, n: %s, t: "it's: one"}]}
"""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of tests that were read, as text."""
    install()
    texts: list[str] = []
    yaml = loader.yaml_load

    def seen(source: Any, *args: Any, **kwargs: Any) -> Any:
        texts.append(source)
        return yaml(source, *args, **kwargs)

    monkeypatch.setattr(loader, "yaml_load", seen)
    return texts


def loaded(root: Path) -> list[Any]:
    (root / "config.yaml").write_text(CONFIG)
    return Context(paths=[str(root)]).select_tests()


def test_a_text_is_read_once_wherever_it_stands(tmp_path: Path, read: list[str]) -> None:
    file = tmp_path / "tests" / "test_one.yaml"
    file.parent.mkdir()
    file.write_text(TEST % 1)
    first, again = loaded(tmp_path), loaded(tmp_path)
    assert first == again and len(first) == 1 and len(read) == 1
    assert first[0].path == file

    file.write_text(TEST % 2)
    [changed] = loaded(tmp_path)
    assert changed.body["outputs"]["query"][0]["n"] == 2
    file.write_text(TEST % 1)
    assert loaded(tmp_path) == first and len(read) == 2

    file.rename(file.with_name("test_other.yaml"))
    [moved] = loaded(tmp_path)
    assert moved.path.name == "test_other.yaml" and moved.body == first[0].body
    assert len(read) == 2


def test_what_a_template_says_is_asked_each_time(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tests" / "test_one.yaml"
    file.parent.mkdir()
    file.write_text(TEST % "{{ env_var('NUMBER') }}")
    for number in (3, 4):
        monkeypatch.setenv("NUMBER", str(number))
        [test] = loaded(tmp_path)
        assert test.body["outputs"]["query"][0]["n"] == number
    assert len(read) == 2
