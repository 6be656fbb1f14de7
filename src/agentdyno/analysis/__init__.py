"""From events, journal and samples to figures."""
