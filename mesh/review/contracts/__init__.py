"""The contract diff: two states of contracts, compared as what they promise."""
