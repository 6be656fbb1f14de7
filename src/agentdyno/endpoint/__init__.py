"""The model server as an instrument: what it says, when it says it, what it saw."""
