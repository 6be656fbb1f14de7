"""Programs under test: found, built and started."""
