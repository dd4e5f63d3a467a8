"""Queries of stored versions, read and parsed when somebody asks for them.

SQLMesh reads the query of every version of an environment as soon as it reads the versions, three
quarters of the time of `mesh status`. Most commands only ask which versions there are, and what is
in their tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cached_property
from typing import Any

from sqlmesh.core.model.definition import SqlModel
from sqlmesh.core.renderer import QueryRenderer
from sqlmesh.core.snapshot import Snapshot, SnapshotId
from sqlmesh.core.snapshot.cache import SnapshotCache

Load = Callable[[set[SnapshotId]], Collection[Snapshot]]
# Where a model keeps the cache that has its query, until it is asked for.
_KEPT = "_kept_queries"


def install() -> None:
    """Let versions come without their queries, which are read the first time they are used."""
    cache: Any = SnapshotCache
    model: Any = SqlModel
    made: Callable[[SqlModel], QueryRenderer] = model._query_renderer.func
    kept: Callable[[SnapshotCache, Snapshot], None] = cache.put

    def versions(
        self: SnapshotCache, wanted: set[SnapshotId], load: Load
    ) -> tuple[dict[SnapshotId, Snapshot], set[SnapshotId]]:
        found: dict[SnapshotId, Snapshot] = {}
        for one in wanted:
            if snapshot := self._snapshot_cache.get(self._entry_name(one)):
                snapshot.intervals, snapshot.dev_intervals = [], []
                found[one] = snapshot
        known = {*found}
        if missing := wanted - known:
            found |= {snapshot.snapshot_id: snapshot for snapshot in load(missing)}
        for snapshot in found.values():
            self._update_node_hash_cache(snapshot)
            if snapshot.is_model:
                snapshot.model.__dict__[_KEPT] = self._optimized_query_cache
            self.put(snapshot)
        return found, known

    def put(self: SnapshotCache, snapshot: Snapshot) -> None:
        """As its text, which is parsed in the time that it takes to read what was parsed."""
        own = snapshot.model if snapshot.is_model else None
        if not isinstance(own, SqlModel):
            return kept(self, snapshot)
        _ = own.full_depends_on
        parsed, own.query_._parsed = own.query_._parsed, None
        try:
            kept(self, snapshot)
        finally:
            own.query_._parsed = parsed

    def renderer(self: SqlModel) -> QueryRenderer:
        own = self.__dict__["_query_renderer"] = made(self)
        if queries := self.__dict__.pop(_KEPT, None):
            # What cannot be rendered says so when it is rendered.
            with suppress(Exception):
                queries.with_optimized_query(self)
        return own

    cache.get_or_load, cache.put = versions, put
    model._query_renderer = cached_property(renderer)
    model._query_renderer.__set_name__(model, "_query_renderer")
