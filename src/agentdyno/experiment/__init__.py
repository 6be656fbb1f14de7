"""Cells, runs and blocks."""
