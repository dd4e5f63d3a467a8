"""What counts as a filter on the partition column of a table that may not be read without one."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from mesh.prove.partition_filters import unfiltered_reads
from tests.partition_filters_data import FILTERED, UNFILTERED

REQUIRED = {"s.events": "at"}


def told(query: str) -> set[str]:
    found = unfiltered_reads(parse_one(query, dialect="bigquery"), REQUIRED)
    return {message for message, _ in found}


@pytest.mark.parametrize("where", FILTERED)
def test_a_read_that_finds_its_partitions_is_taken(where: str) -> None:
    assert told(FILTERED[where]) == set()


@pytest.mark.parametrize("where", UNFILTERED)
def test_a_read_that_finds_no_partitions_is_told(where: str) -> None:
    assert told(UNFILTERED[where]) == {
        "s.events may be read only with a filter on its partition column: compare at with a "
        "constant in WHERE."
    }
