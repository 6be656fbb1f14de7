"""`agentdyno serve`: a simulated OpenAI-compatible endpoint, or a relay to a real one, with a journal."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
from pathlib import Path
from time import process_time
from urllib.parse import urlsplit

import uvloop

from agentdyno.commands.endpoint_options import add_upstream_options, upstream_given
from agentdyno.endpoint.api import Catalogue
from agentdyno.endpoint.journal import Journal
from agentdyno.endpoint.profile import PROFILES, parse_profile
from agentdyno.endpoint.server import Backend, Server
from agentdyno.endpoint.simulation import Schedule, Simulation
from agentdyno.options import whole
from agentdyno.process import limits
from agentdyno.project import PROMPTS
from agentdyno.tasks.first_request import read_prompts
from agentdyno.tasks.load import load

MOST_TASKS = 1_000_000
MAX_PORT = 65_535
_REQUESTS_BETWEEN_COLLECTIONS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `serve` takes."""
    parser.add_argument(
        "--tasks",
        default="builtin",
        metavar="builtin|humaneval|PATH",
        help="the tasks that the endpoint knows (default: %(default)s)",
    )
    parser.add_argument(
        "--limit",
        type=whole("--limit", 1, MOST_TASKS),
        metavar="N",
        help="this many tasks; the list is cut or repeated (default: all tasks once)",
    )
    parser.add_argument(
        "--prompts",
        type=Path,
        default=PROMPTS,
        metavar="FILE",
        help="the messages by which the endpoint recognises a task (default: those of the contract)",
    )
    parser.add_argument(
        "--profile",
        default="chat-7b",
        help=f"the latency profile: {', '.join(PROFILES)}, NAME:ttft=300ms,itl=40ms~0.2, or a .toml file "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=whole("--seed", 0),
        default=0,
        help="the same seed gives the same replies and times (default: %(default)s)",
    )
    parser.add_argument(
        "--model",
        default="agentdyno-sim",
        metavar="NAME",
        help="the name of the model (default: %(default)s)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=whole("--port", 0, MAX_PORT),
        default=0,
        help="where to listen; with 0, the default, the kernel chooses a free port",
    )
    parser.add_argument("--journal", type=Path, metavar="FILE", help="write a line of JSON for every request")
    parser.add_argument(
        "--upstream",
        metavar="URL",
        help="relay to this real endpoint, as in https://host/v1 (--profile has no effect then)",
    )
    add_upstream_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; raises `UserError` if the endpoint cannot start."""
    limits.reserve_descriptors()
    uvloop.run(_serve(args))
    return 0


async def _serve(args: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    tasks = load(args.tasks, args.limit)
    catalogue = Catalogue(tasks, read_prompts(args.prompts).user)
    schedule = Schedule(loop)
    facts = {"seed": args.seed, "tasks": len(tasks), "model": args.model}
    async with contextlib.AsyncExitStack() as stack:
        backend: Backend
        if args.upstream is not None:
            # A simulation does not need aiohttp, which takes 15 MiB and 0.2 s.
            from agentdyno.endpoint.relay import Relay
            from agentdyno.endpoint.upstream import Upstream

            upstream = Upstream(args.upstream, **upstream_given(args))
            backend = await stack.enter_async_context(Relay(upstream, catalogue))
            facts |= {"profile": None, "upstream": _without_credentials(args.upstream)}
        else:
            profile = parse_profile(args.profile)
            backend = Simulation(tasks, catalogue, args.seed, profile, args.model, schedule)
            facts |= {"profile": profile.name, "ttft": str(profile.ttft), "itl": str(profile.itl)}
        # A garbage collection amid requests would delay all chunks by tens of milliseconds.
        gc.collect()
        gc.freeze()
        gc.disable()

        journal = Journal(loop)
        server = Server(backend, schedule, journal)
        url = await server.listen(args.host, args.port)
        journal.start(args.journal, **facts, pid=os.getpid(), url=url, cpu_s=process_time())
        print(f"agentdyno endpoint listening on {url}", flush=True)
        collecting = asyncio.create_task(_collect_when_idle(server))
        await stop.wait()
        collecting.cancel()
        server.close()
        journal.end(requests=server.requests, max_in_flight=server.max_in_flight)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


async def _collect_when_idle(server: Server) -> None:
    collected_at = 0
    while True:
        await asyncio.sleep(1)
        if not server.in_flight and server.requests >= collected_at + _REQUESTS_BETWEEN_COLLECTIONS:
            gc.collect()
            collected_at = server.requests
