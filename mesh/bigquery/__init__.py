"""BigQuery: how to reach it, and what its refusals mean."""

from mesh.bigquery.connection import Warehouse, connect, warehouse
from mesh.bigquery.errors import explained, explanation

__all__ = ["Warehouse", "connect", "explained", "explanation", "warehouse"]
