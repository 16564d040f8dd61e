"""What goes wrong at another machine: a reason for its row, never the end of the others."""

import contextlib
from collections.abc import Callable, Iterator

from edge_bench.bench.errors import EdgeBenchError

__all__ = ["Cancelled", "EngineLost", "EngineTrouble", "engine_trouble", "one_line", "remedy_for"]


class EngineTrouble(EdgeBenchError):
    """An engine refused, or what came from it cannot be used; the reason is its row."""


class EngineLost(EngineTrouble):
    """The engine did not answer; what runs there may go on, and a resume finds it."""


class Cancelled(EngineTrouble):
    """The person stopped it."""


@contextlib.contextmanager
def engine_trouble(what: str, explain: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Turns whatever the SDK and its transport raise into EngineTrouble or EngineLost: "``what``: reason".

    ``explain`` may know more than the transport, as ssh's own words.
    """
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    lost = (
        requests.exceptions.ConnectionError, requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError, OSError,
    )  # fmt: skip
    try:
        yield
    except docker.errors.APIError as cause:
        said = one_line(cause.explanation or str(cause))
        raise EngineTrouble(f"{what}: {said}", remedy_for(said)) from cause
    except lost as cause:
        if cancelled := _within(cause, Cancelled):
            raise cancelled from None
        said = explain() or _transport(cause)
        raise EngineLost(f"{what}: {said}", remedy_for(said)) from cause
    except docker.errors.DockerException as cause:
        said = explain() or (_transport(cause) if cause.__cause__ or cause.__context__ else one_line(cause))
        raise EngineLost(f"{what}: {said}", remedy_for(said)) from cause


def one_line(text: object, most: int = 300) -> str:
    """Printable, and short enough for a row: what engines say is not ours."""
    return "".join(c if c.isprintable() else " " for c in " ".join(str(text).split()))[:most]


def _within(error: BaseException | None, kind: type[Cancelled]) -> Cancelled | None:
    """The cancellation that a transport has wrapped in an error of its own."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return error
        for argument in error.args:
            if isinstance(argument, kind):
                return argument
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _transport(cause: BaseException) -> str:
    """The reason at the bottom of what requests and urllib3 wrap in each other."""
    found: BaseException | None = cause
    for _ in range(10):
        if found is None:
            break
        if isinstance(found, TimeoutError) or "timed out" in str(found).lower():
            return "no answer in time"
        if isinstance(found, OSError) and found.strerror:
            return one_line(found.strerror)
        below = next((argument for argument in found.args if isinstance(argument, BaseException)), None)
        reason = getattr(found, "reason", None)
        found = below or (reason if isinstance(reason, BaseException) else None) or found.__cause__ or found.__context__
    return "the connection broke off"


def remedy_for(said: str) -> str:
    """What to do about the reasons that are met most."""
    low = said.lower()
    for sign, remedy in _REMEDIES.items():
        if sign in low:
            return remedy
    return ""


_REMEDIES = {
    "no space left": "make room there: `docker system df` shows what Docker holds",
    "exec format error": "install QEMU's emulation there, or ask for its own platform",
    "permission denied (publickey": "give that machine your public key: ssh-copy-id",
    "host key verification failed": "connect once by hand with ssh, and look at its key",
    "could not resolve hostname": "check the name",
    "permission denied": "add the user to the group docker there",
    "certificate verify failed": "ca.pem has to be the engine's authority, and its certificate for this address",
    "alert": "the engine does not take cert.pem: its authority has to have signed it",
    "connection refused": "start Docker there, or check the address",
    "no engine answers": "start Docker there, or name its socket: ssh://user@host/path/to/docker.sock",
    "no such file or directory": "start Docker there, or name its socket: ssh://user@host/path/to/docker.sock",
    "administratively prohibited": "allow AllowStreamLocalForwarding in its sshd_config",
}
