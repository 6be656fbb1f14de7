"""Makes what the tests printed fit to be shown to a model, and the same wherever the same test fails.

Source: runtimes/contract/vectors/feedback.json.
"""

import re

from agentloop.extraction import WHITE_SPACE

LIMIT_BYTES = 4000

_DURATION = re.compile(r" in [0-9]+\.[0-9]+s(?: \([0-9a-z,: ]+\))?")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def feedback(stdout: bytes, stderr: bytes, workspace: str) -> str:
    """Return stdout, then stderr, without what differs between two runs, as at most the last 4,000 bytes of UTF-8.

    `workspace` is the absolute path of the folder in which the tests ran.
    """
    text = (b"\n" if stdout and stderr else b"").join((stdout, stderr)).decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace(workspace + "/", "").replace(workspace, ".")
    text = _ADDRESS.sub(" at 0x0", _DURATION.sub("", text)).rstrip(WHITE_SPACE)
    return text.encode()[-LIMIT_BYTES:].decode("utf-8", "ignore")
