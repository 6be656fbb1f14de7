"""What `agentdyno run` refuses before it starts anything: one line, what, where and what to do."""

import json
import resource
from pathlib import Path

import pytest

from command_line import Agentdyno, manifest


def refused(agentdyno: Agentdyno, *words: object, **environment: str) -> str:
    """The one line on stderr of a refused run."""
    done = agentdyno("run", *words, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("agentdyno: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("agentdyno: ").rstrip()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--agents", "0"],
            "--agents must be a whole number of at least 1, not '0'",
        ),
        (
            ["--agents", "10,many"],
            "--agents must be a whole number of at least 1, not 'many'",
        ),
        (["--limit", "0"], "--limit must be a whole number of at least 1, not '0'"),
        (["--repeats", "-1"], "--repeats must be a whole number of at least 1, not '-1'"),
        (["--verify-slots", "two"], "--verify-slots must be a whole number of at least 1, not 'two'"),
        (["--verify-timeout", "0"], "--verify-timeout must be a number of seconds above 0, not '0'"),
        (
            ["--verifier", "null,warm"],
            "--verifier: 'warm' is not known; choose of cold, null, several with commas",
        ),
        *(
            (
                ["--until-ci", text],
                "--until-ci must be a percentage above 0 and at most 100, as in --until-ci 5%, not "
                + repr(text),
            )
            for text in ("0%", "5", "101%", "tight")
        ),
        (["--max-repeats", "2"], "--max-repeats must be a whole number of at least 3, not '2'"),
        (
            ["--controls", "aa,placebo"],
            "--controls: 'placebo' is not known; choose of aa, drift, unsampled, or none",
        ),
        (
            ["--arrivals", "poisson:0"],
            "--arrivals: 'poisson:0' is not known; give at-once, or poisson:RATE with a number of tasks a "
            "second above 0, as in poisson:20",
        ),
        (
            ["--runtimes", "python", "--baseline", "cobol"],
            "--baseline: 'cobol' is not measured here; name one of python",
        ),
        (["--seed", "-1"], "--seed must be a whole number of at least 0, not '-1'"),
        (["--max-retries", "1.5"], "--max-retries must be a whole number of at least 0, not '1.5'"),
        (["--tasks", ""], "--tasks must be a text that is not empty, not ''"),
        (["--baseline", ""], "--baseline must be a text that is not empty, not ''"),
        (
            ["--runtimes", "go,"],
            "--runtimes must be names or paths of runtimes, with commas between them, not ''",
        ),
        (
            ["--profile", "nosuch"],
            "--profile: 'nosuch' is not known; choose instant, steady, chat-7b, crowd, "
            "NAME:ttft=300ms,itl=40ms, or a .toml file",
        ),
        (
            ["--profile", "steady:ttft=soon"],
            "--profile: ttft='soon' is not a time: a time is a number and us, ms or s, with ~SIGMA for a "
            "log-normal spread, as in 300ms or 0.4s~0.25",
        ),
        (["--stall", "nan"], "--stall must be a number of seconds above 0, not 'nan'"),
        (
            ["--request", "{"],
            "--request is not JSON: "
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (
            ["--request", '{"temperature": NaN}'],
            "--request is not JSON: Out of range float values are not JSON compliant",
        ),
        (
            ["--request", '{"model": "x"}'],
            "--request must be a JSON object without model, messages and stream, which agentdyno sets",
        ),
        (
            ["--request", "[]"],
            "--request must be a JSON object without model, messages and stream, which agentdyno sets",
        ),
        (
            ["--request", "[" * 100_000],
            "--request is not JSON: maximum recursion depth exceeded while decoding a JSON array from a "
            "unicode string",
        ),
    ],
)
def test_options_out_of_range(agentdyno: Agentdyno, words: list[str], line: str) -> None:
    assert refused(agentdyno, *words) == line


def test_results_where_no_folder_can_be(agentdyno: Agentdyno, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refused(agentdyno, "--out", "file") == (
        f"{tmp_path}/file/raw: no results can be written there (Not a directory); choose another --out"
    )


def test_a_folder_in_the_place_of_the_link_to_the_newest_results(
    agentdyno: Agentdyno, tmp_path: Path
) -> None:
    (tmp_path / "latest").mkdir()
    done = agentdyno("run", "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"agentdyno: {tmp_path}/latest: a folder is where the link to the newest results goes; move it away\n"
    )


def test_more_agents_than_files_may_be_open(agentdyno: Agentdyno) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this machine has no hard limit on open files")
    line = refused(agentdyno, "--agents", hard, "--verify-slots", 2)
    wanted = hard + 2 * 3 + 64
    assert line == (
        f"{hard} agents need {wanted} open files and the hard limit is {hard}: ask for fewer, or "
        f"raise the limit in this shell, as root: `ulimit -n {wanted}` "
        f"(permanently: `* hard nofile {wanted}` in "
        "/etc/security/limits.conf)"
    )


def test_a_runtime_that_is_not_there(agentdyno: Agentdyno) -> None:
    line = refused(agentdyno, "--runtimes", "cobol")
    assert line.startswith("no runtime named `cobol` in ")
    assert line.endswith(
        "; there are: cpp, cpp-threads, floor, go, go-tuned, python, python-uvloop, rust, typescript, "
        "typescript-tuned"
    )


def test_a_runtime_asked_for_twice(agentdyno: Agentdyno) -> None:
    assert refused(agentdyno, "--runtimes", "python,python") == "runtime `python` was asked for twice"


def test_a_folder_without_a_manifest(agentdyno: Agentdyno, tmp_path: Path) -> None:
    line = refused(agentdyno, "--runtimes", f"{tmp_path}/")
    assert line == f"{tmp_path}/runtime.toml: no such file; see runtimes/CONTRACT.md"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 3", "name: must be a text, and is 3"),
        ("name = x", "not TOML: Invalid value (at line 1, column 8)"),
        ('name = "a"\nrun = "a.out"', 'run: must be a list, and is "a.out"'),
        ('name = "a"\nrun = ["a\\u0000b"]', "run: must be a list of texts that are not empty"),
        ('name = "a/b"\nrun = ["a"]', "name: must be letters, digits and `._+-`"),
        ('name = "a"\nrum = ["a"]', "unknown field `rum`"),
        ('name = "a"\nrun = ["a"]\nrequires = ["gcc"]', 'requires[0]: must be an object, and is "gcc"'),
        ('name = "a"\nrun = ["a"]\nrequires = [{a = "b"}]', "requires[0]: must be {program, hint, debian}"),
    ],
)
def test_a_manifest_that_is_unusable(agentdyno: Agentdyno, tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "runtime.toml"
    path.write_text('language = "A"\ndescription = "A"\n' * text.startswith('name = "a"\nrun') + text)
    line = refused(agentdyno, "--runtimes", path)
    assert line.startswith(f"{path}: {complaint}")
    assert line.endswith("; see runtimes/CONTRACT.md")


def test_tasks_without_references_need_a_real_model(agentdyno: Agentdyno, tasks: Path) -> None:
    bare = [
        {name: value for name, value in json.loads(line).items() if name != "reference"}
        for line in tasks.read_text().splitlines()
    ]
    tasks.write_text("".join(json.dumps(task) + "\n" for task in bare))
    assert refused(agentdyno, "--tasks", tasks) == (
        f"{tasks}: a task has no reference, of which the simulated endpoint makes its replies: "
        "add `reference`, or set LLM_BASE_URL to use a real model"
    )


def test_a_real_endpoint_needs_a_model(agentdyno: Agentdyno) -> None:
    assert refused(agentdyno, LLM_BASE_URL="http://127.0.0.1:9/v1") == (
        "LLM_BASE_URL is set and LLM_MODEL is not: name the model that the endpoint serves"
    )


@pytest.mark.parametrize("url", ["localhost:8000", "http:///v1", "http://[::1", "http://localhost:port/v1"])
def test_a_real_endpoint_needs_a_url(agentdyno: Agentdyno, url: str) -> None:
    assert refused(agentdyno, LLM_BASE_URL=url, LLM_MODEL="m") == (
        f"LLM_BASE_URL is {url!r}; it must begin with http:// or https:// and end with its /v1"
    )


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("LLM_MODEL", {"LLM_MODEL": "\udcff"}),
        ("LLM_BASE_URL", {"LLM_BASE_URL": "http://127.0.0.1:9/\udcff/v1"}),
        ("BENCH_CONCURRENCY", {"BENCH_CONCURRENCY": "\udcff"}),
    ],
)
def test_variables_that_are_not_utf8(agentdyno: Agentdyno, name: str, variables: dict[str, str]) -> None:
    real = {"LLM_BASE_URL": "http://127.0.0.1:9/v1", "LLM_MODEL": "m"}
    assert name.removeprefix("LLM_").lower() in refused(agentdyno, **real | variables).lower()


def test_bench_concurrency_sets_the_agents(agentdyno: Agentdyno) -> None:
    line = refused(agentdyno, BENCH_CONCURRENCY="zero")
    assert line == "BENCH_CONCURRENCY must be a whole number of at least 1, not 'zero'"


def test_the_same_name_in_two_manifests(tmp_path: Path) -> None:
    from agentdyno.errors import UserError
    from agentdyno.runtimes.manifest import read_all

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        manifest(tmp_path / folder, "twin", run=["true"])
    with pytest.raises(UserError) as refusal:
        read_all(tmp_path)
    assert str(refusal.value) == f"{tmp_path}/b/runtime.toml: the name `twin` is taken by {tmp_path}/a"
