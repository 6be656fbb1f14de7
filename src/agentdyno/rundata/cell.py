"""What one run is a run of."""

import re
from dataclasses import dataclass

REAL = "real:"
"""What the profile of a cell begins with when the endpoint is a real one; its model's name follows."""

AA_CONTROL = "twin"
"""The A/A control: every block measures the first cell twice. The two must tie.

This string and the two below stand in the files of experiments, so they stay as they are.
"""

DRIFT_CHECK = "sentinel"
"""The drift check: the very first run once more, when all others are over. It must not have drifted."""

UNSAMPLED = "unsampled"
"""The first cell without the sampler, in every block; it shows what sampling takes."""

CONTROLS = {"aa": AA_CONTROL, "drift": DRIFT_CHECK, "unsampled": UNSAMPLED}
"""The controls by the names that `--controls` takes."""

CONTROL_NAMES = {AA_CONTROL: "A/A control", DRIFT_CHECK: "drift check", UNSAMPLED: "without the sampler"}
"""What people read of a control."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of what is varied; all runs of a cell make one row of the table.

    `control` is empty in cells that are measured for their own sake, else one of the strings above.
    """

    runtime: str
    agents: int
    verifier: str
    profile: str
    control: str = ""

    @property
    def label(self) -> str:
        """A name that serves as a folder's name; of a long profile, such as a path, it holds the end."""
        profile = re.sub(r"[^A-Za-z0-9._-]", "-", self.profile)[-60:]
        control = f"-{self.control}" if self.control else ""
        return f"{self.runtime}-{self.agents}-{self.verifier}-{profile}{control}"
