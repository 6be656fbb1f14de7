"""Memory, processor time and the machine, read from outside."""
