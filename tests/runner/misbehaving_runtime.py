"""A runtime that does one thing wrong, named by its first argument, and is orderly otherwise.

It never calls the endpoint: every task ends as an error, which is a permitted outcome.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    fault, run_file = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    tasks = [json.loads(line)["task_id"] for line in Path(run_file["tasks_file"]).read_text().splitlines()]
    with open(run_file["events"], "a", buffering=1) as events:

        def write(**event: object) -> None:
            events.write(json.dumps(event) + "\n")

        write(event="run_start", t=time.monotonic_ns(), contract_version=1, pid=os.getpid())
        match fault:
            case "crashes":
                sys.exit("the disk of the test is on fire")
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs":
                signal.pause()
            case "ignores-sigterm":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                while True:
                    signal.pause()
            case "writes-a-broken-line":
                events.write('{"event": "task", "task"\n')
            case "rewrites-its-events":
                # Once it is told to end, because it hangs, the harness has read what there is.
                its = Path(run_file["events"])
                signal.signal(signal.SIGTERM, lambda *_: its.write_text(its.read_text().replace("1", "2")))
                signal.pause()
                sys.exit(0)
            case "makes-orphans-and-waits-for-their-end":
                orphans = subprocess.run(
                    ["sh", "-c", "for n in 1 2 3; do setsid true >/dev/null & echo $!; done"],
                    stdout=subprocess.PIPE,
                ).stdout.split()
                while any(os.path.exists(b"/proc/" + pid) for pid in orphans):
                    time.sleep(0.01)
            case "leaves-a-process":
                subprocess.Popen(["sleep", "600"], start_new_session=True)
            case "leaves-a-workspace":
                (Path(run_file["workspaces"]) / "left").mkdir()
            case "claims-success":
                for task in tasks:
                    write(
                        event="task",
                        task=task,
                        t=time.monotonic_ns(),
                        outcome="passed",
                        attempts=1,
                        reason=None,
                    )
            case "writes-no-end":
                sys.exit(0)
        if fault == "loses-a-task":
            tasks.pop()
        if fault == "repeats-a-task":
            tasks.append(tasks[0])
        if fault != "claims-success":
            for task in dict.fromkeys(tasks):
                attempt(write, task)
            for task in tasks:
                write(
                    event="task",
                    task=task,
                    t=time.monotonic_ns(),
                    outcome="error",
                    attempts=1,
                    reason="told to",
                )
        write(event="run_end", t=time.monotonic_ns())


def attempt(write, task: str) -> None:
    now = time.monotonic_ns()
    phases = (
        "t_request t_first t_last t_queue t_spawn t_started t_exit "
        "request_sha256 completion_sha256 usage exit_code signal"
    )
    write(
        event="attempt",
        task=task,
        attempt=1,
        t_begin=now,
        t_end=now,
        transport_retries=0,
        transport_ns=0,
        timed_out=False,
        verdict="error",
        reason="told to",
        **dict.fromkeys(phases.split()),
    )


main()
