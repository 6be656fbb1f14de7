"""A controlled benchmark of agent runtimes; as a library, what reads its results back (docs/library.md)."""

# Not typing's: the endpoint and every command import this, and what is below only whoever asks for it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentdyno.errors import UserError
    from agentdyno.results.experiment import Experiment, open_experiment
    from agentdyno.results.record_kinds import Attempt, Request, Sample, Task, Value
    from agentdyno.results.records import Records, Run
    from agentdyno.results.summary import Metric, Row
    from agentdyno.rundata.cell import Cell

__version__ = "0.2.0"

__all__ = [
    "Attempt",
    "Cell",
    "Experiment",
    "Metric",
    "Records",
    "Request",
    "Row",
    "Run",
    "Sample",
    "Task",
    "UserError",
    "Value",
    "__version__",
    "open_experiment",
]

if not TYPE_CHECKING:  # where types are checked, it would allow any name
    _HOMES = {
        "Attempt": "results.record_kinds",
        "Cell": "rundata.cell",
        "Experiment": "results.experiment",
        "Metric": "results.summary",
        "Records": "results.records",
        "UserError": "errors",
        "Request": "results.record_kinds",
        "Row": "results.summary",
        "Run": "results.records",
        "Sample": "results.record_kinds",
        "Task": "results.record_kinds",
        "Value": "results.record_kinds",
        "open_experiment": "results.experiment",
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
