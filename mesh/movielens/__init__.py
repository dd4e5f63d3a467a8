"""What knows the delivery: the MovieLens files, their tables, and a generator of such files."""
