"""MovieLens-shaped data, deterministic from a seed, at any size.

Calibrated against the published figures of ML-25M. Users are made in blocks with a random stream
each, so that memory does not grow with their number.
"""

from __future__ import annotations

from mesh.movielens.generate.run import DEFAULT_SEED, GeneratedCounts, generate

__all__ = ["DEFAULT_SEED", "GeneratedCounts", "generate"]
