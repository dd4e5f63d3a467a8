"""What knows the delivery: the MovieLens files, their tables, and a generator of such files."""

GENERATED_MARK = "GENERATED.txt"
"""The file beside generated ones by which their data is known as such."""
