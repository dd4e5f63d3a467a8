"""Texts of people, in the form in which they are kept: what would break the lines of whoever shows
one, or move the cursor of a terminal, becomes a blank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh.movielens.ingest.literals import literal
from mesh.movielens.ingest.rules import BLANK, BREAK

if TYPE_CHECKING:
    from mesh.movielens.ingest.schema import Table
    from mesh.movielens.ingest.stage import Stage


def without_breaks(stage: Stage, table: Table, column: str, *, trimmed: bool = False) -> None:
    """Clean a column of the staged rows. trimmed: also of what nobody sees at its ends."""
    kept, asked = column, BREAK
    if trimmed:
        kept = f"regexp_replace({column}, {literal(f'^{BLANK}+|{BLANK}+$')}, '', 'g')"
        asked = f"^{BLANK}|{BLANK}$|{BREAK}"
    stage.connection.execute(
        f"UPDATE {stage.qualify(table)} "
        f"SET {column} = regexp_replace({kept}, {literal(f'{BREAK}+')}, ' ', 'g') "
        f"WHERE regexp_matches({column}, {literal(asked)})"
    )
