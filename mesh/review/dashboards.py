"""Dashboards that were edited, held against the contracts of the work tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mesh.contracts import Contract
from mesh.dashboards.check import check_dashboard
from mesh.dashboards.read import dashboard_files, read_spec
from mesh.files.problems import Problem
from mesh.project import Project
from mesh.review.rules import Change, Found, Place


def edited_dashboards(old: Project, new: Project, contracts: Mapping[str, Contract]) -> Found:
    """What an edit of a dashboard broke: what its former state would break too is not told here."""
    for path in dashboard_files(new.dashboards):
        before = old.dashboards / path.name
        if before.is_file() and before.read_bytes() == path.read_bytes():
            continue
        known = _problems(before, contracts) if before.is_file() else ()
        if known is None:
            continue
        said = {(problem.rule, problem.message) for problem in known}
        for problem in _problems(path, contracts, unreadable=before.is_file()) or ():
            if (problem.rule, problem.message) not in said:
                yield Change(
                    product=path.stem,
                    message=f"{problem.rule}: {problem.message}",
                    where=Place(new.shown(path).as_posix(), problem.line),
                    fix=problem.fix,
                )


def _problems(
    path: Path, contracts: Mapping[str, Contract], *, unreadable: bool = False
) -> list[Problem] | None:
    """Problems that concern the data; None, or why, when the file is no dashboard."""
    loaded, wrong = read_spec(path)
    if loaded is None:
        return sorted(wrong) if unreadable else None
    return sorted({*check_dashboard(loaded, contracts, of_data=True)})
