"""How an attempt is checked."""
