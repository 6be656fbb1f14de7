"""The HTML report: one file that says which runtime to pick, how sure that is, and why."""
