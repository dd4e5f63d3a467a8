"""YAML files with their lines, and what is wrong with them, as sentences."""
