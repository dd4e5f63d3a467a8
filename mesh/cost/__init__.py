"""What the project costs on BigQuery: bytes that builds, months of runs and charts scan.

`cost()` tells it of a project, `cost_of_revision()` of another revision on the same rows.
"""

from mesh.cost.estimate import ChartCost, Cost, ModelCost
from mesh.cost.run import cost, cost_of_laid, cost_of_revision
from mesh.cost.sizes import DEFAULT_PRICE, price

__all__ = [
    "DEFAULT_PRICE",
    "ChartCost",
    "Cost",
    "ModelCost",
    "cost",
    "cost_of_laid",
    "cost_of_revision",
    "price",
]
