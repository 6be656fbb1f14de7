"""Random draws that depend on their key alone.

Two processes, two machines or two orders of arrival give the same draws, because nothing is shared: no global
generator, no `hash()` (which is salted per process).
"""

import hashlib
import json
import random


def keyed(*key: str | int) -> random.Random:
    """A generator of its own for `key`, seeded with its SHA-256."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))


def rank(seed: int, names: list[str]) -> list[str]:
    """`names` in an order that depends on `seed` and on the names, not on the order they came in."""
    return sorted(names, key=lambda name: hashlib.sha256(json.dumps([seed, name]).encode()).digest())
