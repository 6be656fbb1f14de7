"""`agentdyno serve`: an OpenAI-compatible model server that is simulated, or a real one behind a journal."""

import argparse
import asyncio
import ctypes
import gc
import os
import signal
from pathlib import Path
from time import process_time

import uvloop

from agentdyno.endpoint.conversation import read_user_template
from agentdyno.endpoint.journal import Journal
from agentdyno.endpoint.profile import PROFILES, parse_profile
from agentdyno.endpoint.schedule import Schedule
from agentdyno.endpoint.server import Server
from agentdyno.endpoint.simulation import Simulation
from agentdyno.tasks.load import load

_PROMPTS = Path(__file__).resolve().parents[3] / "runtimes/contract/prompts.json"
_REQUESTS_BETWEEN_COLLECTIONS = 1000
_PR_SET_PDEATHSIG = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `serve` takes."""
    parser.add_argument(
        "--tasks", default="builtin", metavar="builtin|humaneval|PATH", help="what the replies are about"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="this many tasks, repeated if need be")
    parser.add_argument(
        "--prompts",
        type=Path,
        default=_PROMPTS,
        metavar="FILE",
        help="the messages by which a conversation's task is recognised (default: those of the contract)",
    )
    parser.add_argument(
        "--profile",
        default="chat-7b",
        help=f"when tokens come: {', '.join(PROFILES)}, NAME:ttft=300ms,itl=40ms~0.2, or a .toml file "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="the same seed, the same service (default: %(default)s)"
    )
    parser.add_argument(
        "--model",
        default="agentdyno-sim",
        metavar="NAME",
        help="the name of the model (default: %(default)s)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, lets the kernel choose")
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="write down every request, as JSON lines"
    )
    parser.add_argument(
        "--die-with-parent", action="store_true", help="end when the process that started this one does"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; raises `Refusal` for anything that makes that impossible."""
    if args.die_with_parent:
        _die_with_parent()
    uvloop.run(_serve(args))
    return 0


async def _serve(args: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    profile = parse_profile(args.profile)
    template = read_user_template(args.prompts)
    tasks = load(args.tasks, args.limit)
    schedule = Schedule(loop)
    simulation = Simulation(tasks, template, args.seed, profile, args.model, schedule)
    # Left to itself the cycle collector would stop the process for tens of milliseconds while chunks are due.
    gc.collect()
    gc.freeze()
    gc.disable()
    journal = Journal(args.journal, loop)
    server = Server(simulation, schedule, journal)
    url = await server.listen(args.host, args.port)
    journal.start(
        seed=args.seed,
        profile=profile.name,
        ttft=str(profile.ttft),
        itl=str(profile.itl),
        tasks=len(tasks),
        model=args.model,
        pid=os.getpid(),
        cpu_s=process_time(),
        url=url,
    )
    collecting = asyncio.create_task(_collect_when_idle(server))
    print(f"agentdyno endpoint listening on {url}", flush=True)

    await stop.wait()
    collecting.cancel()
    server.close()
    journal.end(requests=server.requests, max_in_flight=server.max_in_flight)


async def _collect_when_idle(server: Server) -> None:
    collected_at = 0
    while True:
        await asyncio.sleep(1)
        if not server.in_flight and server.requests >= collected_at + _REQUESTS_BETWEEN_COLLECTIONS:
            gc.collect()
            collected_at = server.requests


def _die_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
