"""What is held back from a table that many read, so that nobody finds few users in it."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlmesh import macro


@macro()
def withheld(evaluator, users, smallest, key, *parts) -> exp.Expression:
    """Whether a part of a whole is held back: few users are behind it, or it would give them away.

    users: how many stand behind the part, each of them behind no other; with nobody, there is
    nothing to hold back. smallest: how many may be shown. key: tells parts of as many users apart.
    parts: the columns whose values make the whole, none when the whole table is one.

    Who knows the whole and all parts but one knows that one. So after the parts that are too small
    the next smallest is held back as well, until those held back together have enough users.
    """
    return _withheld("SUM", users, smallest, key, parts)


@macro()
def withheld_of_shared(evaluator, users, smallest, key, *parts) -> exp.Expression:
    """The same of parts that share users, as months do: those of one may be those of another.

    Held back together they have as many users as the largest of them for sure, and no more.
    """
    return _withheld("MAX", users, smallest, key, parts)


def _withheld(together, users, smallest, key, parts) -> exp.Expression:
    size, least = users.sql("bigquery"), smallest.sql("bigquery")
    whole = ", ".join(part.sql("bigquery") for part in parts)
    window = f"{f'PARTITION BY {whole} ' if whole else ''}ORDER BY {size}, {key.sql('bigquery')}"
    rows = f"{window} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    before = f"COALESCE({together}({size}) OVER ({rows}), 0)"
    return parse_one(
        f"({size} > 0 AND ({size} < {least} OR ({before} > 0 AND {before} < {least})))",
        dialect="bigquery",
    )
