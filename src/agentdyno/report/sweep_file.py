"""What a sweep has written of each runtime, read back."""

import json
from pathlib import Path
from typing import Any

from agentdyno.analysis.binding import Binding
from agentdyno.analysis.ceiling import Ceiling
from agentdyno.analysis.slope import Slope
from agentdyno.errors import Refusal
from agentdyno.report.sweep import Point, Swept

SWEEP = "sweep.json"


def read_swept(summary: Path) -> list[Swept]:
    """What the sweep with this summary has found; a Refusal where that cannot be read.

    Empty where it was none, or where the summary was copied elsewhere under a name of its own: what lies
    beside it there is of others.
    """
    path = summary.with_name(SWEEP)
    if summary.name != "summary.json" or not path.exists():
        return []
    try:
        return [_swept(line) for line in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{path}: not what a sweep writes ({error}); remove it, or sweep again") from None


def _swept(line: dict[str, Any]) -> Swept:
    memory, ceiling = line["memory"], line["ceiling"]
    binding = ceiling["binding"]
    return Swept(
        **line
        | {
            "points": [Point(**point) for point in line["points"]],
            "memory": memory and Slope(**memory | {"ci95": tuple(memory["ci95"])}),
            "ceiling": Ceiling(**ceiling | {"binding": binding and Binding(**binding)}),
        }
    )
