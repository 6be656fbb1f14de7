"""A controlled benchmark of agent runtimes; as a library, what reads its results back (docs/library.md)."""

# Not typing's: the endpoint and every command import this, and what is below only whoever asks for it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentdyno.errors import Refusal
    from agentdyno.experiment.cell import Cell
    from agentdyno.records.attempt import Attempt
    from agentdyno.records.records import Records
    from agentdyno.records.request import Request
    from agentdyno.records.sample import Sample
    from agentdyno.records.task import Task
    from agentdyno.records.value import Value
    from agentdyno.report.experiment import Experiment, Run, open_experiment
    from agentdyno.report.summary import Metric, Row

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "Cell",
    "Experiment",
    "Metric",
    "Records",
    "Refusal",
    "Request",
    "Row",
    "Run",
    "Sample",
    "Task",
    "Value",
    "__version__",
    "open_experiment",
]

if not TYPE_CHECKING:  # where types are checked, it would allow any name
    _HOMES = {
        "Attempt": "records.attempt",
        "Cell": "experiment.cell",
        "Experiment": "report.experiment",
        "Metric": "report.summary",
        "Records": "records.records",
        "Refusal": "errors",
        "Request": "records.request",
        "Row": "report.summary",
        "Run": "report.experiment",
        "Sample": "records.sample",
        "Task": "records.task",
        "Value": "records.value",
        "open_experiment": "report.experiment",
    }

    def __getattr__(name):
        """Import a name when it is first asked for (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__():
        """What is there to be asked for, also before it is."""
        return sorted({*globals(), *__all__})
