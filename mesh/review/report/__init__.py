"""A review for people and machines: a terminal, a comment on a pull request, JSON and SARIF."""
