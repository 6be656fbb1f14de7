"""OpenTelemetry spans, as a receiver takes them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.semconv._incubating.attributes import host_attributes as host
from opentelemetry.semconv._incubating.attributes import os_attributes as os
from opentelemetry.semconv._incubating.attributes import process_attributes as process
from opentelemetry.semconv.attributes import error_attributes as error
from opentelemetry.semconv.attributes import server_attributes as server
from opentelemetry.semconv.attributes import service_attributes as service
from opentelemetry.semconv.attributes import telemetry_attributes as telemetry

from agentdyno.errors import UserError
from agentdyno.results.experiment import open_experiment
from agentdyno.results.records import Run
from agentdyno.rundata.events import PHASES
from agentdyno.trace.otlp import ASKED, BATCH, Sender
from agentdyno.trace.spans import spans
from analysis.synthetic import MS, attempt_of, good_run, requests_of, task_of
from command_line import Agentdyno
from traces.conftest import Tell
from traces.receiving import Receiver, receiving

Json = dict[str, Any]

CLIENT, INTERNAL = 3, 1
ERROR = 2
SIMULATED = {"simulated": True, "endpoint": "simulated"}
MACHINE = {"architecture": "x86_64", "cpu": "a processor", "system": "a Linux", "kernel": "6.1"}
EPOCH_NS = 1_700_000_000_000_000_000
SHORT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}
"""So that the exporter does not try again."""


def synthetic(**changes: Any) -> Json:
    run = good_run(("a", "b"))
    run["outcome"]["epoch_ns"] = EPOCH_NS
    attempt_of(run, "b", 1)["usage"] = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    attempt_of(run, "b", 2)["usage"] = {"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330}
    return run | changes


def gave_up(run: Json, name: str, **changes: Any) -> None:
    """Make of the only attempt at `name` one whose completion was given up."""
    nothing = dict.fromkeys((*PHASES[2:-1], "completion_sha256", "exit_code"))
    attempt_of(run, name).update(nothing | {"verdict": "error", "reason": "no completion"} | changes)
    task_of(run, name).update(outcome="error", reason="no completion")


def sent(
    receiver: Receiver, tell: Tell, run: Json, experiment: Json = SIMULATED, **run_file: Any
) -> list[Json]:
    """What the receiver gets of a synthetic run."""
    Sender(receiver.url, {}).send(spans(tell(run, **run_file), experiment, MACHINE))
    return receiver.spans()


def named(found: list[Json], name: str, task: str, attempt: int | None = None) -> Json:
    """The span of that name in a task's trace."""
    (root,) = [span for span in found if span["attributes"].get("agentdyno.task") == task]
    (span,) = [
        span
        for span in found
        if span["traceId"] == root["traceId"]
        and span["name"].startswith(name)
        and span["attributes"].get("agentdyno.attempt") == attempt
    ]
    return span


# A real run


@pytest.fixture
def exported(experiment: Path, run_of_python: Run, agentdyno: Agentdyno, receiver: Receiver) -> list[Json]:
    """The spans of the Python runtime's first run."""
    done = agentdyno(
        "export", "otlp", experiment, "--run", run_of_python.folder.name, "--endpoint", receiver.url
    )
    assert done.returncode == 0, done.stderr
    found = receiver.spans()
    assert done.stdout == f"{receiver.url}/v1/traces: {len(found)} spans of 1 run were accepted\n"
    return found


def test_every_attempt_arrives_within_its_task(exported: list[Json], run_of_python: Run) -> None:
    run = run_of_python.read()
    chats = {
        (named_task(exported, span), span["attributes"]["agentdyno.attempt"])
        for span in exported
        if span["name"] == "chat agentdyno-sim"
    }
    assert chats == {(attempt.task, attempt.attempt) for attempt in run.events.attempts}
    by_id = {span["spanId"]: span for span in exported}
    assert len(by_id) == len(exported)
    for span in exported:
        if span["name"] == "invoke_agent python":
            assert "parentSpanId" not in span
            continue
        parent = by_id[span["parentSpanId"]]
        assert parent["name"] == "invoke_agent python"
        assert parent["traceId"] == span["traceId"]
        begin, end = (int(span[name]) for name in ("startTimeUnixNano", "endTimeUnixNano"))
        assert int(parent["startTimeUnixNano"]) <= begin <= end <= int(parent["endTimeUnixNano"])


def named_task(found: list[Json], span: Json) -> str:
    """The task in whose trace a span is."""
    (task,) = [
        each["attributes"]["agentdyno.task"]
        for each in found
        if each["traceId"] == span["traceId"] and "agentdyno.task" in each["attributes"]
    ]
    return str(task)


def test_spans_are_where_they_were_in_time(exported: list[Json], run_of_python: Run) -> None:
    outcome = run_of_python.folder / "outcome.json"
    run_file = outcome.with_name("run.json")
    began, ended = (path.stat().st_mtime_ns for path in (run_file, outcome))
    assert min(int(span["startTimeUnixNano"]) for span in exported) > began
    assert max(int(span["endTimeUnixNano"]) for span in exported) < ended


def test_the_resource_is_the_runtime_on_this_machine(
    exported: list[Json], experiment: Path, run_of_python: Run
) -> None:
    environment = open_experiment(experiment).document["environment"]
    (resource,) = {json.dumps(span["resource"]): span["resource"] for span in exported}.values()
    assert (
        resource.items()
        >= {
            "service.name": "python",
            "telemetry.sdk.name": "opentelemetry",
            "host.cpu.model.name": environment["cpu"],
            "os.type": "linux",
            "os.version": environment["kernel"],
            "agentdyno.run": run_of_python.folder.name,
            "agentdyno.runtime": "python",
            "agentdyno.agents": 20,
            "agentdyno.verifier": "null",
            "agentdyno.profile": "steady:ttft=20ms,itl=1ms",
            "agentdyno.block": run_of_python.block,
        }.items()
    )


# What the conventions ask for


def test_the_spans_of_a_task(receiver: Receiver, tell: Tell) -> None:
    found = sent(receiver, tell, synthetic())
    asked = {
        "gen_ai.provider.name": "agentdyno",
        "gen_ai.request.model": "sim",
        "gen_ai.request.max_tokens": 2048,
        "gen_ai.request.temperature": 0.0,
    }
    root = named(found, "invoke_agent", "b")
    assert (root["name"], root["kind"], root["status"]) == ("invoke_agent python", INTERNAL, {})
    assert root["attributes"] == asked | {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "python",
        "gen_ai.usage.input_tokens": 400,
        "gen_ai.usage.output_tokens": 50,
        "agentdyno.task": "b",
        "agentdyno.slot": 1,
        "agentdyno.attempts": 2,
        "agentdyno.outcome": "passed",
    }
    chat = named(found, "chat", "b", 2)
    assert (chat["name"], chat["kind"], chat["status"]) == ("chat sim", CLIENT, {})
    assert chat["attributes"] == asked | {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.stream": True,
        "server.address": "127.0.0.1",
        "server.port": 8000,
        "gen_ai.usage.input_tokens": 300,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.028,
        "agentdyno.attempt": 2,
        "agentdyno.verdict": "passed",
        "agentdyno.transport_retries": 0,
    }
    tool = named(found, "execute_tool", "b", 1)
    assert (tool["name"], tool["kind"], tool["status"]) == ("execute_tool verify", INTERNAL, {})
    assert tool["attributes"] == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "verify",
        "gen_ai.tool.type": "function",
        "process.exit.code": 1,
        "agentdyno.attempt": 1,
        "agentdyno.verdict": "failed",
        "agentdyno.queue_ms": 10.0,
    }
    assert root["scope"] == {
        "name": "agentdyno",
        "version": "0.2.0",
        "schemaUrl": "https://opentelemetry.io/schemas/gen-ai/1.42.0",
    }
    times = [
        [(int(span[name]) - EPOCH_NS) / MS for name in ("startTimeUnixNano", "endTimeUnixNano")]
        for span in (root, chat, tool)
    ]
    assert times == [[0, 200], [102, 165], [77, 98]]


def test_every_name_is_in_the_registry_or_ours(receiver: Receiver, tell: Tell) -> None:
    run = synthetic()
    gave_up(run, "a")
    registered = {
        value
        for registry in (gen_ai, error, host, os, process, server, service, telemetry)
        for name, value in vars(registry).items()
        if name.isupper() and isinstance(value, str)
    }
    found = {
        name
        for span in sent(receiver, tell, run, request=dict.fromkeys(ASKED, 1))
        for name in (*span["attributes"], *span["resource"])
    }
    assert {name for name in found if not name.startswith("agentdyno.")} <= registered


def test_a_real_endpoint_is_named_and_not_the_proxy_before_it(receiver: Receiver, tell: Tell) -> None:
    real = {"simulated": False, "endpoint": "https://models.example/v1"}
    chat = named(sent(receiver, tell, synthetic(), real), "chat", "b", 1)
    assert (
        chat["attributes"].items()
        >= {
            "gen_ai.provider.name": "openai",
            "server.address": "models.example",
            "server.port": 443,
        }.items()
    )


def test_what_the_request_says_and_the_conventions_name(receiver: Receiver, tell: Tell) -> None:
    request = {"top_p": 1, "seed": 7, "presence_penalty": 0.5, "frequency_penalty": "high", "stop": ["x"]}
    chat = named(sent(receiver, tell, synthetic(), request=request), "chat", "b", 1)
    said = {name: value for name, value in chat["attributes"].items() if name.startswith("gen_ai.request.")}
    assert said == {
        "gen_ai.request.model": "sim",
        "gen_ai.request.stream": True,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.seed": 7,
        "gen_ai.request.presence_penalty": 0.5,
    }


# Errors


def test_a_completion_is_given_up(receiver: Receiver, tell: Tell) -> None:
    run = synthetic()
    gave_up(run, "a", transport_retries=2, transport_ns=1 * MS)
    for request in requests_of(run):
        if request["task"] == "a":
            request.update(status=503, finish=None)
    found = sent(receiver, tell, run)
    chat, root = named(found, "chat", "a", 1), named(found, "invoke_agent", "a")
    assert chat["status"] == root["status"] == {"message": "no completion", "code": ERROR}
    assert chat["attributes"]["error.type"] == root["attributes"]["error.type"] == "503"
    assert chat["attributes"]["agentdyno.transport_retries"] == 2
    assert "gen_ai.response.finish_reasons" not in chat["attributes"]
    assert (int(chat["startTimeUnixNano"]) - EPOCH_NS) / MS == 1, "with all its tries"
    assert [span["name"] for span in found if span["traceId"] == root["traceId"]] == [
        "invoke_agent python",
        "chat sim",
    ]


def test_no_request_could_be_sent(receiver: Receiver, tell: Tell) -> None:
    run = synthetic()
    gave_up(run, "a", t_request=None, request_sha256=None)
    run["journal"] = [line for line in run["journal"] if line.get("task") != "a"]
    chat = named(sent(receiver, tell, run), "chat", "a", 1)
    assert chat["attributes"]["error.type"] == "_OTHER"
    assert (int(chat["startTimeUnixNano"]), int(chat["endTimeUnixNano"])) == (EPOCH_NS, EPOCH_NS + 100 * MS)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"timed_out": True, "exit_code": None, "signal": 9, "verdict": "timed_out"}, "timeout"),
        ({"exit_code": None, "signal": 11, "verdict": "no_summary"}, "SIGSEGV"),
        ({"exit_code": None, "signal": 40, "verdict": "no_summary"}, "signal 40"),
        ({"t_exit": None, "exit_code": None, "verdict": "interrupted", "reason": "SIGTERM"}, "interrupted"),
        ({"t_exit": None, "exit_code": None, "verdict": "error", "reason": "no such program"}, "_OTHER"),
    ],
)
def test_a_verification_does_not_end_by_itself(
    receiver: Receiver, tell: Tell, changes: Json, error: str
) -> None:
    run = synthetic()
    attempt_of(run, "a").update(changes)
    tool = named(sent(receiver, tell, run), "execute_tool", "a", 1)
    assert tool["attributes"]["error.type"] == error
    assert tool["status"]["code"] == ERROR
    assert "process.exit.code" not in tool["attributes"]


def test_tests_that_fail_are_no_error(receiver: Receiver, tell: Tell) -> None:
    run = synthetic()
    attempt_of(run, "a").update(verdict="failed", exit_code=1)
    task_of(run, "a").update(outcome="failed")
    found = sent(receiver, tell, run)
    assert named(found, "invoke_agent", "a")["attributes"]["agentdyno.outcome"] == "failed"
    assert [span["status"] for span in found] == [{}] * len(found)


# Sending


def test_whoever_gets_a_run_twice_has_it_once(program: Path, tell: Tell, tmp_path: Path) -> None:
    run = tell(synthetic())
    ids = []
    for _ in range(2):
        with receiving(program, tmp_path) as receiver:
            Sender(receiver.url, {}).send(spans(run, SIMULATED, MACHINE))
            ids.append([(span["traceId"], span["spanId"]) for span in receiver.spans()])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 8


def test_spans_go_in_batches(receiver: Receiver, tell: Tell) -> None:
    run = good_run(tuple(f"task/{number}" for number in range(200)))
    run["outcome"]["epoch_ns"] = EPOCH_NS
    sender = Sender(receiver.url, {})
    sender.send(spans(tell(run), SIMULATED, MACHINE))
    sizes = [
        sum(len(scope["spans"]) for of in export["resourceSpans"] for scope in of["scopeSpans"])
        for export in receiver.exports()
    ]
    assert sizes == [BATCH, 605 - BATCH]
    assert sender.accepted == 605


def test_the_standard_variables_count(
    experiment: Path, agentdyno: Agentdyno, program: Path, tmp_path: Path
) -> None:
    with receiving(program, tmp_path, "-require", "x-team=dynos") as receiver:
        done = agentdyno(
            *("export", "otlp", experiment),
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_EXPORTER_OTLP_HEADERS="x-team=dynos",
            OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=lab",
        )
        found = receiver.spans()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{receiver.url}/v1/traces: {len(found)} spans of 4 runs were accepted\n"
    assert {span["resource"]["deployment.environment.name"] for span in found} == {"lab"}


def says_what_where_and_what_to_do(stderr: str, what: str) -> None:
    """One line: the address, what went wrong and how many spans arrived, and what the user can check."""
    assert stderr.startswith(f"agentdyno: {what} ")
    assert stderr.count("\n") == 1
    assert "receiver of http/protobuf" in stderr
    assert "--header" in stderr


def test_a_header_is_sent(experiment: Path, agentdyno: Agentdyno, program: Path, tmp_path: Path) -> None:
    with receiving(program, tmp_path, "-require", "x-key=a=b") as receiver:
        words = ("export", "otlp", experiment, "--endpoint", receiver.url)
        refused = agentdyno(*words, **SHORT)
        taken = agentdyno(*words, "--header", "x-key=a=b")
    assert refused.returncode == 1
    says_what_where_and_what_to_do(refused.stderr, f"{receiver.url}/v1/traces: 403 Forbidden; 0 spans")
    assert (taken.returncode, taken.stderr) == (0, "")


def test_nobody_is_there(experiment: Path, agentdyno: Agentdyno, program: Path, tmp_path: Path) -> None:
    with receiving(program, tmp_path) as receiver:
        receiver.exports()
        done = agentdyno("export", "otlp", experiment, "--endpoint", receiver.url, **SHORT)
    assert (done.returncode, done.stdout) == (1, "")
    says_what_where_and_what_to_do(done.stderr, f"{receiver.url}/v1/traces: Connection refused; 0 spans")


@contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[str]:
    """A server that gives the same answer to everything, at the address that comes back."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_spans_that_the_receiver_rejects_are_not_counted(tell: Tell) -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "too old"
    protobuf = {"Content-Type": "application/x-protobuf"}
    with answering(200, protobuf, answer.SerializeToString()) as url:
        sender = Sender(url, {})
        with pytest.raises(
            UserError, match=r"traces: 3 spans rejected \(too old\); 5 spans were accepted"
        ) as caught:
            sender.send(spans(tell(synthetic()), SIMULATED, MACHINE))
    assert sender.accepted == 5
    assert caught.value.status == 1


def test_a_redirection_is_no_receiver(tell: Tell) -> None:
    with (
        answering(302, {"Location": "/login"}, b"") as url,
        pytest.raises(UserError, match="traces: 302 Found; 0 spans were accepted"),
    ):
        Sender(url, {}).send(spans(tell(synthetic()), SIMULATED, MACHINE))


def test_a_variable_that_holds_no_url(experiment: Path, agentdyno: Agentdyno) -> None:
    done = agentdyno("export", "otlp", experiment, OTEL_EXPORTER_OTLP_ENDPOINT="localhost:4318", **SHORT)
    assert done.returncode == 1
    assert done.stderr.startswith("agentdyno: localhost:4318/v1/traces: the address ")
    assert "http:// or https://; 0 spans were accepted" in done.stderr


def test_an_answer_that_is_no_protobuf(tell: Tell) -> None:
    with (
        answering(200, {"Content-Type": "application/x-protobuf"}, b"welcome") as url,
        pytest.raises(UserError, match=r"traces: the answer .* application/x-protobuf; 0 spans were"),
    ):
        Sender(url, {}).send(spans(tell(synthetic()), SIMULATED, MACHINE))


def test_what_is_secret_in_an_address_is_not_printed(tell: Tell) -> None:
    with answering(500, {}, b"") as url:
        secret = url.replace("//", "//user:password@")
        with pytest.raises(UserError) as caught:
            Sender(secret, {}).send(spans(tell(synthetic()), SIMULATED, MACHINE))
    assert str(caught.value).startswith(f"{url}/v1/traces: 500 Internal Server Error;")


def test_a_run_from_before_the_time_of_day_was_noted(tell: Tell) -> None:
    run = synthetic()
    del run["outcome"]["epoch_ns"]
    told = tell(run)
    with pytest.raises(UserError) as caught:
        list(spans(told, SIMULATED, MACHINE))
    message = str(caught.value)
    assert message.startswith(f"{told.folder}: ")
    assert "the time of day" in message
    assert message.endswith("; measure again")


@pytest.mark.parametrize(
    ("words", "variables", "message"),
    [
        (
            ["--endpoint", "localhost:4318"],
            {},
            "--endpoint must be a URL as http://localhost:4318, not 'localhost:4318'",
        ),
        (["--header", "key"], {}, "--header must be NAME=VALUE"),
        (
            [],
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, but spans are sent by http/protobuf only; unset "
            "OTEL_EXPORTER_OTLP_PROTOCOL and name a receiver of http/protobuf, usually at port 4318",
        ),
    ],
)
def test_invalid_options_and_variables_are_one_line_each(
    experiment: Path, agentdyno: Agentdyno, words: list[str], variables: dict[str, str], message: str
) -> None:
    done = agentdyno("export", "otlp", experiment, *words, **variables)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"agentdyno: {message}\n")
