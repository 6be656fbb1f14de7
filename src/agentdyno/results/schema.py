"""The JSON Schema of `summary.json`, which docs/schema publishes."""

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from agentdyno.analysis.gate import Failure
from agentdyno.analysis.metric import Kind
from agentdyno.analysis.notes import ODDITIES, REFUSED
from agentdyno.analysis.registry import METRICS, MetricDefinition
from agentdyno.results.summary import CELL, SCHEMA_VERSION

Schema = dict[str, Any]

NUMBER = {"type": ["number", "null"]}
INTERVAL = {
    "description": "Low and high end of the 95% CI; null for too few runs.",
    "anyOf": [
        {"type": "null"},
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    ],
}
TEXT = {"type": "string"}
KINDS = {"type": "array", "items": {"enum": [*Kind]}}
COUNT = {"type": "integer", "minimum": 0}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def summary_schema() -> Schema:
    """JSON Schema 2020-12: every metric with its unit, and what every summary has; a summary may hold
    more in `experiment` and `environment`.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"summary.json of agentdyno, version {SCHEMA_VERSION}",
        **_object(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "experiment": _experiment(),
                "environment": _environment(),
                "rows": {"type": "array", "items": _row()},
                "controls": {"type": "array", "items": _control()},
            }
        ),
        "$defs": {
            "values": {
                "description": "One value for each run of the row, in the order of the blocks.",
                "type": "array",
                "items": NUMBER,
            },
            "ci95": INTERVAL,
        },
    }


def _object(
    properties: Schema, *, optional: Collection[str] = (), more: bool = False, **other: Any
) -> Schema:
    """An object that has all of these properties but the `optional` ones, and with `more` may have others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": more,
        **other,
    }


def _cell() -> Schema:
    kinds = {"agents": {"type": "integer", "minimum": 1}}
    return {name: kinds.get(name, TEXT) for name in CELL}


def _row() -> Schema:
    metrics = {name: _metric(metric) for name, metric in METRICS.items()}
    return _object(
        {
            **_cell(),
            "valid": {"type": "boolean"},
            "failures": {"type": "array", "items": _failure()},
            "methods": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
            "metrics": _object(metrics, optional=[name for name in metrics if METRICS[name].since]),
            "invalid_kinds": {
                "description": "The kinds of figures that are not valid; version 0.1.0 wrote none.",
                **KINDS,
            },
            "notes": {
                "description": "What a real server did that explains outcomes; absent where there is nothing "
                "to say.",
                "type": "array",
                "items": _note(),
            },
        },
        optional=("invalid_kinds", "notes"),
        more=True,
        description="One runtime at one number of agents with one verifier and profile.",
    )


def _note() -> Schema:
    return _object(
        {
            "kind": {
                "description": "What the server did in `count` of `of` replies, or of requests if `refused`.",
                "examples": [*ODDITIES, REFUSED],
                **TEXT,
            },
            "count": COUNT,
            "of": COUNT,
            "status": {"description": "Of refused requests.", "type": ["integer", "null"]},
            "said": {"description": "The server's first words about these.", "type": ["string", "null"]},
        },
        more=True,
    )


def _failure() -> Schema:
    others: Schema = {
        "run": {"description": "The block; null for the whole experiment.", "type": ["integer", "null"]},
        "is_fault": {"type": "boolean"},
        "kinds": {
            "description": "The kinds of figures of which the gate speaks; version 0.1.0 wrote none.",
            **KINDS,
        },
    }
    known = ("gate", "run", "reason", "remedy", "is_fault", "kinds")
    assert set(known) <= {field.name for field in fields(Failure)}
    return _object({name: others.get(name, TEXT) for name in known}, optional=("kinds",), more=True)


def _metric(metric: MetricDefinition) -> Schema:
    return _object(
        {
            "median": NUMBER,
            "ci95": {"$ref": "#/$defs/ci95"},
            "values": {"$ref": "#/$defs/values"},
            "unit": {"const": metric.unit},
        },
        description=metric.explained,
    )


def _control() -> Schema:
    ratio = _object(
        {"median": NUMBER, "ci95": {"$ref": "#/$defs/ci95"}, "values": {"$ref": "#/$defs/values"}}
    )
    return _object(
        {
            "control": TEXT,
            "runtime": TEXT,
            "agents": {"type": "integer", "minimum": 1},
            "verifier": TEXT,
            "ratios": {
                "type": "object",
                "propertyNames": {"enum": list(METRICS)},
                "additionalProperties": ratio,
            },
        },
        more=True,
        description="A control run: its figures over those of the run that it repeats.",
    )


def _experiment() -> Schema:
    run = _object(
        {
            "folder": TEXT,
            "block": COUNT,
            **_cell(),
            "control": TEXT,
            "sha256": {"type": "object", "additionalProperties": SHA256},
        },
        more=True,
    )
    return _object(
        {
            "command": {"type": "array", "items": TEXT},
            "started": {"type": "string", "format": "date-time"},
            "written": {"type": "string", "format": "date-time"},
            "complete": {"type": "boolean"},
            "simulated": {"type": "boolean"},
            "cells": {"type": "array", "items": _object(_cell(), more=True)},
            "runs": {"type": "array", "items": run},
            "runtimes": {"type": "object"},
            "tasks": TEXT,
            "limit": COUNT,
            "repeats": COUNT,
            "controls": {"type": "array", "items": TEXT},
            "baseline": {"type": ["string", "null"]},
            "arrivals": TEXT,
            "profile": TEXT,
            "endpoint": TEXT,
            "model": TEXT,
            "request": {"type": "object"},
            "verifiers": {"type": "array", "items": TEXT},
            "verify_slots": COUNT,
            "verify_timeout_s": {"type": "number"},
            "max_retries": COUNT,
        },
        more=True,
        description="What was asked for, and the runs that were made.",
    )


def _environment() -> Schema:
    return _object(
        {
            "cpu": TEXT,
            "cpus": COUNT,
            "architecture": TEXT,
            "kernel": TEXT,
            "system": TEXT,
            "memory_mib": COUNT,
            "python": TEXT,
            "verifiers": {"type": "array", "items": {"type": "object"}},
            "agentdyno": TEXT,
            "libraries": {"type": "object", "additionalProperties": TEXT},
            "git_commit": {"type": ["string", "null"]},
            "git_dirty": {"type": ["boolean", "null"]},
        },
        more=True,
        description="The machine and the programs.",
    )
