"""Imported by SQLMesh with every command that builds: deliveries are versions of the data.

See docs/decisions/deliveries.md.
"""

from mesh.environments.hooks import install

install()
