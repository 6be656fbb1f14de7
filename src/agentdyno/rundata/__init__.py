"""One run as stored in its folder: cell, events, journal, samples, outcome."""
