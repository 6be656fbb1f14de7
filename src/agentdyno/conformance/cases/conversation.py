"""Requests: what a conversation looks like on the wire."""

from agentdyno.conformance.case import case
from agentdyno.conformance.endpoint import Exchange
from agentdyno.conformance.stage import FAILING, PASSING, PROMPTS, Stage, task
from agentdyno.conformance.violation import require
from agentdyno.conformance.wire import canonical, fenced


@case("messages.conversation", "four attempts")
async def four_attempts(stage: Stage) -> str:
    async def answer(exchange: Exchange) -> None:
        match exchange.request.attempt:
            case 1:
                await exchange.code(FAILING)
            case 2:
                await exchange.reply("I had rather not.")
            case 3:
                await exchange.code("while True: pass\n")
            case _:
                await exchange.code(PASSING)

    one = task("task/1", prompt="def f({output}):\n", tests="{task_id} {prompt} {{}} \u2028\x7f\U0001f600\n")
    observed = await stage.run(answer, tasks=[one], verify={"timeout_s": 0.5}, request={"temperature": 0.5})
    user = f"task/1\n{one['prompt']}\n{one['tests']}"
    turns = [
        ("system", PROMPTS["system"]),
        ("user", user),
        ("assistant", fenced(FAILING)),
        ("user", "It printed:\n1 failed\nTry again."),
        ("assistant", "I had rather not."),
        ("user", PROMPTS["no_code"]),
        ("assistant", fenced("while True: pass\n")),
        ("user", PROMPTS["timed_out"]),
    ]
    messages = [{"role": role, "content": content} for role, content in turns]
    for number, request in enumerate(observed.requests, start=1):
        body = {"model": "conform", "stream": True, "temperature": 0.5, "messages": messages[: 2 * number]}
        require(
            request.body == canonical(body),
            f"request {number} is {request.body!r}, expected {canonical(body)!r}",
        )
    require(len(observed.requests) == 4, f"{len(observed.requests)} requests, expected 4")
    require(observed.outcome().outcome == "passed", f"outcome {observed.outcome().outcome}")
    return "4 requests, byte for byte"
