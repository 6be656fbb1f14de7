"""Makes what the tests printed fit to be shown to a model, and the same wherever the same test fails.

Source: runtimes/contract/vectors/feedback.json.
"""

import re

from agentloop.extraction import WHITE_SPACE

LIMIT_BYTES = 4000

_DURATION = r" in [0-9]+\.[0-9]+s(?: \([0-9a-z,: ]+\))?"
# pytest makes this line as wide as the screen, so how many signs there are depends on the duration.
_WIDE_SUMMARY = re.compile(rf"^=+ (.*){_DURATION} =+$", re.MULTILINE)
_REPLACEMENTS = (
    (re.compile(_DURATION), ""),
    (re.compile(r" at 0x[0-9a-fA-F]+"), " at 0x0"),
    (re.compile(r"/pytest-of-[^/ \t\n\r\v\f]+/pytest-[0-9]+"), "/pytest"),
    (re.compile(r"(^|[ \t\n\r\v\f'\"(])[^ \t\n\r\v\f'\"(]*/lib/python3\.[0-9]+/"), r"\1lib/python3/"),
)


def normalise(stdout: bytes, stderr: bytes, workspace: str) -> str:
    """Return stdout, then stderr, without what differs from run to run: the last 4,000 bytes of it at most.

    `workspace` is the absolute path of the folder in which the tests ran.
    """
    text = (b"\n" if stdout and stderr else b"").join((stdout, stderr)).decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace(workspace + "/", "").replace(workspace, ".")
    text = _WIDE_SUMMARY.sub(r"\1", text)
    for varying, constant in _REPLACEMENTS:
        text = varying.sub(constant, text)
    return text.rstrip(WHITE_SPACE).encode()[-LIMIT_BYTES:].decode("utf-8", "ignore")
