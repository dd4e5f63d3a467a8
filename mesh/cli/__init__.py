"""The command line `mesh`: one thin module per command, the work is in the packages beside it."""
