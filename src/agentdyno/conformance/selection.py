"""Which cases are played against which runtime."""

from collections.abc import Sequence

from agentdyno.conformance import suite
from agentdyno.conformance.rules import RULES, group_of
from agentdyno.errors import UserError
from agentdyno.runtimes.manifest import Manifest


def asked_for(only: Sequence[str] | None) -> list[str]:
    """The names of the cases that begin with one of these words; all cases for None.

    A UserError names a word that no rule and no case begins with.
    """
    every = list(suite.load())
    if only is None:
        return every
    chosen: set[str] = set()
    for wanted in only:
        matching = [name for name in every if name.startswith(wanted)]
        if not matching and any(rule.name == wanted for rule in RULES):
            matching = every  # a rule without cases of its own, that every case tries
        if not matching:
            raise UserError(f"--only {wanted}: no rule or case begins with that; --list shows them all")
        chosen.update(matching)
    return [name for name in every if name in chosen]


def for_each(
    manifests: Sequence[Manifest], names: Sequence[str], *, touched: bool
) -> list[tuple[Manifest, list[str]]]:
    """Each runtime with the cases to play against it.

    With `touched`, the first runtime of a folder plays all of `names`, and each further one only those of the
    rules that its manifest names in `differs_in`, or all if it does not.
    """
    folders = set()
    plans = []
    for manifest in manifests:
        is_further = manifest.folder in folders
        folders.add(manifest.folder)
        plans.append((manifest, _touched(manifest, names) if touched and is_further else list(names)))
    return plans


def _touched(manifest: Manifest, names: Sequence[str]) -> list[str]:
    if manifest.differs_in is None:
        return list(names)
    cases = suite.load()
    rules = rules_in(manifest)
    return [name for name in names if cases[name].rule in rules]


def rules_in(manifest: Manifest) -> set[str]:
    """The names of the rules that `differs_in` means; a UserError names a word that is no rule or group."""
    rules: set[str] = set()
    for word in manifest.differs_in or ():
        meant = {rule.name for rule in RULES if word in (rule.name, group_of(rule.name))}
        if not meant:
            raise UserError(
                f"{manifest.path}: `differs_in` names {word!r}, which is no rule and no group of rules; "
                "`agentdyno conform --list` shows them"
            )
        rules |= meant
    return rules
