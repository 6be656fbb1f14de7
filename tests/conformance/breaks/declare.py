"""What a break is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Break:
    """A change, `apply`, to the Python runtime after which `rule` must be found broken in the case `case`.

    The name is the rule and what is done to it, `RULE: WHAT`.
    """

    rule: str
    what: str
    case: str
    apply: Callable[[], None]

    @property
    def name(self) -> str:
        return f"{self.rule}: {self.what}"
