"""Which types belong together: logical, on BigQuery and on DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DUCKDB_TYPE_PROPERTY = "duckdbType"

DUCKDB_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "INT64": "BIGINT",
        "FLOAT64": "DOUBLE",
        "NUMERIC": "DECIMAL(38, 9)",
        "STRING": "VARCHAR",
        "BOOL": "BOOLEAN",
        "DATE": "DATE",
        "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    }
)
"""The DuckDB type that holds exactly what the BigQuery type holds."""

LOGICAL_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "integer": ("INT64",),
        "number": ("FLOAT64", "NUMERIC"),
        "string": ("STRING",),
        "boolean": ("BOOL",),
        "date": ("DATE",),
        "timestamp": ("TIMESTAMP",),
    }
)
"""The BigQuery types of a logical type. No arrays and structs: BI tools cannot read them."""

ORDERED_TYPES = frozenset({"integer", "number", "date", "timestamp"})
CLASSIFICATIONS = ("public", "internal", "confidential", "personal")
PERSONAL = "personal"
PERSONAL_NAMES = frozenset({"user_id", "userid"})
"""Column names (in lower case) that always stand for a person."""
