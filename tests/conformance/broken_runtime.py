"""The Python runtime with one thing broken in it: `broken_runtime.py BREAK RUN_FILE`, or
`broken_runtime.py BREAK tools FOLDER`.

Run by the Python runtime's own interpreter, so that everything but the break is known to conform.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "runtimes" / "python")]

from breaks import BREAKS  # noqa: E402

from agentloop.__main__ import main  # noqa: E402

BREAKS[sys.argv[1]].apply()
sys.exit(main(sys.argv[2:]))
