"""What SQLMesh does not do: ingest, contracts, reviews and dashboards of the mesh."""
