"""`python -m agentloop [--uvloop] run.json`: one run, from its run file to its exit status; or the tools."""

import os
import signal
import sys

TYPE_CHECKING = False  # not typing's, which takes longer to load than all else here
if TYPE_CHECKING:
    from types import FrameType

    from agentloop.run_file import RunFile

USAGE = "usage: python -m agentloop [--uvloop] run.json, or python -m agentloop tools FOLDER"


def main(arguments: list[str]) -> int:
    """Do the run, or serve the tools, and return the exit status; what goes wrong is one line on stderr."""
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, leave)
    # The manifests start this with SIGINT blocked, because CPython can lose one while it starts.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    # All else is loaded from here on, because a signal may come at any time.
    from agentloop.fields import InvalidInput
    from agentloop.log import log_line
    from agentloop.run_file import load_run_file

    with_uvloop = arguments[:1] == ["--uvloop"]
    paths = arguments[with_uvloop:]
    try:
        if arguments[:1] == ["tools"] and len(arguments) == 2:
            from agentloop.tools_command import serve

            return serve(arguments[1], sys.stdin.buffer, sys.stdout.buffer)
        if len(paths) != 1:
            raise InvalidInput(f"{len(paths)} run files are given and one is needed; {USAGE}")
        run = load_run_file(paths[0])
        load_asyncio(run, with_uvloop)
        from agentloop.run import perform

        return perform(run, with_uvloop)
    except InvalidInput as invalid:
        log_line(str(invalid))
        return 2


def leave(received: int, frame: "FrameType | None") -> None:
    """End with the signal's exit status, while nothing has begun; the run then has its own way of ending.

    At once, because CPython drops an exception that is raised in a callback of the import machinery.
    """
    os._exit(128 + received)


def load_asyncio(run: "RunFile", with_uvloop: bool) -> None:
    """Load asyncio without ssl, which takes 4 MiB, where neither the endpoint nor uvloop needs it."""
    from agentloop.endpoint import parse_base_url

    address = parse_base_url(run.base_url)
    if address is not None and not address.tls and not with_uvloop:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # asyncio is made to run where there is no ssl
        import asyncio  # noqa: F401

        del sys.modules["ssl"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
