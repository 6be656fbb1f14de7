"""Tasks as they come in files: JSON values, checked before they are believed.

Every refusal begins with `where`, the place in the file.
"""

import json
from keyword import iskeyword

from agentdyno.errors import UserError


def parse_line(where: str, line: str) -> object:
    """The JSON value of one line; raises UserError if it is not JSON."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise malformed(where, error) from None


def malformed(where: str, error: json.JSONDecodeError) -> UserError:
    """The refusal of text that is not JSON."""
    return UserError(f"{where}: not JSON at column {error.colno} ({error.msg}); mend or remove it")


def as_object(where: str, value: object) -> dict[str, object]:
    """`value`, which is a JSON object; raises UserError if it is anything else."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: is {type(value).__name__}, not a JSON object; give one object per task")
    return value


def text_field(where: str, record: dict[str, object], name: str) -> str:
    """The non-empty string `record[name]`; raises UserError if it is anything else."""
    if name not in record:
        raise UserError(f"{where}: field {name!r} is missing; add it")
    value = record[name]
    if not isinstance(value, str):
        raise UserError(f"{where}: field {name!r} is {type(value).__name__}, not a string; make it one")
    if not value:
        raise UserError(f"{where}: field {name!r} is empty; fill it in")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{where}: field {name!r} holds half a surrogate pair; write whole characters"
        ) from None
    return value


def entry_point_field(where: str, record: dict[str, object]) -> str:
    """The entry point's name; raises UserError if it is not a Python name."""
    name = text_field(where, record, "entry_point")
    if not name.isidentifier() or iskeyword(name):
        raise UserError(
            f"{where}: field 'entry_point' is {name!r}, not a Python name; name the function to call"
        )
    return name
