"""With the simulated endpoint the outcomes are the script's, or the row is not valid and says why."""

import json
from pathlib import Path

from command_line import TASKS, Agentdyno, line_of, summary


def test_tests_that_can_never_pass_make_the_row_invalid(agentdyno: Agentdyno, tmp_path: Path) -> None:
    tasks = [task | {"tests": f"import no_such_library\n{task['tests']}"} for task in TASKS]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    done = agentdyno(
        "run", "--runtimes", "python", "--tasks", tmp_path / "tasks.jsonl", "--limit", 4, "--agents", 4,
        "--controls", "none", "--profile", "instant", "--max-retries", 0, "--verify-timeout", 100,
        "--out", tmp_path / "results",
    )  # fmt: skip
    assert done.returncode == 1
    (row,) = summary(tmp_path / "results")["rows"]
    line = line_of(next(failure for failure in row["failures"] if failure["is_fault"]))
    assert line.startswith("run 1: 3 verdicts are not those of the script, the first: double/")
    assert "attempt 1 was to pass" in line
    assert "exit code 2" in line  # pytest could not collect the tests
    assert ".venv/verifier" in line
    assert f"INVALID python, 4 agents, verifier cold, {line}" in done.stdout.splitlines()
