"""Gate 4 of the contracts: what a pull request does to everyone who depends on the data.

The contract diff (`diff.py`, by the rules of `rules.py`) needs nothing but the contracts of two
revisions. The review adds what SQLMesh knows of both: lineage, plan, data diff.
"""
