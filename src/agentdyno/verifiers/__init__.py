"""How an attempt is checked."""

from collections.abc import Callable

from agentdyno.verifiers.cold import cold
from agentdyno.verifiers.null import null
from agentdyno.verifiers.verifier import Verifier

VERIFIERS: dict[str, Callable[[], Verifier]] = {"cold": cold, "null": null}
"""By the name that `--verifier` takes."""
