"""Writes what a sweep has found, when all its runs are over."""

from agentdyno.files import write_json, write_text
from agentdyno.results.sweep import SWEEP, as_json, sweep_markdown, swept
from agentdyno.runner.plan import contenders, most_agents
from agentdyno.runner.prepare import Prepared
from agentdyno.runner.results_writer import ResultsWriter

MARKDOWN = "sweep.md"


def write_sweep(prepared: Prepared, results: ResultsWriter) -> None:
    """Write `sweep.json` and `sweep.md`: the cost of an agent and the capacity of each contender that was
    measured at all.
    """
    rows = results.summary.rows
    measured = {(row.cell.runtime, row.cell.verifier) for row in rows}
    objective, most = prepared.settings.objective, most_agents(prepared.settings)
    found = [
        swept(cell.runtime, cell.verifier, rows, results.measured, objective, most)
        for cell in contenders(prepared)
        if (cell.runtime, cell.verifier) in measured
    ]
    write_json(prepared.folder / SWEEP, as_json(found))
    write_text(prepared.folder / MARKDOWN, sweep_markdown(found))
