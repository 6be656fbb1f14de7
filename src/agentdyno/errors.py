"""The one way in which agentdyno refuses something."""


class UserError(Exception):
    """Something the user gave, or this machine lacks, makes the request impossible.

    The message is one line (or one paragraph) that says what, where and what to do. The command line
    prints it without a traceback and exits with `status`.
    """

    def __init__(self, message: str, *, status: int = 2) -> None:
        super().__init__(message)
        self.status = status
