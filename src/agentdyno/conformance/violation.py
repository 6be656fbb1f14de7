"""What a case raises in place of its evidence."""


class RuleViolation(Exception):
    """The runtime did not do as the rule says; the message is the evidence, in one line."""


class NotPossible(Exception):
    """This machine or the manifest gives no occasion for the case; the message says what is missing."""


def require(holds: bool, evidence: str) -> None:
    """Raise RuleViolation with the evidence unless the condition holds."""
    if not holds:
        raise RuleViolation(evidence)
