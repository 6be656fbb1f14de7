"""A load on the endpoint."""

from dataclasses import dataclass

CONNECTIONS_PER_S = 2000.0
"""The pace at which clients open their streams."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams at once, each with so many events a second, for so long after the last has begun."""

    streams: int
    rate: float
    seconds: float

    @property
    def tokens(self) -> int:
        """How long each reply must be for all streams to overlap that long."""
        return max(1, round(self.rate * (self.streams / CONNECTIONS_PER_S + self.seconds)))

    @property
    def events_per_s(self) -> float:
        """What all streams ask together while all are open."""
        return self.streams * self.rate

    def begin_ns(self, stream: int) -> int:
        """When the stream of this number, from 0, is to begin, in nanoseconds after the first."""
        return round(stream / CONNECTIONS_PER_S * 1e9)
