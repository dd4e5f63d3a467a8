"""What a change does to the models: both revisions loaded, read, and followed to the last chart."""
