"""Computes metrics, gates and comparisons from events, journal and samples."""
