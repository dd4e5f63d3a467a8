"""Runs in a process of its own, beside the project of one revision.

Nothing here imports `mesh`: in that process `mesh` is the package of the revision under review, so
that the macros of an old revision meet the code that they were written for.
"""
