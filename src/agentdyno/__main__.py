"""`python -m agentdyno` is `agentdyno`."""

import sys

from agentdyno.cli import main

sys.exit(main())
