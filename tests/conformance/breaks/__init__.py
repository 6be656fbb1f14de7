"""Ways to break the Python runtime, at least one for every rule of the suite.

Each module but `declare` has a list `BREAKS`. Only modules of the standard library are imported there;
`apply` imports the runtime.
"""

import pkgutil
from importlib import import_module

from breaks.declare import Break

BREAKS: dict[str, Break] = {
    entry.name: entry
    for module in pkgutil.iter_modules(__path__)
    if module.name != "declare"
    for entry in import_module(f"breaks.{module.name}").BREAKS
}
