"""The Python runtime with one thing broken in it: `broken_runtime.py MODULE BREAK RUN_FILE`, or
`broken_runtime.py MODULE BREAK tools FOLDER`, where MODULE of `breaks` has the break.

Run by the Python runtime's own interpreter, so that everything but the break is known to conform.
"""

import os
import sys
from importlib import import_module

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "runtimes", "python")]

from agentloop.__main__ import main  # noqa: E402

module, name = sys.argv[1:3]
next(entry for entry in import_module(module).BREAKS if entry.name == name).apply()
sys.exit(main(sys.argv[3:]))
