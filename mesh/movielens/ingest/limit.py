"""How many rejected lines are too many, and what is said then."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

from mesh.errors import CheckFailed, Location, WrongUse
from mesh.movielens.ingest.literals import literal
from mesh.movielens.ingest.rules import NOT_NEWEST
from mesh.movielens.ingest.stage import REJECTED, Kind, Stage
from mesh.plain import FORMULA, NO_FORMULA
from mesh.project import examples_shown

DEFAULT_LIMIT = Decimal("0.001")
REASONS_SHOWN = 3
# What only is not the newest of its key is no fault of the source.
_WRONG = f"NOT starts_with(reason, '{NOT_NEWEST}:')"


def share(text: str | float | Decimal) -> Decimal:
    """'0.1%', '0.001' or a number between 0 and 1 as a share. Raises WrongUse."""
    words = str(text).strip()
    try:
        number = Decimal(words.rstrip("%").strip()) / (100 if words.endswith("%") else 1)
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 <= number <= 1):
        raise WrongUse(
            f"{words!r} is not a share of lines.",
            fix="Give --max-rejected as 0.1% or 0.001, between 0 and 1.",
        )
    return number


def check_limit(stage: Stage, limit: Decimal, folder: Path, name: str) -> None:
    """Raise CheckFailed when of a table more than the share `limit` of its lines was rejected: a
    small file is not saved by a large one beside it. Empty lines, which hold nothing that could be
    lost, are kept among the rejected, but do not count here.

    folder: where the list of rejected lines of a refused delivery is written, as `<name>.csv`.
    """
    over = [
        f"{wrong:,} of {counts.read:,} lines of {table} ({_percent(wrong, counts.read)})"
        for table, counts in stage.counts.items()
        if (wrong := counts.rejected - counts.empty) > limit * counts.read
    ]
    if not over:
        return
    path = _write_list(stage, folder, name)
    raise CheckFailed(
        f"{' and '.join(over)} were rejected, where {_plain(limit * 100)} % of a table's are "
        "allowed; the tables are as they were. Most frequent: "
        f"{most_frequent(stage)}. All of them are in {path}.",
        fix="Correct the source, or allow more with --max-rejected.",
    )


def _percent(part: int, whole: int) -> str:
    value = 100 * part / whole
    return f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def most_frequent(stage: Stage) -> str:
    """The kinds of reasons that cost most lines, each with the first, and what follows from it."""
    kinds = sorted(
        stage.rejections.kinds.items(), key=lambda k: (-k[1].count - k[1].consequences, k[0])
    )
    return "; ".join(_told(name, kind) for name, kind in kinds[:REASONS_SHOWN])


def _told(name: str, kind: Kind) -> str:
    file, line, detail = kind.first
    more = f"; {kind.consequences:,} more are about movies that it cost"
    also = more if kind.consequences else ""
    told = f"{name} ({kind.count:,}, the first at {Location(Path(file), line)}{also})"
    return f"{told}: {detail}" if detail and examples_shown() else told


def _write_list(stage: Stage, folder: Path, name: str) -> Path:
    """Write all rejected lines, as CSV in which no spreadsheet takes a text for a formula."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    part = folder / f".{name}.part"
    cells = ", ".join(
        f"regexp_replace({column}, {literal(FORMULA)}, {literal(NO_FORMULA)}, 'g') AS {column}"
        for column in ("file", "raw_text", "reason")
    )
    try:
        stage.connection.execute(
            f"COPY (SELECT * REPLACE ({cells}) FROM {REJECTED} WHERE {_WRONG} "
            "ORDER BY file, line_number) "
            f"TO {literal(str(part))} (FORMAT csv, HEADER)"
        )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
