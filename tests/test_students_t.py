"""Intervals and p-values by Student's t, worked out in SQL, against the distribution itself."""

from __future__ import annotations

import duckdb
import pytest
from rendered import on_duckdb
from scipy import stats

import macros.students_t  # noqa: F401  (registers the macros)

QUERY = """
SELECT degrees, t, @t_limit(degrees)::FLOAT64 AS reach, @t_tails(t, degrees)::FLOAT64 AS p
FROM cases
"""
