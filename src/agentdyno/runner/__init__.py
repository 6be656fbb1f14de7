"""Runs an experiment: blocks of cells, each run a fresh process."""
