"""The Python runtime on a machine that stands still: `stalling_runtime.py FILE STALLS BREAKS run.json`.

FILE counts how often it was started. The first STALLS times the suite's process is stopped for a while; the
first BREAKS times nothing is done and the exit status is 5, which breaks a rule. Otherwise it conforms.
"""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runtimes" / "python"))

from agentloop.__main__ import main

STALL_S = 0.7

starts, stalls, breaks = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with starts.open("a") as file:
    file.write(".")
started = starts.stat().st_size
if started <= stalls:
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(STALL_S)
    os.kill(os.getppid(), signal.SIGCONT)
sys.exit(5 if started <= breaks else main(sys.argv[4:]))
