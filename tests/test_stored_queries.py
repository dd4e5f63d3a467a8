"""Stored versions come without their queries, which are SQLMesh's own when somebody asks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from audience import opened, small_audience
from built import built
from project_copy import copy_project
from sqlmesh.core.model.cache import OptimizedQueryCache
from sqlmesh.core.model.common import ParsableSql

from mesh.environments.stored_queries import _KEPT


@pytest.fixture
def versions(tmp_path: Path):
    """The stored versions of a few models, and the models of the files."""
    copy = copy_project(tmp_path / "project")
    copy.keep_few()
    shutil.copy2(built(copy, small_audience(), "dev"), copy.database)
    # From the state, then from what SQLMesh kept of it, which goes by another name.
    for _ in range(2):
        with opened(copy, copy.database) as project:
            for snapshot in project.snapshots(project.environment("dev")).values():
                snapshot.model.render_query()
    with opened(copy, copy.database) as project:
        found = project.snapshots(project.environment("dev")).values()
        models = {one.model.fqn: one.model for one in found if one.model.is_sql}
        assert len(models) > 5
        yield models, project.context.models


def test_a_query_is_read_when_it_is_asked_for(versions, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, of_files = versions
    read = []
    usual = OptimizedQueryCache.with_optimized_query

    def noted(cache: OptimizedQueryCache, model, name=None) -> bool:
        found = usual(cache, model, name)
        read.append((model.name, found))
        return found

    monkeypatch.setattr(OptimizedQueryCache, "with_optimized_query", noted)
    for name, model in stored.items():
        assert "_query_renderer" not in model.__dict__
        assert model.render_query() == of_files[name].render_query()
        assert model.columns_to_types == of_files[name].columns_to_types
    # Once each, and nothing was rendered anew.
    assert read == [(model.name, True) for model in stored.values()]


def test_a_query_that_is_kept_nowhere_is_rendered(versions, tmp_path: Path) -> None:
    stored, of_files = versions
    assert stored
    for name, model in stored.items():
        model.__dict__[_KEPT] = OptimizedQueryCache(tmp_path / "empty")
        assert model.render_query() == of_files[name].render_query()


def test_a_copy_with_another_query_renders_its_own(versions) -> None:
    stored, _ = versions
    model = next(iter(stored.values()))
    other = model.copy(update={"query_": ParsableSql(sql="SELECT 1::INT64 AS n")})
    assert [one.alias for one in other.render_query().selects] == ["n"]
    assert [one.alias for one in model.render_query().selects] != ["n"]
