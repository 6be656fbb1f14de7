"""Records of one kind, kept as columns.

A run of 10,000 tasks has millions of numbers and texts. As a column, a number takes 8 bytes and a SHA-256 32;
as objects of Python they take ten times as much. A record is made when it is asked for.
"""

import itertools
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

T = TypeVar("T", bound=tuple[Any, ...])

Sha256 = Annotated[str, "hexadecimal"]
"""The type of a field that holds a SHA-256, or another text in records that break the contract."""

Pool = dict[str | None, str | None]
"""Texts by themselves: columns with the same pool keep equal texts once."""


class Columns(Sequence[T], Generic[T]):
    """A sequence of records, which are named tuples of type `kind`; `append` adds one.

    The type of each field decides about its column: a number (an integer of at most 63 bits), a text, a
    `Sha256`, a JSON object, each of which may be None; a truth value; or another named tuple.
    """

    def __init__(self, kind: type[T], records: Iterable[T] = (), pool: Pool | None = None) -> None:
        self._make: Any = kind._make  # type: ignore[attr-defined]
        pool = {} if pool is None else pool
        self._columns = {name: _column(hint, pool) for name, hint in _hints(kind).items()}
        self._appends = [column.append for column in self._columns.values()]
        *_, self._last = self._columns.values()
        self.extend(records)

    def append(self, record: T) -> None:
        """Add a record. ValueError where a value is too large or nests too deeply; it is then not added."""
        try:
            for append, value in zip(self._appends, record, strict=True):
                append(value)
        except BaseException as error:
            del self[len(self) :]
            if isinstance(error, OverflowError):
                raise ValueError("a number has more than 63 bits") from None
            if isinstance(error, RecursionError):
                raise ValueError("too many lists and objects within each other") from None
            raise

    def extend(self, records: Iterable[T]) -> None:
        """Add several records."""
        for record in records:
            self.append(record)

    def of(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The values of some fields alone, a tuple for each record."""
        return zip(*(self._columns[name] for name in names), strict=True)

    def without(self, *names: str) -> Iterator[T]:
        """The records with None in these fields, which are not read and so take no time."""
        columns = [itertools.repeat(None) if name in names else its for name, its in self._columns.items()]
        return map(self._make, zip(*columns, strict=False))

    def column(self, name: str) -> "_Column":
        """The values of one field."""
        return self._columns[name]

    def __len__(self) -> int:
        return len(self._last)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, zip(*self._columns.values(), strict=True))

    @overload
    def __getitem__(self, position: int) -> T: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[T]: ...
    def __getitem__(self, position: int | slice) -> T | Sequence[T]:
        if isinstance(position, slice):
            return [self[number] for number in range(*position.indices(len(self)))]
        at = range(len(self))[position]  # IndexError where there is none
        made: T = self._make([column[at] for column in self._columns.values()])
        return made

    def __delitem__(self, positions: slice) -> None:
        for column in self._columns.values():
            del column[positions]


def by_task(records: Columns[Any]) -> dict[str, tuple[int, ...]]:
    """The positions of the records of each task, in their order."""
    found: dict[str, tuple[int, ...]] = {}
    for position, task in enumerate(records.column("task")):
        found[task] = (*found.get(task, ()), position)  # A list takes twice the memory.
    return found


class _Column(Protocol):
    """The values of one field."""

    def append(self, value: Any, /) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, position: Any, /) -> Any: ...
    def __delitem__(self, positions: Any, /) -> None: ...


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _column(hint: Any, pool: Pool) -> _Column:
    """An empty column for values of this type."""
    options = get_args(hint) if type(None) in get_args(hint) else (hint,)
    (of,) = (option for option in options if option is not type(None))
    if of == Sha256:
        return _Hashes()
    of = get_args(of)[0] if get_origin(of) is Annotated else of
    if of is int:
        return _Integers()
    if of is float:
        return array("d") if len(options) == 1 else _Numbers("d", NONE)
    if of is str or get_origin(of) is Literal:
        return _Texts(pool)
    if of is bool:
        return list[bool]()
    if hasattr(of, "_make"):
        return Columns(of, pool=pool)
    return _Objects()


NONE = -(2**63)
"""What stands for None in a column of numbers: no time, and no amount that anybody measures."""

SHORT_NONE = -(2**31)
"""What stands for None as long as all numbers of a column have 32 bits."""


class _Numbers:
    """Numbers or None, for which `none` stands."""

    def __init__(self, typecode: str, none: int) -> None:
        self._values: Any = array(typecode)
        self._none = none

    def append(self, value: float | None) -> None:
        self._values.append(self._none if value is None else value)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[float | None]:
        none = self._none
        return (None if value == none else value for value in self._values)

    def __getitem__(self, position: int) -> float | None:
        value = self._values[position]
        return None if value == self._none else value

    def __delitem__(self, positions: slice) -> None:
        del self._values[positions]


class _Integers(_Numbers):
    """Integers or None, of 32 bits each until one needs 64: times do, and most others do not."""

    def __init__(self) -> None:
        super().__init__("i", SHORT_NONE)

    def append(self, value: float | None) -> None:
        if self._none == SHORT_NONE and value is not None and not SHORT_NONE < value < -SHORT_NONE:
            self._values = array("q", (NONE if each is None else each for each in self))
            self._none = NONE
        super().append(value)


class _Texts(list[str | None]):
    """Texts or None; equal texts are kept once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def append(self, text: str | None) -> None:
        super().append(self._pool.setdefault(text, text))


class _Objects:
    """JSON objects or None: the numbers by themselves, as many objects differ in nothing else."""

    def __init__(self) -> None:
        self._shapes = _Texts({})
        self._numbers = array("q")
        self._begins = array("q")

    def append(self, value: Any) -> None:
        numbers = array("q")
        shape = None
        if value is not None:
            document = json.dumps(value, separators=(",", ":"))
            shape = json.dumps(json.loads(document, parse_int=lambda number: _taken_out(number, numbers)))
        self._begins.append(len(self._numbers))
        self._numbers += numbers
        self._shapes.append(shape)

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, position: int) -> Any:
        shape = self._shapes[position]
        if shape is None:
            return None
        ends = itertools.chain(self._begins[position + 1 : position + 2], [len(self._numbers)])
        numbers = iter(self._numbers[self._begins[position] : next(ends)])
        return json.loads(shape, parse_int=lambda shown: next(numbers) if shown == "0" else int(shown))

    def __delitem__(self, positions: slice) -> None:
        begin, end, _ = positions.indices(len(self))
        if begin < end:
            del self._numbers[self._begins[begin] :]
        del self._begins[positions], self._shapes[positions]


def _taken_out(number: str, numbers: "array[int]") -> int:
    """0, when the number has gone into `numbers`, or else the number, which is too large."""
    value = int(number)
    if value.bit_length() > 63:
        return value
    numbers.append(value)
    return 0


class _Hashes:
    """SHA-256 in lower-case hexadecimal, 32 bytes each; any other text, or None, stands beside them."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._others: dict[int, str | None] = {}

    def append(self, text: str | None) -> None:
        digest = _digest(text)
        if digest is None:
            self._others[len(self)] = text
        self._digests += digest or bytes(32)

    def __len__(self) -> int:
        return len(self._digests) // 32

    def __iter__(self) -> Iterator[str | None]:
        if self._others:
            return map(self.__getitem__, range(len(self)))
        return (self._digests[at : at + 32].hex() for at in range(0, len(self._digests), 32))

    def __getitem__(self, position: int) -> str | None:
        if self._others and position in self._others:
            return self._others[position]
        return self._digests[position * 32 : position * 32 + 32].hex()

    def __delitem__(self, positions: slice) -> None:
        begin, end, _ = positions.indices(len(self))
        del self._digests[begin * 32 : end * 32]
        self._others = {at: text for at, text in self._others.items() if at < begin}


def _digest(text: str | None) -> bytes | None:
    """The 32 bytes whose hexadecimal form the text is; None if it is another text."""
    if text is None or len(text) != 64:
        return None
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return None
    return digest if digest.hex() == text else None
