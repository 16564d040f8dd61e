"""Errors of one engine. Each is reported in that engine's row and never stops the other engines."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from edge_bench.bench.errors import EdgeBenchError

__all__ = [
    "BadAnswer",
    "Cancelled",
    "EngineLost",
    "EngineTrouble",
    "engine_trouble",
    "one_line",
    "remedy_for",
    "stated_number",
    "without_file",
]


_Wrapped = TypeVar("_Wrapped", bound=BaseException)
_LOOK_THERE = "check that machine"


class EngineTrouble(EdgeBenchError):
    """An engine refused a request, or its data cannot be used."""


class EngineLost(EngineTrouble):
    """The engine did not answer. Its containers may still run, and ``--resume`` finds them."""

    @property
    def waiting(self) -> str:
        """The status while the connection is being restored."""
        return f"lost ({self.problem}); waiting until it is reachable again"


class Cancelled(EngineTrouble):
    """The user stopped the command."""

    def __init__(self) -> None:
        super().__init__("interrupted", "continue with --resume")


class BadAnswer(ValueError):
    """A response of an engine that is too large, too slow or malformed."""


@contextlib.contextmanager
def engine_trouble(what: str, explain: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Raise errors of the SDK and its transport as EngineTrouble or EngineLost with the message "``what``: reason".

    ``explain`` may return a better reason than the transport, such as the error message of ssh.
    """
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    connection_errors = (
        requests.exceptions.ConnectionError, requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError, OSError,
    )  # fmt: skip
    try:
        yield
    except EdgeBenchError:
        raise
    except docker.errors.APIError as cause:
        reason = without_file(one_line(cause.explanation or str(cause)))
        raise EngineTrouble(f"{what}: {reason}", remedy_for(reason)) from cause
    except connection_errors as cause:
        if cancelled := _wrapped(cause, Cancelled):
            raise cancelled from None
        reason = explain() or _transport_reason(cause)
        raise EngineLost(f"{what}: {reason}", remedy_for(reason)) from cause
    except docker.errors.DockerException as cause:
        if bad := _wrapped(cause, BadAnswer):
            raise EngineTrouble(f"{what}: {bad}", _LOOK_THERE) from cause
        wraps = cause.__cause__ or cause.__context__
        reason = explain() or (_transport_reason(cause) if wraps else one_line(cause))
        raise EngineLost(f"{what}: {reason}", remedy_for(reason)) from cause
    except Exception as cause:  # the SDK does not check the form of responses, so it may raise any error
        unexpected = f"its response is not a valid Docker response ({type(cause).__name__})"
        raise EngineTrouble(f"{what}: {cause if isinstance(cause, BadAnswer) else unexpected}", _LOOK_THERE) from cause


def one_line(text: object, max_length: int = 300) -> str:
    """Return untrusted text as one printable line of at most ``max_length`` characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join(str(text).split()))[:max_length]


def without_file(reason: str) -> str:
    """Return an engine's message; of a full disk only the cause: the name of the file is long and explains nothing."""
    return "no space left on its disk" if "no space left" in reason.lower() else reason


def stated_number(value: object) -> int:
    """Return a number from an engine's response; 0 if it is not an integer from 0 to 2**60."""
    return value if isinstance(value, int) and 0 <= value <= 1 << 60 else 0


def _wrapped(error: BaseException | None, kind: type[_Wrapped]) -> _Wrapped | None:
    """Return the error of a kind that a transport or the SDK has wrapped in its own error."""
    for _ in range(10):
        if error is None:
            break
        for candidate in (error, *error.args):
            if isinstance(candidate, kind):
                return candidate
        error = error.__cause__ or error.__context__
    return None


def _transport_reason(error: BaseException | None) -> str:
    """Return the innermost reason of the errors that requests and urllib3 wrap in each other."""
    for _ in range(10):
        if error is None:
            break
        if isinstance(error, TimeoutError) or "timed out" in str(error).lower():
            return "no response in time"
        if isinstance(error, OSError) and error.strerror:
            return one_line(error.strerror)
        inner = next((argument for argument in error.args if isinstance(argument, BaseException)), None)
        reason = getattr(error, "reason", None)
        error = inner or (reason if isinstance(reason, BaseException) else None) or error.__cause__ or error.__context__
    return "the connection was lost"


def remedy_for(reason: str) -> str:
    """Return the remedy for a frequent error message, otherwise an empty string."""
    reason = reason.lower()
    return next((remedy for fragment, remedy in _REMEDIES.items() if fragment in reason), "")


_FREE_DISK = "free disk space there: `docker system df` shows what Docker uses"
_START_DOCKER = "start Docker there, or add its socket to the address: ssh://user@host/path/to/docker.sock"
_REMEDIES = {
    "no space left": _FREE_DISK,
    "exec format error": "install QEMU emulation there, or use its native platform",
    "permission denied (publickey": "copy your public key to that machine with ssh-copy-id",
    "host key verification failed": "connect once manually with ssh and check its host key",
    "could not resolve hostname": "check the host name",
    "permission denied": "add the user to the group docker there",
    "certificate verify failed": "ca.pem must be the engine's authority, and its certificate must name this address",
    "alert": "the engine rejects cert.pem: it must be signed by the engine's authority",
    "connection refused": "start Docker there, or check the address",
    "no engine answers": _START_DOCKER,
    "no such file or directory": _START_DOCKER,
    "administratively prohibited": "allow AllowStreamLocalForwarding in its sshd_config",
}
