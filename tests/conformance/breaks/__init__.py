"""Ways to break the Python runtime, at least one for every rule of the suite.

Each module but `declare` has a list `BREAKS`. Only modules of the standard library are imported there;
`apply` imports the runtime. A broken runtime loads the one module that it needs, because it is started often.
"""

import pkgutil
from importlib import import_module

from breaks.declare import Break


def all_breaks() -> dict[str, Break]:
    """Every break by its name."""
    return {entry.name: entry for entries in by_module().values() for entry in entries}


def by_module() -> dict[str, list[Break]]:
    """The breaks of each module, by the name that `broken_runtime.py` takes."""
    names = [f"breaks.{module.name}" for module in pkgutil.iter_modules(__path__) if module.name != "declare"]
    return {name: import_module(name).BREAKS for name in names}
