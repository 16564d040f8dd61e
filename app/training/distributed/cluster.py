"""Who trains together: the addresses of all workers and which of them this process is. Nothing here needs TensorFlow.

Worker 0 is the *chief*: it alone writes the bundle. ``--workers`` and ``--worker`` say it, or TF_CONFIG, which is
TensorFlow's own way and what job schedulers set.
"""

import contextlib
import errno
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.progress import Progress

__all__ = ["CHIEF", "Cluster", "free_addresses", "listening", "stated_cluster", "wait_for_others", "wait_until_gone"]

CHIEF = 0
#: Between two attempts to reach a worker, and for one attempt.
_RETRY_SECONDS = 0.25
_CONNECT_SECONDS = 2.0
_EXAMPLE = "say, --workers desk:2222,loft:2222 --worker 0 on desk and --worker 1 on loft"


class Cluster(msgspec.Struct, frozen=True):
    """``host:port`` of every worker, in an order that is the same for all, and this process's place in it."""

    addresses: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the bundle."""
        return self.index == CHIEF

    @property
    def others(self) -> list[int]:
        """Numbers of the workers that are not this process."""
        return [number for number in range(len(self.addresses)) if number != self.index]

    @property
    def port(self) -> int:
        """The port that this process listens on."""
        return _parted(self.addresses[self.index])[1]

    def name(self, number: int) -> str:
        """A worker as an error names it."""
        return f"worker {number} ({self.addresses[number]})"

    def tf_config(self) -> str:
        """The same for TensorFlow: the value of TF_CONFIG."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def stated_cluster(workers: str | None, worker: int | None, environment: Mapping[str, str]) -> Cluster | int | None:
    """What ``--workers`` and ``--worker``, or else TF_CONFIG, say: a cluster, a count of processes here, or None.

    One worker is as good as none. BadInput for anything that is not a cluster of at least two.
    """
    if workers is None:
        if worker is not None:
            raise BadInput("--worker says which of --workers this one is, but that is missing", _EXAMPLE)
        return _from_tf_config(environment.get("TF_CONFIG", ""))
    if workers.strip().isdecimal():
        return _local(int(workers), worker)
    addresses = tuple(part.strip() for part in workers.split(",") if part.strip())
    for address in addresses:
        _parted(address)
    if len(set(addresses)) < max(len(addresses), 2):
        raise BadInput(f"--workers {workers!r}: two or more different addresses are needed", _EXAMPLE)
    if worker is None or not 0 <= worker < len(addresses):
        raise BadInput(
            f"--worker must say which of the {len(addresses)} --workers this one is, counted from 0", _EXAMPLE
        )
    return Cluster(addresses, worker)


def free_addresses(count: int) -> tuple[str, ...]:
    """Loopback addresses with ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)


@contextlib.contextmanager
def listening(cluster: Cluster) -> Iterator[None]:
    """Holds this worker's port, so that the others see that it is there; BadInput where something else has it.

    Nothing is said on these connections. TensorFlow's server takes the port over as soon as this one lets it go.
    """
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("", cluster.port))
        except OSError as cause:
            taken = cause.errno == errno.EADDRINUSE
            raise BadInput(
                f"port {cluster.port} of {cluster.name(cluster.index)} "
                + ("is in use on this machine" if taken else f"cannot be opened: {cause.strerror}"),
                "stop what uses it, or give all workers the same --workers with another port",
            ) from None
        server.listen(64)
        yield


def wait_for_others(cluster: Cluster, seconds: float, progress: Progress, watch: Callable[[], None]) -> None:
    """Returns when every other worker can be reached; EdgeBenchError names those that cannot after ``seconds``.

    ``watch`` is called meanwhile, and may raise.
    """
    until = time.monotonic() + seconds
    missing = dict.fromkeys(cluster.others, "")
    said = False
    while True:
        missing = {number: why for number in missing if (why := _unreachable(cluster.addresses[number]))}
        if not missing:
            return
        watch()
        if time.monotonic() >= until:
            first = next(iter(missing))
            others = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise EdgeBenchError(
                f"{cluster.name(first)} is not there after {seconds:g} s: {missing[first]}{others}",
                "start it with the same --workers and its own --worker; check the address, and that no firewall is "
                "between; --wait waits longer",
            )
        if not said:
            progress.say("waiting for " + ", ".join(cluster.name(number) for number in missing))
            said = True
        time.sleep(_RETRY_SECONDS)


def wait_until_gone(cluster: Cluster, seconds: float) -> None:
    """Returns when no other worker listens any more, or after ``seconds``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not all(_unreachable(cluster.addresses[number]) for number in cluster.others):
        time.sleep(_RETRY_SECONDS)


def _local(count: int, worker: int | None) -> int | None:
    if count < 1:
        raise BadInput("--workers 0: at least one has to work", _EXAMPLE)
    if worker is not None:
        raise BadInput(f"--workers {count} starts all of them here; --worker is for addresses", _EXAMPLE)
    return count if count > 1 else None


def _parted(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host.strip("[]") or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise BadInput(f"--workers: {address!r} is no host:port", _EXAMPLE)
    return host.strip("[]"), int(port)


def _from_tf_config(text: str) -> Cluster | None:
    """The cluster in TF_CONFIG, whose job ``chief``, where there is one, comes before its job ``worker``."""
    if not text.strip():
        return None
    remedy = "unset it, or set it as TensorFlow describes it; --workers and --worker need none"
    try:
        config: dict[str, Any] = json.loads(text)
        jobs: dict[str, list[str]] = config.get("cluster", {})
        if not jobs:
            return None
        job, number = str(config["task"]["type"]), int(config["task"]["index"])
        known = jobs.get("chief", []) + jobs.get("worker", [])
        index = number + (len(jobs.get("chief", [])) if job == "worker" else 0)
        if set(jobs) - {"chief", "worker"} or job not in jobs or not 0 <= number < len(jobs[job]):
            raise ValueError("only chief and worker can train, and the task must be one of them")
        for address in known:
            _parted(address)
    except (ValueError, KeyError, TypeError, AttributeError, BadInput) as cause:
        raise BadInput(f"TF_CONFIG in the environment describes no cluster of workers: {cause}", remedy) from None
    return Cluster(tuple(known), index) if len(known) > 1 else None


def _unreachable(address: str) -> str:
    """Why nobody can be reached there, or nothing."""
    try:
        with socket.create_connection(_parted(address), timeout=_CONNECT_SECONDS):
            return ""
    except socket.gaierror:
        return "nobody knows that name"
    except TimeoutError:
        return "no answer"
    except OSError as cause:
        return cause.strerror or str(cause)
