"""`python -m agentloop tools FOLDER`: a line of JSON for every call of a tool.

Source: runtimes/CONTRACT.md, "Tools".
"""

import asyncio
import json
import os
import signal
from collections.abc import Iterable
from dataclasses import asdict
from typing import BinaryIO

from agentloop.fields import Fields, InvalidInput
from agentloop.log import one_line
from agentloop.process import pass_no_descriptors_on
from agentloop.tools import ToolDispatcher, ToolRefused
from agentloop.verifier import Verifier


def serve(folder: str, calls: Iterable[bytes], answers: BinaryIO) -> int:
    """Answer each call in order, in the workspace `folder`, and return the exit status.

    Raises `InvalidInput` when there is no such folder.
    """
    if not os.path.isdir(folder):
        raise InvalidInput(f"{folder}: is no folder; name the workspace that the tools are to work in")
    pass_no_descriptors_on()
    # A parent may have left it ignored, and then there would be no exit statuses.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with asyncio.Runner() as runner:
        for call in calls:
            try:
                answer = {"result": runner.run(_result(call, os.path.realpath(folder)))}
            except (ToolRefused, InvalidInput) as refused:
                answer = {"error": one_line(str(refused))}
            except OSError as failure:
                answer = {"error": failure.strerror or one_line(str(failure))}
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
    return 0


async def _result(line: bytes, folder: str) -> object:
    try:
        call = Fields.of_text("call", line.decode())
    except UnicodeDecodeError as failure:
        raise InvalidInput(f"call: {failure}") from None
    tools = ToolDispatcher(folder)
    match call.text("tool"):
        case "write_file":
            tools.write_file(call.text("path"), call.text("content"))
            return None
        case "read_file":
            return tools.read_file(call.text("path"))
        case "list_dir":
            return tools.list_dir(call.text("path"))
        case "search":
            return [asdict(match) for match in tools.search(call.text("text"), call.text("path"))]
        case "bash":
            verifier = Verifier(
                ["bash"],
                env=call.environment("env"),
                timeout_s=call.positive("timeout_s"),
                output_limit_bytes=call.integer("output_limit_bytes", at_least=1),
            )
            finished = await tools.bash(call.text("command"), verifier)
            return asdict(finished) | {
                "stdout": finished.stdout.decode("utf-8", "replace"),
                "stderr": finished.stderr.decode("utf-8", "replace"),
            }
    raise call.invalid("tool", "write_file, read_file, list_dir, search or bash")
