"""What changed between two experiments or two runtimes, and whether the change is allowed."""
