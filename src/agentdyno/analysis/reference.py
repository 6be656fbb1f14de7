"""The runtimes whose figures others' are divided by."""

FLOOR = "floor"
"""The runtime that is the practical limit, by its name."""

BASELINE = "baseline"
"""What ratios to the runtime chosen with --baseline are called after."""
