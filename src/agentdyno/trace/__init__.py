"""A run's course in time, for viewers that others have made: Perfetto, and all that take OpenTelemetry."""
