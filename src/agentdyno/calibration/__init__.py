"""What the endpoint itself can serve on a machine."""
