"""What would stop a mistake, in both revisions: audits, lint rules, tests, steps of workflows."""
