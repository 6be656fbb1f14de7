"""Where the project's own files are.

The harness is run from a checkout (installed in editable mode), because the runtimes are folders of source
beside it and not part of the Python package.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = ROOT / "runtimes"
CONTRACT = RUNTIMES / "contract"
PROMPTS = CONTRACT / "prompts.json"
RESULTS = ROOT / "results"
CONTRACT_VERSION = 1
