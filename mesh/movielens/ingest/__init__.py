"""Loads MovieLens deliveries into the operational tables.

    from mesh.movielens.ingest import ingest
    ingest(Path("ml-latest-small"))

A delivery is opened and checked (`source`), read line by line in effect (`prepare`, `lines`),
loaded into staging tables (`stage`), checked across lines (`checks`) and published by a `targets`
module, whole or not at all. `schema` says what the tables look like, `history` what was ingested so
far; `undo` takes the newest delivery out again.
"""

from mesh.movielens.ingest.erase import erase
from mesh.movielens.ingest.run import IngestResult, ingest
from mesh.movielens.ingest.schema import create_operational_tables_sql
from mesh.movielens.ingest.undo import undo

__all__ = ["IngestResult", "create_operational_tables_sql", "erase", "ingest", "undo"]
