"""The table of metrics in docs/measuring.md, and the schema of summary.json, are made from the registry."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import agentdyno
from agentdyno.analysis.gate import ALL, Gate
from agentdyno.analysis.gates import GATES
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.registry import MEASURED, METRICS, Better, MetricDefinition
from agentdyno.results.schema import summary_schema
from snapshot import is_file

DOCS = Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- metrics: made by tests/results/test_documentation.py -->\n", "<!-- end of metrics -->\n"
BETTER = {Better.LESS: "less", Better.NEITHER: "", Better.MORE: "more"}
PUBLISHED = sorted(path for path in (DOCS / "results").glob("*.json") if not path.stem.endswith("-sweep"))


def table() -> str:
    """A line for each metric; those of a family, and the ratios to one runtime, share a line."""
    lines = ["| metric | kind | unit | better | what it is |", "| --- | --- | --- | --- | --- |", *_lines()]
    return "\n".join(lines) + "\n"


def _lines() -> Iterator[str]:
    for _, its in groupby(METRICS.values(), lambda metric: metric.family):
        family = list(its)
        first = family[0]
        names = ", ".join(f"`{metric.name}`" for metric in family)
        yield f"| {names} | {first.kind} | {_unit(first)} | {BETTER[first.better]} | {first.meaning} |"


def _unit(metric: MetricDefinition) -> str:
    if metric.reference is not None or metric.unit == metric.shown_in:
        return metric.shown_in
    return f"{metric.unit}, shown as {metric.shown_in}"


def test_measuring_md_has_the_table_of_the_registry() -> None:
    page = DOCS / "measuring.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    assert is_file(page, f"{before}{BEGIN}\n{table()}\n{END}{after}")


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_measuring_md_says_of_which_figures_a_gate_speaks(gate: Gate) -> None:
    lines = [line.split(" | ") for line in (DOCS / "measuring.md").read_text().splitlines()]
    (figures,) = (cells[1] for cells in lines if cells[0].removesuffix(" \\*") == f"| {gate.name}")
    kinds = [kind for kind in Kind if kind in gate.kinds]
    assert figures == ("all" if kinds == list(ALL) else ", ".join(kinds))


def test_the_schema_is_that_of_the_registry() -> None:
    text = json.dumps(summary_schema(), indent=2) + "\n"
    assert is_file(DOCS / "schema" / "summary-4.schema.json", text)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads((DOCS / "schema" / "summary-4.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_what_is_published_is_as_the_schema_says(path: Path, validator: Draft202012Validator) -> None:
    validator.validate(json.loads(path.read_text()))


def test_what_is_written_is_as_the_schema_says(
    experiment: agentdyno.Experiment, validator: Draft202012Validator
) -> None:
    validator.validate(json.loads(experiment.path.read_text()))


def _rename_a_metric(summary: dict[str, Any]) -> None:
    metrics = summary["rows"][0]["metrics"]
    metrics["peak_memory"] = metrics.pop("peak_rss_mib")


def _change_a_unit(summary: dict[str, Any]) -> None:
    summary["rows"][0]["metrics"]["cpu_s_per_task"]["unit"] = "ms/task"


def _say_a_figure_in_words(summary: dict[str, Any]) -> None:
    summary["rows"][0]["metrics"]["wall_s"]["median"] = "37.9 s"


def _drop_an_end(summary: dict[str, Any]) -> None:
    summary["rows"][0]["metrics"]["peak_rss_mib"]["ci95"].pop()


def _drop_the_environment(summary: dict[str, Any]) -> None:
    del summary["environment"]


def _change_the_version(summary: dict[str, Any]) -> None:
    summary["schema_version"] = 3


@pytest.mark.parametrize(
    "damage",
    [
        _rename_a_metric,
        _change_a_unit,
        _say_a_figure_in_words,
        _drop_an_end,
        _drop_the_environment,
        _change_the_version,
    ],
)
def test_what_is_damaged_is_refused(damage: Any, validator: Draft202012Validator) -> None:
    summary = json.loads(PUBLISHED[0].read_text())
    damage(summary)
    with pytest.raises(ValidationError):
        validator.validate(summary)


def test_each_metric_has_what_tables_and_pages_need() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.short.count("\n") == 1
        assert metric.meaning.endswith(".")
        assert metric.label == metric.label.strip()
        assert metric.reference is None or (metric.of in MEASURED and name.startswith(name.split("_x_")[0]))
    headings = [metric.heading for metric in METRICS.values()]
    assert len(set(headings)) == len(headings)
    assert {name for name, metric in METRICS.items() if metric.ranks} == {
        "peak_rss_mib",
        "cpu_s_per_task",
        *(f"{part}_ms_{name}" for part in ("overhead", "steady_overhead") for name in ("p50", "p95", "p99")),
    }
    assert all(metric.better == Better.LESS for metric in METRICS.values() if metric.ranks)
