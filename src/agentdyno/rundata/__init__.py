"""One run as it lies in its folder: cell, events, journal, samples, outcome."""
