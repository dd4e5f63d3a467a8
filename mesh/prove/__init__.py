"""The GoogleSQL proof: what passes here, BigQuery accepts.

`prove()` renders every model as production runs it, lets Google's own analyzer read it, and
compares what comes out with the contracts. `ChartQuery` is a query that a dashboard sends.
"""

from mesh.prove.findings import Finding, Proof
from mesh.prove.run import ChartQuery, prove

__all__ = ["ChartQuery", "Finding", "Proof", "prove"]
