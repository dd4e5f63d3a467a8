"""Contracts that bite: a product's rows are damaged in standard ways, and its rules have to notice.

Nothing here knows a product: what is damaged follows from the contract. It all happens in a
database in memory beside the environment, which is only read.
"""
