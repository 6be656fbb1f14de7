"""Rows that can stand in one chart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agentdyno.report.summary import Row


@dataclass(frozen=True, slots=True)
class Group:
    """The rows with as many agents, the same verifier and the same profile, in the order of the summary.

    `label` is part of the names of its figures, `words` of their titles.
    """

    agents: int
    label: str
    words: str
    rows: list[Row]


def groups(rows: Iterable[Row]) -> list[Group]:
    """The rows by verifier, then profile, as they first come, then agents, most first."""
    found: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        cell = row.cell
        found.setdefault((cell.verifier, cell.profile, cell.agents), []).append(row)
    verifiers = list(dict.fromkeys(verifier for verifier, _, _ in found))
    profiles = list(dict.fromkeys(profile for _, profile, _ in found))
    in_order = sorted(found, key=lambda key: (verifiers.index(key[0]), profiles.index(key[1]), -key[2]))
    return [_group(*key, found[key], tells_profile=len(profiles) > 1) for key in in_order]


def _group(verifier: str, profile: str, agents: int, rows: list[Row], *, tells_profile: bool) -> Group:
    label, words = f"{verifier}-{agents}", f"{count(agents)}, verifier {verifier}"
    if tells_profile:
        label, words = f"{label}-{slug(profile)}", f"{words}, profile {profile}"
    return Group(agents, label, words, rows)


def count(agents: int) -> str:
    """So many agents, in words."""
    return "1 agent" if agents == 1 else f"{agents:,} agents"


def slug(text: str) -> str:
    """The text as part of a file's name and of an anchor."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
