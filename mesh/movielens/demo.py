"""`mesh demo`: from files to data products in four environments, one step after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from mesh.dashboards.preview.build import build
from mesh.deliveries import GENERATED
from mesh.environments import EnvironmentStatus, Opened, open_project, plan, promote, status
from mesh.errors import CheckFailed, Location, WrongUse
from mesh.movielens.generate import generate
from mesh.movielens.ingest import ingest
from mesh.movielens.ingest.genres import genres_of
from mesh.movielens.ingest.targets.duckdb import DuckDBTarget
from mesh.project import DATABASE_VARIABLE, Project
from mesh.verify import newest_row, verify

PLANNED = ("dev", "test", "acceptance")
# What is verified before prod shows the same.
VERIFIED = PLANNED[-1]
PROD = "prod"
SAMPLE = Path("data") / "sample"
SAMPLE_USERS = 650
SAMPLE_SEED = 25
DASHBOARDS = Path("dist") / "dashboards"

Say = Callable[[str], None]


@dataclass(frozen=True)
class DemoResult:
    """audience: its headline, in users."""

    status: EnvironmentStatus
    audience: str
    dashboards: tuple[Path, ...]


def demo(project: Project, source: Path | None, *, say: Say) -> DemoResult:
    """Ingest `source`, or a generated sample, plan all environments and draw the dashboards.

    say: is told each step as it is done. CheckFailed when acceptance breaks a promise: prod is
    then not planned. WrongUse when a sample would replace what others delivered.
    """
    if source is None:
        _check_replaceable(project)
    loaded = ingest(
        source or _sample(project, say), database=project.database, contracts=project.contracts
    )
    say(
        "nothing new to ingest"
        if loaded.nothing_changed
        else f"ingested {loaded.lines_loaded:,} lines, {loaded.lines_rejected:,} rejected"
    )
    for note in loaded.notes:
        say(note)
    opened = open_project(project)
    for name in PLANNED:
        planned = plan(opened, name)
        done = f"{len(set(planned.models))} models built" if planned.models else "nothing to build"
        say(f"planned {name}: {done}, {planned.seconds:.1f} s")
    # A sample, or public data, is years old: what it is held to is the day on which it ends.
    day = newest_row(opened, VERIFIED)
    report = verify(opened, VERIFIED, as_of=day)
    if not report.ok:
        raise CheckFailed(
            f"{VERIFIED} breaks promises. {report.summary}",
            fix=f"See them with `mesh contracts verify {VERIFIED}`; {PROD} is as it was.",
        )
    say(f"verified {VERIFIED}: {report.summary}")
    say(f"measured freshness as of {report.as_of:%Y-%m-%d}, the day of its newest row")
    promoted = promote(opened, VERIFIED, PROD)
    say(f"promoted {VERIFIED} to {PROD}: the same tables, {promoted.seconds:.1f} s")
    pages = build(opened, PROD, project.root / DASHBOARDS, png=False)
    return DemoResult(status(opened, PROD, now=report.as_of), _audience(opened), tuple(pages))


def _check_replaceable(project: Project) -> None:
    """Raise WrongUse when the tables hold anything that is not a sample of an earlier demo."""
    if not project.database.exists():
        return
    with DuckDBTarget(project.database).session() as target:
        history = target.history()
    rows = ", ".join(f"{count:,} {table}" for table, count in history.rows_now.items() if count)
    sources = [entry.source for entry in history.shown] or ["no delivery"]
    sample = str(project.root / SAMPLE)
    others = [source for source in sources if source.removesuffix(GENERATED) != sample]
    if rows and others:
        raise WrongUse(
            f"the database holds {rows} of {others[-1]}, and a sample would take their place, in "
            f"{PROD} too.",
            where=Location(project.database),
            fix="Name the files to show with `mesh demo --source` (`make demo SOURCE=…`), or let "
            f"{DATABASE_VARIABLE} name another file for the sample.",
        )


def _sample(project: Project, say: Say) -> Path:
    folder = project.root / SAMPLE
    # Without the contract that a delivery is loaded by nothing is written.
    genres_of(project.contracts)
    made = generate(folder, SAMPLE_USERS, SAMPLE_SEED, force=True)
    say(f"generated a sample: {made.users:,} users, {made.ratings:,} ratings in {folder}")
    return folder


def _audience(opened: Opened) -> str:
    """How many there are of each group that may be told of."""
    environment = opened.environment(PROD)
    product = opened.products(environment)["engagement.audience_groups"]
    members = exp.select("user_group", "user_count").from_(opened.view(product, environment))
    counts = dict(opened.rows(members.where("membership = 'members'")))
    groups = {"all_users": "users"} | {name: name for name in ("raters", "taggers", "sleepers")}
    return ", ".join(f"{counts[name]:,} {said}" for name, said in groups.items() if name in counts)
