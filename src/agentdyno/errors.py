"""The error that agentdyno shows to its user."""


class UserError(Exception):
    """The request is impossible because of the user's input or of this machine.

    The message is one line (or one paragraph) that says what is wrong, where, and what to do. The command
    line prints the message without a traceback and exits with `status`.
    """

    def __init__(self, message: str, *, status: int = 2) -> None:
        super().__init__(message)
        self.status = status
