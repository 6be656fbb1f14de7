"""The key: in its header, and nowhere else."""

from agentdyno.conformance import wire
from agentdyno.conformance.case import case
from agentdyno.conformance.cases.requests import thrice
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.invariants import Observation, spellings
from agentdyno.conformance.rules import require
from agentdyno.conformance.stage import KEY, Stage
from agentdyno.conformance.wire import event

ODD_KEY = "sk-odd \"quoted\" \\back\\ {brace} $x %41 'one'"
"""Printable ASCII, so a header may hold it, with all that means something somewhere."""

SEARCH = """import os, pathlib
parts = [bytes.fromhex(part) for part in pathlib.Path({parts!r}).read_text().split()]
places = [pathlib.Path("/proc/self/environ")]
pid = os.getpid()
while pid > 1:
    places.append(pathlib.Path(f"/proc/{{pid}}/cmdline"))
    pid = int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
places += pathlib.Path(f"/proc/{{os.getppid()}}/fd").iterdir()
places += pathlib.Path({folder!r}).rglob("*")
files = [place for place in places if place.is_file()]
found = [str(place) for place in files if any(part in place.read_bytes() for part in parts)]
pathlib.Path({found!r}).write_text("\\n".join([str(len(files)), *found]))
print("1 passed in 0.00s")
"""
"""What holds the key while an attempt is verified: the verifier's environment and arguments, the arguments
of those above it, the files that its parent has open, and the files of the run.
"""


@case("key.header", "every request")
async def key_of_every_request(stage: Stage) -> str:
    return require_key(await stage.run(thrice), [f"Bearer {KEY}"])


@case("key.header", "an odd key")
async def an_odd_key(stage: Stage) -> str:
    return require_key(await stage.run(thrice, key=ODD_KEY), [f"Bearer {ODD_KEY}"])


@case("key.header", "not set")
async def key_not_set(stage: Stage) -> str:
    return require_key(await stage.run(thrice, key=None), [])


@case("key.header", "empty")
async def key_empty(stage: Stage) -> str:
    return require_key(await stage.run(thrice, key=""), [])


def require_key(observed: Observation, expected: list[str]) -> str:
    """Require that all three requests had these Authorization headers."""
    require(len(observed.requests) == 3, f"{len(observed.requests)} requests, expected 3; {observed.ending}")
    for number, request in enumerate(observed.requests, start=1):
        found = request.header("authorization")
        require(found == expected, f"request {number}: Authorization {found}, expected {expected}")
    return f"{'in' if expected else 'no header in'} {len(observed.requests)} requests"


@case("key.secret", "an endpoint that quotes it")
async def an_endpoint_that_quotes_it(stage: Stage) -> str:
    return await quoted(stage, KEY)


@case("key.secret", "an endpoint that quotes an odd key")
async def an_endpoint_that_quotes_an_odd_key(stage: Stage) -> str:
    return await quoted(stage, ODD_KEY)


async def quoted(stage: Stage, key: str) -> str:
    """Whatever the endpoint says ends up in a reason; every run is searched for the key afterwards."""
    typed = wire.head(401, content_type=key, content_length=0)
    said = {
        "status 401": wire.json_error(401, f"Incorrect API key provided: {key}."),
        "plain text": wire.head(403, "text/plain", content_length=len(key)) + key.encode(),
        "header": wire.head(400, content_length=0, x_key=key, www_authenticate=f'Bearer realm="{key}"'),
        "reason phrase": typed.replace(b"401 Unauthorized", b"401 " + key.encode()),
        "Content-Type": wire.head(content_type=key, content_length=0),
        "Content-Encoding": wire.head(content_encoding=key, content_length=0),
        "Location": wire.head(307, location=f"/v1/{key}", content_length=0),
        "error event": stream(event({"error": {"message": f"Incorrect key {key}", "code": 401}})),
        "error text": stream(event({"error": f"Incorrect key {key}"})),
        "error of another shape": stream(event({"error": {"key": {key: [key]}}})),
        "malformed event": stream(event(f"Incorrect key {key}")),
        "no HTTP": f"Incorrect key {key}\r\n\r\n".encode(),
    }

    async def answer(exchange: Exchange) -> None:
        await exchange.send(said[exchange.request.task])
        exchange.close()

    observed = await stage.run(answer, tasks=list(said), agents=4, key=key, transport={"max_retries": 0})
    return require_errors(observed, list(said))


def stream(*events: bytes) -> bytes:
    """A whole response with these events."""
    return wire.head() + b"".join(map(wire.chunked, events)) + wire.LAST_CHUNK


@case("key.secret", "an endpoint that quotes it at length")
async def an_endpoint_that_quotes_it_at_length(stage: Stage) -> str:
    """Wherever a runtime cuts what the endpoint says, white space left out or not, half a key is none."""
    bodies = {
        f"after {space} spaces and {more} letters": " " * space + "x" * more + KEY * 100
        for space in range(0, 9000, 1000)
        for more in range(0, len(KEY), len(KEY) // 3)
    }

    async def answer(exchange: Exchange) -> None:
        said = bodies[exchange.request.task].encode()
        await exchange.send(wire.head(401, "text/plain", content_length=len(said)), said)
        exchange.close()

    observed = await stage.run(answer, tasks=list(bodies), agents=4)
    return require_errors(observed, list(bodies))


def require_errors(observed: Observation, tasks: list[str]) -> str:
    """Require that every task ended with a reason of one line."""
    for name in tasks:
        outcome = observed.outcome(name)
        require(outcome.outcome == "error", f"{name}: outcome {outcome.outcome}; {observed.ending}")
        lines = (outcome.reason or "").splitlines()
        require(len(lines) == 1, f"{name}: reason {outcome.reason!r}, expected one line")
    return f"quoted in {len(tasks)} ways, found in no reason"


@case("key.secret", "while an attempt is verified")
async def while_an_attempt_is_verified(stage: Stage) -> str:
    parts, found = stage.folder / "parts", stage.folder / "found"
    parts.write_text(" ".join(part.hex() for part in spellings(KEY)))
    searching = SEARCH.format(parts=str(parts), folder=str(stage.folder), found=str(found))
    observed = await stage.run(lambda exchange: exchange.code(searching))
    require(found.exists(), f"the verifier found nothing out; {observed.ending}")
    count, *places = found.read_text().splitlines()
    require(not places, f"in {', '.join(places[:3])}")
    return f"in none of {count} files, arguments and environments"
