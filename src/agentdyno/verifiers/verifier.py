"""A verifier as a runtime is told of it: an argv and the whole environment of the children."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verifier:
    """`argv` is run in the attempt's workspace with exactly `environment` (CONTRACT.md, Verification)."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str]
