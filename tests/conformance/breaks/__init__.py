"""Ways to break the Python runtime, at least one for every rule of the suite.

Each module has a list `BREAKS`. Only modules of the standard library are imported here; `apply` imports the
runtime.
"""

from breaks import always, requests, stream, transport, vectors
from breaks.declare import Break

BREAKS: dict[str, Break] = {
    entry.name: entry for module in (always, requests, stream, transport, vectors) for entry in module.BREAKS
}
