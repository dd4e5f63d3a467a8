"""The lint rules that hold models to their contracts; SQLMesh finds them by their names here."""

from mesh.lint import *  # noqa: F403
