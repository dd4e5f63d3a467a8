"""The mesh's infrastructure: what exists in Google Cloud, and who may read what."""
