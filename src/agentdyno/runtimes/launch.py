"""The environment of a runtime."""

import os

PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""All that a runtime inherits of our environment, so that no runtime is tuned by a variable that happens
to be set.
"""


def inherited() -> dict[str, str]:
    """Those variables that are set here."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}
