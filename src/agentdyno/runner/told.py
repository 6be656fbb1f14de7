"""What a runtime is told: its run file and its environment."""

import os
from pathlib import Path

from agentdyno.rundata.cell import Cell
from agentdyno.runner.endpoint import Endpoint, SharedFiles
from agentdyno.runner.settings import Settings
from agentdyno.runtimes.launch import RunFile, Verify, inherited, write_run_file
from agentdyno.verifiers import Verifier

SIMULATED_KEY = "simulated"
"""What runtimes send to the simulated endpoint as their API key; a real key is for a real endpoint only."""

OUTPUT_LIMIT_BYTES = 64 * 1024
TRANSPORT = {"max_retries": 5, "base_s": 0.5, "cap_s": 8}


def written_run_file(
    settings: Settings,
    cell: Cell,
    verifier: Verifier,
    folder: Path,
    shared: SharedFiles,
    endpoint: Endpoint,
    workspaces: Path,
) -> Path:
    """Write the run file of a run into its folder, and return its path."""
    run_file = RunFile(
        tasks_file=shared.tasks,
        prompts_file=shared.prompts,
        base_url=endpoint.base_url,
        model=settings.model,
        request=settings.request,
        agents=cell.agents,
        max_retries=settings.max_retries,
        verify=Verify(
            argv=verifier.argv,
            env=verifier.environment,
            timeout_s=settings.verify_timeout_s,
            slots=settings.verify_slots,
            output_limit_bytes=OUTPUT_LIMIT_BYTES,
        ),
        timeouts=settings.timeouts,
        transport=TRANSPORT,
        workspaces=workspaces,
        events=folder / "events.jsonl",
    )
    return write_run_file(folder / "run.json", run_file)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of a runtime: what it inherits, and the key."""
    key = os.environ.get("LLM_API_KEY", "") if settings.real_endpoint else SIMULATED_KEY
    return inherited() | ({"LLM_API_KEY": key} if key else {})
