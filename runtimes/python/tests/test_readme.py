"""The example of the README does what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("starts_processes")

HERE = Path(__file__).parents[1]


def test_example(serve: Any, tmp_path: Path) -> None:
    endpoint = serve(lambda exchange: exchange.reply("```python\ndef double(x):\n    return 2 * x\n```"))
    (example,) = re.findall("```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    assert len(example.strip().splitlines()) <= 15
    example = example.replace("http://localhost:8000/v1", endpoint.url).replace('"/tmp"', repr(str(tmp_path)))
    example = example.replace('"python3"', repr(sys.executable))
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "'verdict': 'passed'" in done.stdout
    assert "'outcome': 'passed'" in done.stdout
    assert json.loads(endpoint.exchanges[0].body)["messages"][1]["content"].startswith("Problem double\n")
