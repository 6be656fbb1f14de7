"""Breaks of how the fields of a run file are read."""

import json
import os
from typing import Any

from breaks.declare import Break


def a_missing_file_is_a_traceback() -> None:
    from pathlib import Path

    from agentloop import fields

    fields.Fields.of_file = classmethod(  # type: ignore[assignment, method-assign]
        lambda cls, path: cls.of_text(path, Path(path).read_text("utf-8"))
    )


def what_follows_is_not_read() -> None:
    from agentloop import fields

    class Json:
        dumps = json.dumps

        @staticmethod
        def loads(text: str, **options: Any) -> Any:
            return json.JSONDecoder().raw_decode(text)[0]

    fields.json = Json  # type: ignore[assignment]


def escapes_in_names_are_not_read() -> None:
    from agentloop import fields

    of_text = fields.Fields.of_text
    fields.Fields.of_text = classmethod(  # type: ignore[assignment, method-assign]
        lambda cls, where, text: of_text(where, text.replace("\\u0061", "\\\\u0061"))
    )


def missing_numbers_have_defaults() -> None:
    from agentloop import fields

    positive = fields.Fields.positive
    fields.Fields.positive = (  # type: ignore[method-assign]
        lambda self, name: positive(self, name) if name in self._values else 10.0
    )


def null_is_a_default() -> None:
    from agentloop import fields

    text = fields.Fields.text

    def changed(self: Any, name: str) -> str:
        is_null = name == "model" and self._values.get(name, 0) is None
        return "default" if is_null else text(self, name)

    fields.Fields.text = changed  # type: ignore[method-assign]


def integers_as_they_come() -> None:
    from agentloop import fields

    fields.Fields.integer = (  # type: ignore[method-assign]
        lambda self, name, at_least: int(self._values[name])  # type: ignore[call-overload]
    )


def any_list_is_an_argv() -> None:
    from agentloop import fields

    fields.Fields.texts = (  # type: ignore[method-assign]
        lambda self, name: [str(word) for word in self._typed(name, list, "a list")]
    )


def any_object_is_an_environment() -> None:
    from agentloop import fields

    fields.Fields.environment = (  # type: ignore[method-assign]
        lambda self, name: {variable: str(value) for variable, value in self.object(name).items()}
    )


def only_the_last_part_is_named() -> None:
    from agentloop import fields

    init = fields.Fields.__init__

    def changed(self: Any, where: str, values: dict[str, object], prefix: str = "") -> None:
        init(self, where, values)

    fields.Fields.__init__ = changed  # type: ignore[method-assign]


def two_lines() -> None:
    from agentloop import log

    log_line = log.log_line

    def changed(line: str) -> None:
        log_line("error")
        log_line(line)

    log.log_line = changed


def events_are_made_first() -> None:
    from agentloop import events, run_file

    load_run_file = run_file.load_run_file

    def changed(path: str) -> run_file.RunFile:
        run = load_run_file(path)
        events.EventFile(run.events)
        return run

    events_are_appended()
    run_file.load_run_file = changed


def no_bounds() -> None:
    from agentloop import fields

    integer = fields.Fields.integer
    fields.Fields.integer = (  # type: ignore[method-assign]
        lambda self, name, at_least: integer(
            self, name, at_least=0 if name == "output_limit_bytes" else at_least
        )
    )


def zero_is_no_time_out() -> None:
    from agentloop import fields

    positive = fields.Fields.positive
    fields.Fields.positive = (  # type: ignore[method-assign]
        lambda self, name: self.not_negative(name) if name == "timeout_s" else positive(self, name)
    )


def any_version() -> None:
    from agentloop import fields

    integer = fields.Fields.integer
    fields.Fields.integer = (  # type: ignore[method-assign]
        lambda self, name, at_least: (
            1 if name == "contract_version" else integer(self, name, at_least=at_least)
        )
    )


def any_url() -> None:
    from agentloop import run_file

    run_file._base_url = lambda fields: fields.text("base_url") or "http://127.0.0.1:1"


def base_url_is_shown() -> None:
    from agentloop.fields import Fields

    Fields.invalid_unshown = Fields.invalid  # type: ignore[method-assign]


def request_may_hold_anything() -> None:
    from agentloop import run_file

    run_file._OWN_FIELDS = ()


def integers_of_32_bits() -> None:
    from agentloop import fields

    integer = fields.Fields.integer

    def changed(self: Any, name: str, *, at_least: int) -> int:
        value = integer(self, name, at_least=at_least)
        if value >= 2**31:
            raise OverflowError(name)
        return value

    fields.Fields.integer = changed  # type: ignore[method-assign]


def the_verifier_is_looked_for_in_ones_own_path() -> None:
    from agentloop import run

    find_program = run.find_program
    run.find_program = lambda name, search_path: find_program(name, os.environ["PATH"])


def the_key_is_made_fit() -> None:
    from agentloop import run

    run._api_key = lambda: os.environ.get("LLM_API_KEY", "").split()[0]


def further_fields_are_refused() -> None:
    from agentloop import run_file

    load_run_file = run_file.load_run_file

    def changed(path: str) -> run_file.RunFile:
        with open(path) as file:
            if len(json.load(file)) != 13:
                raise run_file.Fields("", {}).invalid("further fields", "gone")
        return load_run_file(path)

    run_file.load_run_file = changed


def opened_with(flags: int) -> None:
    from agentloop import events

    def changed(self: Any, path: str) -> None:
        self._descriptor, self._path = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644), path

    events.EventFile.__init__ = changed  # type: ignore[method-assign]


def events_are_appended() -> None:
    opened_with(os.O_APPEND)


BREAKS = [
    Break("run-file.json", "a traceback", "run-file.json/not there", a_missing_file_is_a_traceback),
    Break(
        "run-file.json",
        "only the first object is read",
        "run-file.json/more after the object",
        what_follows_is_not_read,
    ),
    Break("run-file.json", "escapes", "run-file.json/another spelling", escapes_in_names_are_not_read),
    Break("run-file.fields", "defaults", "run-file.fields/missing", missing_numbers_have_defaults),
    Break("run-file.fields", "null is a default", "run-file.fields/null", null_is_a_default),
    Break(
        "run-file.fields",
        "strings are numbers",
        "run-file.fields/a string for a number",
        integers_as_they_come,
    ),
    Break("run-file.fields", "true is 1", "run-file.fields/true for a number", integers_as_they_come),
    Break(
        "run-file.fields",
        "fractions are cut",
        "run-file.fields/a fraction for an integer",
        integers_as_they_come,
    ),
    Break(
        "run-file.fields",
        "any list is an argv",
        "run-file.fields/another list than one of strings",
        any_list_is_an_argv,
    ),
    Break(
        "run-file.fields",
        "any object is an environment",
        "run-file.fields/an environment of other things than strings",
        any_object_is_an_environment,
    ),
    Break(
        "run-file.fields",
        "only the last part is named",
        "run-file.fields/a list for an object",
        only_the_last_part_is_named,
    ),
    Break("run-file.fields", "two lines", "run-file.fields/a number for a string", two_lines),
    Break("run-file.values", "no bounds", "run-file.values/out of bounds", no_bounds),
    Break("run-file.values", "a timeout of 0", "run-file.values/out of bounds", zero_is_no_time_out),
    Break("run-file.values", "any version", "run-file.values/another contract", any_version),
    Break("run-file.values", "any URL", "run-file.values/base_url", any_url),
    Break(
        "run-file.values",
        "a refused base_url is shown",
        "run-file.values/a base_url with a password, which is not shown",
        base_url_is_shown,
    ),
    Break(
        "run-file.values",
        "request may hold anything",
        "run-file.values/fields of the request that are the runtime's",
        request_may_hold_anything,
    ),
    Break(
        "run-file.values",
        "NUL in argv",
        "run-file.values/argv and env that no process can have",
        any_list_is_an_argv,
    ),
    Break(
        "run-file.values", "integers of 32 bits", "run-file.values/as large as can be", integers_of_32_bits
    ),
    Break(
        "run-file.values",
        "its own PATH",
        "run-file.values/a verifier that is not there",
        the_verifier_is_looked_for_in_ones_own_path,
    ),
    Break(
        "run-file.values",
        "events are made first",
        "run-file.values/a verifier that is not there",
        events_are_made_first,
    ),
    Break(
        "run-file.values",
        "the key is made fit",
        "run-file.values/a key that no header can hold",
        the_key_is_made_fit,
    ),
    Break("run-file.others", "refused", "run-file.others/further fields", further_fields_are_refused),
]
