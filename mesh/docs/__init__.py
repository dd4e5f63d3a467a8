"""Pages under docs/ that are drawn from the project, so that they cannot be wrong."""
