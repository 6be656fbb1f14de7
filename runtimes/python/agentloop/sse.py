"""Server-sent events.

Source: the WHATWG HTML standard, "Parsing an event stream", and runtimes/contract/vectors/sse.json.
"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventStream:
    """Turns the bytes of an event stream, cut anywhere, into the data of its events.

    The types, ids and retry times of events are of no use here and are passed over.
    """

    __slots__ = ("_after_cr", "_at_start", "_data", "_unfinished_line")

    def __init__(self) -> None:
        self._unfinished_line = bytearray()
        self._data: list[str] = []
        self._at_start = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of every event that `chunk` completes."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        completed: list[str] = []
        for line in chunk.splitlines(keepends=True):
            if not line.endswith((b"\n", b"\r")):
                self._unfinished_line += line
                break  # It is the last one.
            if self._unfinished_line:
                line = bytes(self._unfinished_line) + line
                self._unfinished_line.clear()
            self._take(line.rstrip(b"\r\n"), completed)
        self._after_cr = chunk.endswith(b"\r")
        return completed

    def _take(self, line: bytes, completed: list[str]) -> None:
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            if self._data:
                completed.append("\n".join(self._data))
                self._data.clear()
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
