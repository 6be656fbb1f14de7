"""The colours of what an attempt's time goes to, the same in the ledger and in the swim lanes.

Those of neighbours in a bar differ for colour-blind readers as well.
"""

OWN = "runtime"

PHASES = {
    "model": "#4a78c8",
    "queue": "#a8892a",
    "verify": "#269a86",
    "transport": "#8a63c9",
    OWN: "#cb3556",
}
"""Who was at work; what no other was is the runtime's own, its overhead."""

OWN_PARTS = {
    "begin": "#8a55c8",
    "prompt": "#b08d1c",
    "send": "#c2457e",
    "stream": "#3f86c8",
    "extract": "#2f7d5f",
    "spawn": "#e0653a",
    "bookkeeping": "#7a7a7a",
}
"""The parts of it, in the order in which they come."""
