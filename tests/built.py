"""Whole builds that several tests start from or compare with, each made once.

They are kept in .cache/test-builds by what they are made of, so that the parts of a test run, its
workers, and the next run of the same day share them. Nobody writes to them: copy them.
"""

from __future__ import annotations

from pathlib import Path

from audience import Audience, opened
from project_copy import ProjectCopy, made_of, once

from mesh.environments import plan
from mesh.movielens.ingest import ingest


def built(copy: ProjectCopy, audience: Audience, environment: str) -> Path:
    """The database of a project to which that audience alone was delivered, and then planned."""
    data = (audience.movies, audience.ratings, audience.tags, environment)
    with once(made_of(copy.root, *data)) as (place, made):
        if made:
            ingest(audience.deliver(made / "source"), database=made / "mesh.duckdb")
            with opened(copy, made / "mesh.duckdb") as project:
                plan(project, environment)
    return place / "mesh.duckdb"
