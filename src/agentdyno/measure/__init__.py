"""Memory, processor time and the state of the machine, measured from outside the runtime."""
