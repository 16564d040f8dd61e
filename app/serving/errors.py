"""Errors that a client receives: an HTTP status and a message."""

__all__ = ["RequestError"]


class RequestError(Exception):
    """Error response to a request. ``retry_after`` is in seconds, and None if a retry cannot succeed."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after
