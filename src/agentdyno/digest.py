"""Telling contents apart."""

import hashlib
from collections.abc import Iterable


def sha256(texts: Iterable[str]) -> str:
    """The SHA-256 of these texts, one after the other, in hexadecimal digits."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()
