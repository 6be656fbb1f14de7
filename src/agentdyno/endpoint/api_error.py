"""Errors in the form that OpenAI's API gives them."""

import json


class ApiError(Exception):
    """A request that gets an error object instead of a completion.

    The form is `{"error": {"message", "type", "param", "code"}}`, as in OpenAI's API reference. `allow` is
    the method that goes into the `Allow` header of a 405.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        allow: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code
        self.allow = allow

    def body(self) -> bytes:
        """The error object, as JSON."""
        error = {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}).encode()
