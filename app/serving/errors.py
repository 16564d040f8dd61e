"""Why a request gets no answer: an HTTP status and a sentence."""

__all__ = ["RequestError"]


class RequestError(Exception):
    """What the client is told; with ``retry_after`` seconds where trying again makes sense."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after
