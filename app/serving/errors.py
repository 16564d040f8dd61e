"""Errors that a client receives: an HTTP status and a message."""

import re

import msgspec

__all__ = ["RequestError", "shown"]

_MAX_CHARACTERS = 500
#: Python's default representation of objects: <_io.BytesIO object at 0x7f2a14c3b1a0>.
_OBJECT = re.compile(r"<[^<>]{0,200} at 0x[0-9a-fA-F]+[^<>]{0,200}>|\b0x[0-9a-fA-F]{6,}\b")


class RequestError(Exception):
    """Error response to a request. ``retry_after`` is in seconds, and None if a retry cannot succeed.

    The message has at most 500 characters and no memory addresses, which libraries print for objects.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        self.message = _OBJECT.sub("the data", message)[:_MAX_CHARACTERS]
        super().__init__(self.message)
        self.status, self.retry_after = status, retry_after

    @property
    def json(self) -> bytes:
        """The body of the response."""
        return msgspec.json.encode({"error": self.message})


def shown(value: object) -> str:
    """Return a value of a request as JSON, shortened to 40 characters."""
    return msgspec.json.encode(value).decode()[:40]
