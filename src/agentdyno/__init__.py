"""A controlled benchmark of agent runtimes."""

__version__ = "0.1.0"
