"""Settings are pure data: what options and environment make of them, and how they lie on disk."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdyno.commands import run, sweep
from agentdyno.commands.experiment_options import DEFAULTS, option_of, settings_of
from agentdyno.commands.sweep import SWEEP_DEFAULTS
from agentdyno.errors import UserError
from agentdyno.rundata.cell import CONTROLS
from agentdyno.runner import resume
from agentdyno.runner.settings import REQUEST, BadSetting, RealEndpoint, Settings
from agentdyno.verifiers import VERIFIERS

PATH = Path("results/raw/TIME/settings.json")

texts = st.text(min_size=1, max_size=20)
numbers = st.integers(1, 10**18)
seconds = st.floats(1e-9, 1e9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)
EVERY: dict[str, st.SearchStrategy[Any]] = {
    "runtimes": st.none() | st.lists(texts, min_size=1).map(tuple),
    "agents": st.lists(numbers, min_size=1, unique=True).map(tuple),
    "tasks": texts,
    "limit": numbers,
    "repeats": numbers,
    "until_ci": st.none() | st.floats(0, 1, exclude_min=True),
    "max_repeats": st.integers(3, 10**18),
    "redo": st.integers(0, 10**18),
    "controls": st.lists(st.sampled_from(sorted(CONTROLS.values())), unique=True).map(tuple),
    "baseline": st.none() | texts,
    "arrivals": st.just("at-once") | st.integers(1, 10**6).map("poisson:{}".format),
    "cgroup": st.booleans(),
    "trace": st.booleans(),
    "profile": st.sampled_from(["instant", "steady", "crowd:ttft=1ms", "x:ttft=1ms,itl=2s", "a file.toml"]),
    "verifiers": st.lists(st.sampled_from(sorted(VERIFIERS)), min_size=1, unique=True).map(tuple),
    "verify_slots": numbers,
    "verify_timeout_s": seconds,
    "max_retries": st.integers(0, 10**18),
    "request": st.dictionaries(
        st.text().filter(lambda name: name not in ("model", "messages", "stream")), json_values, max_size=4
    ),
    "seed": st.integers(0, 10**18),
    "stall_s": seconds,
    "connect_timeout_s": seconds,
    "idle_timeout_s": seconds,
    "total_timeout_s": seconds,
    "proxy": st.sampled_from([None, "http://localhost:3128", "env:MY_PROXY"]),
    "ca_bundle": st.none() | texts,
    "headers": st.dictionaries(
        st.from_regex(r"X-[A-F0-9]{1,9}", fullmatch=True), st.sampled_from(["", "red, blue", "env:VAR"])
    ),
    "system_role": st.booleans(),
    "real_endpoint": st.none()
    | st.builds(RealEndpoint, st.sampled_from(["http://localhost:1/v1", "https://[::1]/v1"]), texts),
    "install": st.booleans(),
    "overhead_limit_s": st.none(),
}
OF_A_REAL_ENDPOINT = ("proxy", "ca_bundle", "headers", "system_role")


def drawn_together(values: dict[str, Any]) -> dict[str, Any]:
    """The values without those that the simulated endpoint has not."""
    if values["real_endpoint"] is not None:
        return values
    return {name: value for name, value in values.items() if name not in OF_A_REAL_ENDPOINT}


def test_every_setting_is_drawn_below() -> None:
    assert {*EVERY} == {field.name for field in fields(Settings)}


@given(st.fixed_dictionaries(EVERY).map(drawn_together))
def test_settings_come_back_from_json_as_they_were(values: dict[str, Any]) -> None:
    settings = Settings(**values)
    document = json.loads(json.dumps(settings.as_json(), ensure_ascii=False))
    assert Settings.from_json(document, PATH) == settings


@given(seconds)
def test_the_settings_of_a_sweep_come_back_from_json_as_they_were(limit: float) -> None:
    settings = replace(SWEEP_DEFAULTS, overhead_limit_s=limit)
    assert Settings.from_json(json.loads(json.dumps(settings.as_json())), PATH) == settings


def parsed(command: Any, defaults: Settings, *words: str, **environment: str) -> Settings:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return settings_of(parser.parse_args(words), environment, defaults)


def test_the_file_of_every_default_of_run() -> None:
    settings = parsed(run, replace(DEFAULTS, verify_slots=2))
    assert settings.as_json() == {
        "runtimes": None,
        "agents": [100],
        "tasks": "builtin",
        "limit": 100,
        "repeats": 1,
        "until_ci": None,
        "max_repeats": 20,
        "redo": 2,
        "controls": ["twin", "sentinel"],
        "baseline": None,
        "arrivals": "at-once",
        "cgroup": False,
        "trace": False,
        "profile": "chat-7b",
        "verifiers": ["cold"],
        "verify_slots": 2,
        "verify_timeout_s": 10.0,
        "max_retries": 3,
        "request": {"max_tokens": 2048, "temperature": 0, "stream_options": {"include_usage": True}},
        "seed": 0,
        "stall_s": 120.0,
        "connect_timeout_s": 10.0,
        "idle_timeout_s": 60.0,
        "total_timeout_s": 900.0,
        "proxy": None,
        "ca_bundle": None,
        "headers": {},
        "system_role": True,
        "real_endpoint": None,
        "install": False,
        "overhead_limit_s": None,
    }


def test_the_file_of_every_default_of_sweep() -> None:
    before, after = DEFAULTS.as_json(), parsed(sweep, SWEEP_DEFAULTS).as_json()
    assert {name: value for name, value in after.items() if value != before[name]} == {
        "agents": [1, 10, 100, 1000, 10000],
        "limit": 1,
        "max_retries": 0,
        "profile": "crowd",
        "verifiers": ["null"],
        "controls": [],
        "overhead_limit_s": 0.05,
    }


OPTIONS = {
    "runtimes": ("../mine,go", ("../mine", "go")),
    "agents": ("10, 20,10", (10, 20)),
    "tasks": ("humaneval", "humaneval"),
    "limit": ("7", 7),
    "repeats": ("3", 3),
    "until_ci": ("5%", 0.05),
    "max_repeats": ("9", 9),
    "redo": ("1", 1),
    "controls": ("drift,unsampled", ("sentinel", "unsampled")),
    "baseline": ("go", "go"),
    "arrivals": ("poisson:20", "poisson:20"),
    "profile": ("steady:ttft=1ms", "steady:ttft=1ms"),
    "verifiers": ("cold,null", ("cold", "null")),
    "verify_slots": ("5", 5),
    "verify_timeout_s": ("2.5", 2.5),
    "max_retries": ("0", 0),
    "request": ('{"max_tokens": null, "stop": "x"}', {**REQUEST, "stop": "x"}),
    "seed": ("4", 4),
    "stall_s": ("1", 1.0),
    "connect_timeout_s": ("2", 2.0),
    "idle_timeout_s": ("75", 75.0),
    "total_timeout_s": ("3600", 3600.0),
}
OF_REAL_ENDPOINTS = {
    "proxy": ("http://localhost:3128", "http://localhost:3128"),
    "ca_bundle": ("/etc/my.pem", "/etc/my.pem"),
    "headers": ("X-Team=red=blue", {"X-Team": "red=blue"}),
    "system_role": (None, False),
}
OPTIONS["request"][1].pop("max_tokens")  # type: ignore[attr-defined]
FLAGS = ("cgroup", "trace", "install")


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_changes_its_setting_and_no_other(name: str) -> None:
    text, value = OPTIONS[name]
    assert parsed(run, DEFAULTS, option_of(name), text) == replace(DEFAULTS, **{name: value})


@pytest.mark.parametrize("name", OF_REAL_ENDPOINTS)
def test_an_option_of_real_endpoints_changes_its_setting_and_needs_one(name: str) -> None:
    text, value = OF_REAL_ENDPOINTS[name]
    words = [option_of(name), *([text] if text is not None else [])]
    with_one = parsed(run, DEFAULTS, *words, LLM_BASE_URL="http://localhost:1/v1", LLM_MODEL="m")
    endpoint = RealEndpoint("http://localhost:1/v1", "m")
    assert with_one == replace(DEFAULTS, real_endpoint=endpoint, **{name: value})
    with pytest.raises(UserError, match=f"^{option_of(name)} is for a real endpoint; set LLM_BASE_URL"):
        parsed(run, DEFAULTS, *words)


def test_headers_add_up() -> None:
    real = {"LLM_BASE_URL": "http://localhost:1/v1", "LLM_MODEL": "m"}
    settings = parsed(run, DEFAULTS, "--header", "X-Team=red", "--header", "api-key=env:KEY", **real)
    assert settings.headers == {"X-Team": "red", "api-key": "env:KEY"}
    with pytest.raises(UserError, match=r"^--header x-team: given twice"):
        parsed(run, DEFAULTS, "--header", "X-Team=red", "--header", "x-team=blue", **real)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--header", "X-Team", ": give it as NAME=VALUE"),
        ("--header", "X Team=red", ": 'X Team' is no name of an HTTP header"),
        ("--header", "Content-Length=5", " Content-Length: this header belongs to the connection"),
        ("--header", "X-Team=r\u00f6t", " X-Team: no HTTP header can carry the value"),
        ("--header", "X-Team=a\r\nX-B: c", " X-Team: no HTTP header can carry the value"),
        ("--header", "api-key=swordfish", " api-key: the value may be a secret"),
        ("--header", "X-Team=Bearer swordfish", " X-Team: the value may be a secret"),
        ("--header", "api-key=env:", " api-key: name a variable"),
        ("--proxy", "http://me:swordfish@h:1", " holds a user name or a password"),
        ("--proxy", "socks5://h:1", ": not the URL of an HTTP proxy"),
        ("--proxy", "http://h:99999", ": not the URL of a proxy"),
        ("--proxy", "env:", ": name a variable"),
        ("--ca-bundle", "", " must be the path of a file"),
        ("--idle-timeout", "0", " must be a number of seconds above 0"),
    ],
)
def test_a_value_that_a_real_endpoint_cannot_be_given(option: str, value: str, said: str) -> None:
    with pytest.raises(UserError) as refusal:
        parsed(run, DEFAULTS, option, value, LLM_BASE_URL="http://localhost:1/v1", LLM_MODEL="m")
    assert str(refusal.value).startswith(option + said)
    assert "swordfish" not in str(refusal.value)


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_sets_its_setting_and_no_other(name: str) -> None:
    assert parsed(run, DEFAULTS, option_of(name)) == replace(DEFAULTS, **{name: True})


def test_every_setting_of_a_run_has_an_option_or_a_variable() -> None:
    of_a_sweep = {"overhead_limit_s"}
    assert {*OPTIONS, *OF_REAL_ENDPOINTS, *FLAGS, "real_endpoint"} == {
        field.name for field in fields(Settings)
    } - of_a_sweep


@pytest.mark.parametrize(
    ("text", "controls"),
    [
        ("aa,drift,unsampled", ("twin", "sentinel", "unsampled")),
        ("twin,sentinel", ("twin", "sentinel")),
        ("sentinel,drift", ("sentinel",)),
        ("none", ()),
    ],
)
def test_controls_are_read_by_their_new_and_their_old_names(text: str, controls: tuple[str, ...]) -> None:
    assert parsed(run, DEFAULTS, "--controls", text).controls == controls


def test_the_endpoint_is_read_from_the_environment() -> None:
    settings = parsed(run, DEFAULTS, LLM_BASE_URL="http://localhost:8000/v1/", LLM_MODEL="m", LLM_API_KEY="k")
    assert settings == replace(DEFAULTS, real_endpoint=RealEndpoint("http://localhost:8000/v1", "m"))
    assert "k" not in settings.as_json()["real_endpoint"].values()


def without(name: str) -> dict[str, Any]:
    document = DEFAULTS.as_json()
    del document[name]
    return document


UNUSABLE: list[tuple[object, str]] = [
    ([], "settings must be an object, not []"),
    (without("seed"), "seed is missing"),
    ({**DEFAULTS.as_json(), "sneed": 1}, "sneed is not known"),
    *(
        ({**DEFAULTS.as_json(), **changed}, said)
        for changed, said in [
            ({"runtimes": []}, "runtimes must be a list of at least one value, not ()"),
            ({"runtimes": "go"}, "runtimes must be a list of at least one value, not 'go'"),
            ({"agents": [100, 0]}, "agents must be a whole number of at least 1, not 0"),
            ({"agents": [1, 1]}, "agents must name nothing twice, not 1, 1"),
            ({"agents": [True]}, "agents must be a whole number of at least 1, not True"),
            ({"limit": 1.5}, "limit must be a whole number of at least 1, not 1.5"),
            ({"limit": "7"}, "limit must be a whole number of at least 1, not '7'"),
            ({"until_ci": 5}, "until_ci must be a share above 0 and at most 1, not 5"),
            ({"max_repeats": 2}, "max_repeats must be a whole number of at least 3, not 2"),
            (
                {"controls": ["placebo"]},
                "controls: 'placebo' is not known; choose of aa, drift, unsampled, or none",
            ),
            (
                {"verifiers": [["cold"]]},
                "verifiers: ['cold'] is not known; choose of cold, null, several with commas",
            ),
            ({"arrivals": 3}, "arrivals must be a text, not 3"),
            (
                {"arrivals": "poisson:0"},
                "arrivals: 'poisson:0' is not known; give at-once, or poisson:RATE with a number of tasks a "
                "second above 0, as in poisson:20",
            ),
            ({"cgroup": 1}, "cgroup must be true or false, not 1"),
            ({"stall_s": float("inf")}, "stall_s must be a number of seconds above 0, not inf"),
            ({"proxy": 1}, "proxy must be a text, not 1"),
            ({"headers": ["x"]}, "headers must be an object of texts"),
            ({"headers": {"x": 1}}, "headers must be an object of texts"),
            ({"headers": {"x": "", "X": ""}}, "headers must name nothing twice"),
            (
                {"system_role": False},
                "system_role is for a real endpoint; set LLM_BASE_URL, or leave it out",
            ),
            ({"stall_s": None}, "stall_s must be a number of seconds above 0, not None"),
            (
                {"request": {"model": "m"}},
                "request must be a JSON object without model, messages and stream, which agentdyno sets",
            ),
            (
                {"request": {"t": float("nan")}},
                "request is not JSON: Out of range float values are not JSON compliant",
            ),
            ({"real_endpoint": {"base_url": "http://h/v1"}}, "real_endpoint.model is missing"),
            (
                {"real_endpoint": {"base_url": "ftp://h", "model": "m"}},
                "real_endpoint.base_url is 'ftp://h'; "
                "it must begin with http:// or https:// and end with its /v1",
            ),
            ({"real_endpoint": "http://h/v1"}, "real_endpoint must be an object, not 'http://h/v1'"),
            (
                {"overhead_limit_s": 0.05, "arrivals": "poisson:5"},
                "arrivals: a sweep begins all agents at once; leave it out",
            ),
        ]
    ),
]


@pytest.mark.parametrize(("document", "said"), UNUSABLE, ids=[said[:30] for _, said in UNUSABLE])
def test_a_file_that_is_unusable_is_one_line_with_file_field_and_remedy(document: object, said: str) -> None:
    with pytest.raises(UserError) as refusal:
        Settings.from_json(document, PATH)
    assert str(refusal.value) == f"{PATH}: {said}; mend that, or begin anew"


@given(st.sampled_from([field.name for field in fields(Settings)]), json_values)
def test_whatever_a_field_holds_is_read_or_refused_in_one_line(name: str, value: object) -> None:
    said = ""
    try:
        Settings.from_json({**DEFAULTS.as_json(), name: value}, PATH)
    except UserError as refusal:
        said = str(refusal)
    assert said == "" or said.startswith(f"{PATH}: {name}")
    assert len(said.splitlines()) <= 1


def test_a_bad_setting_is_refused_where_it_is_made() -> None:
    with pytest.raises(BadSetting) as refusal:
        replace(DEFAULTS, limit=0)
    assert (refusal.value.name, str(refusal.value)) == (
        "limit",
        "limit must be a whole number of at least 1, not 0",
    )


AN_EARLIER_VERSIONS: Mapping[str, Any] = {
    "asked": {
        "command": "sweep",
        "runtimes": "/w/runtimes/go/runtime.toml,/w/mine.toml",
        "agents": "1,10",
        "tasks": "builtin",
        "limit": 1,
        "repeats": 2,
        "until_ci": None,
        "max_repeats": 20,
        "baseline": "go",
        "controls": "twin,sentinel",
        "arrivals": "at-once",
        "profile": "crowd",
        "verifier": "null,cold",
        "verify_slots": 4,
        "verify_timeout": 5.0,
        "max_retries": 0,
        "request": {"temperature": None, "stop": "x"},
        "seed": 3,
        "stall": 60.0,
        "cgroup": True,
        "trace": False,
        "strict": True,
        "install": False,
        "document": "json",
        "overhead_limit": 0.1,
    },
    "of": {"endpoint": "http://localhost:1/v1", "model": "m"},
}


def test_what_an_earlier_version_kept_is_read() -> None:
    found = resume.as_written_today(json.loads(json.dumps(AN_EARLIER_VERSIONS)))
    assert found["command"] == "sweep"
    assert found["of"] == AN_EARLIER_VERSIONS["of"]
    assert Settings.from_json(found["settings"], PATH) == Settings(
        runtimes=("/w/runtimes/go/runtime.toml", "/w/mine.toml"),
        agents=(1, 10),
        limit=1,
        repeats=2,
        redo=0,
        controls=("twin", "sentinel"),
        baseline="go",
        cgroup=True,
        profile="crowd",
        verifiers=("null", "cold"),
        verify_slots=4,
        verify_timeout_s=5.0,
        max_retries=0,
        request={"max_tokens": 2048, "stream_options": {"include_usage": True}, "stop": "x"},
        seed=3,
        stall_s=60.0,
        real_endpoint=RealEndpoint("http://localhost:1/v1", "m"),
        overhead_limit_s=0.1,
    )


def test_an_earlier_run_had_no_objective_and_perhaps_no_controls() -> None:
    document = json.loads(json.dumps(AN_EARLIER_VERSIONS))
    del document["asked"]["overhead_limit"]
    document["asked"] |= {"command": "run", "controls": "none"}
    document["of"]["endpoint"] = "simulated"
    settings = Settings.from_json(resume.as_written_today(document)["settings"], PATH)
    assert (settings.controls, settings.overhead_limit_s, settings.real_endpoint) == ((), None, None)
