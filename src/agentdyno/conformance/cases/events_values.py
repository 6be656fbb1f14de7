"""Events: what they say."""

from agentdyno.conformance import wire
from agentdyno.conformance.assertions import once, recovered, time_of
from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.stage import FAILING, PASSING, Stage, passing
from agentdyno.conformance.violation import require
from agentdyno.rundata.events import PHASES


@case("events.values", "how verifiers end")
async def how_verifiers_end(stage: Stage) -> str:
    kill = "import os\nos.kill(os.getpid(), {})\n"
    expected: dict[str, tuple[str, int | None, int | None, bool]] = {
        PASSING: ("passed", 0, None, False),
        FAILING: ("failed", 1, None, False),
        "raise SystemExit(77)\n": ("no_summary", 77, None, False),
        kill.format(6): ("no_summary", None, 6, False),
        kill.format(15): ("no_summary", None, 15, False),
        kill.format(9): ("no_summary", None, 9, False),
        "while True: pass\n": ("timed_out", None, 9, True),
    }
    codes = list(expected)

    async def answer(exchange: Exchange) -> None:
        await exchange.code(codes[int(exchange.request.task)])

    tasks = [str(number) for number in range(len(codes))]
    verify = {"timeout_s": 2, "slots": 3}
    observed = await stage.run(answer, tasks=tasks, agents=len(tasks), max_retries=0, verify=verify)
    for task, code in zip(tasks, codes, strict=True):
        found = observed.attempt(task=task)
        values = (found.verdict, found.exit_code, found.signal, found.timed_out)
        require(
            values == expected[code],
            f"verdict, exit_code, signal, timed_out of {code!r}: {values}, expected {expected[code]}",
        )
    return f"{len(codes)} ways, exit code or signal"


@case("events.values", "phases that did not happen")
async def phases_null(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        match exchange.request.task:
            case "no code":
                await exchange.reply("No code.")
            case "refused":
                await exchange.send(wire.json_error(400))
            case _:
                await passing(exchange)

    observed = await stage.run(answer, tasks=("passed", "no code", "refused"), max_retries=0)
    expected = {
        "passed": PHASES,
        "no code": ("t_begin", "t_request", "t_first", "t_last", "t_end"),
        "refused": ("t_begin", "t_request", "t_end"),
    }
    for task, happened in expected.items():
        attempt = observed.attempt(task=task)
        found = tuple(name for name in PHASES if getattr(attempt, name) is not None)
        require(
            found == tuple(happened), f"{task}: phases {', '.join(found)}; expected {', '.join(happened)}"
        )
    return "null without a completion, null without a verification"


@case("events.values", "usage")
async def usage(stage: Stage) -> str:
    given = {
        "prompt_tokens": 12,
        "completion_tokens": 9007199254740993,
        "cost": 0.125,
        "details": {"cached": None, "é": [1, {"x": True}]},
    }

    async def answer(exchange: Exchange) -> None:
        *most, done = wire.completion(wire.fenced(PASSING))
        if exchange.request.task == "with":
            await exchange.stream(*most, wire.event({"choices": [], "usage": given}), done)
        else:
            await exchange.stream(*most, done)

    observed = await stage.run(answer, tasks=("with", "without"))
    found = observed.attempt(task="with").usage
    require(found == given, f"usage {found}, expected {given}")
    require(observed.attempt(task="without").usage is None, "usage is not null, and none was sent")
    return "passed on as it came; null without"


@case("events.values", "tries and the time they took")
async def tries_and_time(stage: Stage) -> str:
    """`transport_ns` is the time until the try that succeeded began; that try alone has the times."""

    async def refuse(exchange: Exchange) -> None:
        await exchange.pause(0.2)
        await exchange.send(wire.json_error(503, retry_after=1))

    observed = await stage.run(once(refuse), tasks=("task/1",))
    recovered(observed)
    first = observed.requests[0]
    attempt = observed.attempt()
    assert first.t_answer is not None
    least = first.t_answer - first.t + 990_000_000
    require(
        attempt.transport_ns >= least, f"transport_ns {attempt.transport_ns}, the endpoint saw {least} pass"
    )
    t_request = time_of(attempt, "t_request")
    most = t_request - attempt.t_begin
    require(
        attempt.transport_ns <= most, f"transport_ns {attempt.transport_ns} reaches past t_request, {most}"
    )
    require(t_request > first.t_answer, "t_request is the first try's")
    observed = await stage.run()
    untroubled = observed.attempt().transport_ns
    require(untroubled < 1_000_000, f"transport_ns {untroubled} with one try, expected 0")
    return f"{attempt.transport_ns / 1e9:.2f} s for a try of 0.2 s and a sleep of 1 s"
