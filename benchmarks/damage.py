"""Damages files as disks, editors and hostile programs do: by structure if they are JSON, else by bytes."""

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

from agentdyno.analysis.capacity import Objective

OBJECTIVE = Objective()

OTHER_FILES = {
    "tasks.jsonl": "".join(
        json.dumps(
            {
                "task_id": f"t/{number}",
                "prompt": 'def f(x):\n    """Twice x."""\n',
                "tests": "from solution import *\n",
                "entry_point": "f",
                "reference": "def f(x): return 2 * x\n",
            }
        )
        + "\n"
        for number in range(3)
    ),
    "humaneval.jsonl": json.dumps(
        {
            "task_id": "HumanEval/0",
            "prompt": "def f(x):\n",
            "canonical_solution": "    return x\n",
            "test": "def check(candidate):\n    assert candidate(1) == 1\n",
            "entry_point": "f",
        }
    )
    + "\n",
    "runtime.toml": 'name = "mine"\nlanguage = "C"\ndescription = "of mine"\nrun = ["./run", "x"]\n'
    'build = ["make"]\nrequires = [{program = "make >= 4.0", hint = "get it"}]\ndiffers_in = ["stream"]\n',
    "profile.toml": 'base = "steady"\nttft = "300ms~0.25"\nitl = "5ms"\n',
    "prompts.json": '{"system": "s", "user": "Do {prompt}", "feedback": "{output}"}',
    "calibration.json": '{"machine": {"cpu": "x"}, "endpoint": {}, "client": "c", "events_per_s": 1e4, '
    '"streams": 100, "date": "2026-01-01"}',
    "threshold": "peak_rss_mib > +5%",
}

RAW = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 6000, "-" + "9" * 400, "1e-320", "-0.0")
"""What is written as it stands, because Python's own writer would not."""

DEEP = ("[" * 100_000, "[" * 900 + "]" * 900, '{"a":' * 70 + "1" + "}" * 70)

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, -5, 2**31, 2**62, 2**63 - 1, 2**63, -(2**63), 2**64, 5 * 10**7, 0.5, -0.5,
    1e17, 1e59, 1e61, 1e300, -1e300, 5e-324, "", " ", "0", "-", "x" * 3000, "\0", "a\0b", "\n", "\ud800",
    "\x1b[2J", "\u202e", "../../etc/passwd", "/", "ü/模型", "twin", "floor", [], {}, [None], [[]], [0] * 50,
    {"": None}, {"a": {"b": []}}, {"\ud800": 1}, "2026-13-45", "passed", "cold", "real:", "poisson:0",
)  # fmt: skip


def damaged(draw: random.Random, content: bytes, suffix: str) -> bytes:
    """The content with damage, of one kind mostly and of up to three."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        by_structure = suffix in (".json", ".jsonl") and draw.random() < 0.75
        content = (_restructured if by_structure else _scrambled)(draw, content, suffix)
    return content


def _restructured(draw: random.Random, content: bytes, suffix: str) -> bytes:
    if suffix == ".json":
        return _document(draw, content)
    lines = content.split(b"\n")
    place = draw.randrange(len(lines))
    match draw.randrange(8):
        case 0:
            lines.insert(draw.randrange(len(lines)), lines[place])
        case 1:
            del lines[place]
        case 2:
            draw.shuffle(lines)
        case _:
            lines[place] = _document(draw, lines[place])
    return b"\n".join(lines)


def _document(draw: random.Random, content: bytes) -> bytes:
    try:
        document = json.loads(content)
        places = list(_places(document))
    except (ValueError, RecursionError):
        return _scrambled(draw, content, "")
    if not places:
        return json.dumps(draw.choice(VALUES)).encode()
    holder, key = draw.choice(places)
    match draw.randrange(10):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(key, holder[draw.randrange(len(holder))])
        case 1 | 2 if isinstance(holder, dict):
            holder[draw.choice([*holder, "more"])] = holder.pop(key)
        case 3:
            other, its = draw.choice(places)
            if not _holds(holder[key], other):
                other[its] = holder[key]
        case 4 if isinstance(holder[key], int | float) and abs(holder[key]) < 1e18:
            holder[key] *= draw.choice((-1, 1000, 1e-9, 1e9, 1e30))
        case 5 | 6:
            holder[key] = "@raw@"
            raw = draw.choice(RAW if draw.random() < 0.8 else DEEP)
            return json.dumps(document).replace('"@raw@"', raw).encode()
        case _:
            holder[key] = draw.choice(VALUES)
    return json.dumps(document).encode()


def _places(value: Any) -> Any:
    """Every list or object within a JSON value, with each index or key of it."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _holds(value: Any, other: Any) -> bool:
    """Whether `other` is within `value`, so that it cannot be put there."""
    return value is other or any(holder[key] is other for holder, key in _places(value))


def _scrambled(draw: random.Random, content: bytes, suffix: str) -> bytes:
    at, to = sorted((draw.randrange(len(content) + 1), draw.randrange(len(content) + 1)))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: content[:at],
        lambda: content[at:],
        lambda: content[:at] + content[to:],
        lambda: content[:to] + content[at:],
        lambda: content[:at] + draw.randbytes(draw.randrange(1, 9)) + content[at:],
        lambda: content[:at] + draw.choice(MORSELS) + content[at:],
        lambda: content[:at] + draw.choice(MORSELS) + content[at + 1 :],
        lambda: _flipped(draw, content),
        lambda: draw.choice((b"", b"\xef\xbb\xbf", b"PAR1", b"\x1f\x8b", b"\xff\xfe")) + content,
        lambda: gzip.compress(content, 1),
        lambda: bytes(len(content)),
        lambda: draw.choice((b"", b"\n", b"[]", b"{}", b"null", b"7", b'"', b"{", b"a = [")),
        lambda: content + content,
    )
    return draw.choice(ways)()


MORSELS = (
    b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b"\n", b'"', b"\\", b"\\ud800", b"{", b"[", b"}", b"]", b",",
    b":", b"-", b"9" * 5000, b"1e999", b"NaN", b"null", b" = ", b"#", b"~", b"inf", b"nan", b"1979-05-27",
    b"%", b"'''", b"[[a]]\n", b"[" * 2000, b">", "²".encode(), "٣".encode(),
)  # fmt: skip


def _flipped(draw: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randrange(1, 6)):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)
