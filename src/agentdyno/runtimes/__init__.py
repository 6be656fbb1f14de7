"""Runtimes, the programs under test: how they are found, built and started."""
