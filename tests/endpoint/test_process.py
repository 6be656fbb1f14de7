"""An endpoint is preferred in the way that counts here."""

import os
import subprocess
from pathlib import Path

from agentdyno.endpoint.process import prefer


def test_a_session_of_its_own_gets_the_niceness_that_counts() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True) as process:
        # To be nicer is allowed to everybody.
        assert prefer(process.pid, 3) == 3
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 3
        group = Path(f"/proc/{process.pid}/autogroup")
        assert not group.exists() or group.read_text().endswith(" nice 3\n")
        process.communicate()
