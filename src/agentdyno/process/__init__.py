"""Child processes, signals, and the limit on open files."""
