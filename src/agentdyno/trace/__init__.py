"""Exports of a run's timeline for Perfetto and for receivers of OpenTelemetry."""
