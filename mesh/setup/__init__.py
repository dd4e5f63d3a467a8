"""Setting a SQLMesh project up for contracts: the few files and lines that hold both together."""

from mesh.setup.init import Change, apply, in_python, needed

__all__ = ["Change", "apply", "in_python", "needed"]
