"""The OpenTelemetry Collector's receiver, built and run by the tests."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("receiver")
Json = dict[str, Any]


def build() -> Path:
    """The receiver as a program; the first time takes a minute, of which Go's cache saves all the next."""
    program = SOURCE / "build" / "receiver"
    subprocess.run(["go", "build", "-buildvcs=false", "-o", program, "."], cwd=SOURCE, check=True)
    return program


class Receiver:
    """A receiver that runs; what it has taken is known when it has ended."""

    def __init__(self, process: "subprocess.Popen[str]", taken: Path) -> None:
        assert process.stderr is not None
        self._process = process
        self._taken = taken
        self.address: str = json.loads(process.stderr.readline())["endpoint"]
        self.url = f"http://{self.address}"

    def exports(self) -> list[Json]:
        """End it, and return what it was sent, export by export."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        return [json.loads(line) for line in self._taken.read_text().splitlines()]

    def spans(self) -> list[Json]:
        """End it, and return the spans, each with its `resource` and `scope`; attributes as plain objects."""
        return [
            span
            | {
                "attributes": _plain(span["attributes"]),
                "resource": _plain(of["resource"]["attributes"]),
                "scope": within["scope"] | {"schemaUrl": within.get("schemaUrl")},
            }
            for export in self.exports()
            for of in export["resourceSpans"]
            for within in of["scopeSpans"]
            for span in within["spans"]
        ]


@contextmanager
def receiving(program: Path, folder: Path, *words: str) -> Iterator[Receiver]:
    """Run a receiver, and end it whatever happens."""
    taken = folder / "taken.jsonl"
    with (
        taken.open("w") as stdout,
        subprocess.Popen(
            [program, *words], stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            yield Receiver(process, taken)
        finally:
            process.kill()


def _plain(attributes: list[Json]) -> Json:
    return {attribute["key"]: _value(attribute["value"]) for attribute in attributes}


def _value(value: Json) -> Any:
    """The value of an attribute in OTLP/JSON, where integers are text."""
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return [_value(each) for each in content["values"]]
    return int(content) if kind == "intValue" else content
