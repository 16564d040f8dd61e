"""The cluster of a distributed training: all workers' addresses and this process's index. Needs no TensorFlow.

Worker 0 is the *chief*: only it writes the bundle. The cluster is described by ``--workers`` and ``--worker-index``, or
by TF_CONFIG, TensorFlow's own variable, which job schedulers set.
"""

import contextlib
import errno
import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.addresses import host_and_port
from edge_bench.bench.progress import Progress, time_limit

__all__ = ["CHIEF", "Cluster", "free_addresses", "listening", "stated_cluster", "wait_for_others", "wait_until_stopped"]

CHIEF = 0
#: Seconds between two attempts to connect to a worker, and the timeout of one attempt.
_RETRY_SECONDS = 0.25
_CONNECT_SECONDS = 2.0
_EXAMPLE = "for example --workers desk:2222,loft:2222 --worker-index 0 on desk and --worker-index 1 on loft"


class Cluster(msgspec.Struct, frozen=True):
    """``host:port`` of every worker, in the same order at every worker, and the index of this process."""

    addresses: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the bundle."""
        return self.index == CHIEF

    @property
    def others(self) -> list[int]:
        """Numbers of all workers except this process."""
        return [number for number in range(len(self.addresses)) if number != self.index]

    @property
    def port(self) -> int:
        """The port that this process listens on."""
        return _parse_address(self.addresses[self.index])[1]

    def name(self, number: int) -> str:
        """Return the name of a worker for messages."""
        return f"worker {number} ({self.addresses[number]})"

    def tf_config(self) -> str:
        """Return the value of TF_CONFIG, TensorFlow's form of this record."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def stated_cluster(workers: str | None, worker: int | None, environment: Mapping[str, str]) -> Cluster | int | None:
    """Return the cluster of ``--workers`` and ``--worker-index``, or else of TF_CONFIG.

    If ``--workers`` is a number, return it: the number of local processes. Return None if there is only one
    worker. Raise BadInput if the options or TF_CONFIG describe no valid cluster.
    """
    if workers is None:
        if worker is not None:
            raise BadInput("--worker-index is given without --workers", _EXAMPLE)
        return _from_tf_config(environment.get("TF_CONFIG", ""))
    if re.fullmatch(r"\s*[0-9]{1,6}\s*", workers):
        return _local_worker_count(int(workers), worker)
    addresses = tuple(part.strip() for part in workers.split(",") if part.strip())
    for address in addresses:
        _parse_address(address)
    if len(set(addresses)) < max(len(addresses), 2):
        raise BadInput(f"--workers {workers!r}: needs at least two different addresses", _EXAMPLE)
    if worker is None or not 0 <= worker < len(addresses):
        raise BadInput(
            f"--worker-index must be the position of this machine in the {len(addresses)} --workers, counted from 0",
            _EXAMPLE,
        )
    return Cluster(addresses, worker)


def free_addresses(count: int) -> tuple[str, ...]:
    """Return loopback addresses whose ports are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)


@contextlib.contextmanager
def listening(cluster: Cluster) -> Iterator[None]:
    """Listen on this worker's port, so that the others can detect it. Raise BadInput if the port is in use.

    No data is sent on these connections. TensorFlow's server opens the port after this one has closed it.
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
                "stop the program that uses it, or choose another port in --workers of all workers",
            ) from None
        server.listen(64)
        yield


def wait_for_others(cluster: Cluster, seconds: float, progress: Progress, check: Callable[[], None]) -> None:
    """Return when every other worker accepts connections. Raise EdgeBenchError if some do not after ``seconds``.

    ``check`` is called between two attempts and may raise.
    """
    deadline = time.monotonic() + seconds
    missing = dict.fromkeys(cluster.others, "")
    announced = False
    while True:
        missing = {number: error for number in missing if (error := _connection_error(cluster.addresses[number]))}
        if not missing:
            return
        check()
        if time.monotonic() >= deadline:
            first = next(iter(missing))
            others = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise EdgeBenchError(
                f"{cluster.name(first)} cannot be reached after {time_limit(seconds)}: {missing[first]}{others}",
                "start it with the same --workers and its own --worker-index, check its address and firewalls, or wait "
                "longer with --wait",
            )
        if not announced:
            progress.say("waiting for " + ", ".join(cluster.name(number) for number in missing))
            announced = True
        time.sleep(_RETRY_SECONDS)


def wait_until_stopped(cluster: Cluster, seconds: float) -> None:
    """Return when all other workers have stopped accepting connections, or after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(_connection_error(cluster.addresses[n]) for n in cluster.others):
        time.sleep(_RETRY_SECONDS)


def _local_worker_count(count: int, worker: int | None) -> int | None:
    if count < 1:
        raise BadInput("--workers 0: at least one worker is needed", _EXAMPLE)
    if worker is not None:
        raise BadInput(
            f"--worker-index is not used with --workers {count}, which starts all workers on this machine", _EXAMPLE
        )
    return count if count > 1 else None


def _parse_address(address: str) -> tuple[str, int]:
    try:
        return host_and_port(address)
    except ValueError as cause:
        raise BadInput(f"--workers: {address[:200]!r} is not host:port: it has {cause}", _EXAMPLE) from None


def _from_tf_config(text: str) -> Cluster | None:
    """Return the cluster of TF_CONFIG. Workers of its job ``chief``, if any, precede those of its job ``worker``."""
    if not text.strip():
        return None
    remedy = "unset it, correct it, or use --workers and --worker-index instead"
    try:
        config: dict[str, Any] = json.loads(text)
        jobs: dict[str, list[str]] = config.get("cluster", {})
        if not jobs:
            return None
        job, number = str(config["task"]["type"]), int(config["task"]["index"])
        addresses = jobs.get("chief", []) + jobs.get("worker", [])
        index = number + (len(jobs.get("chief", [])) if job == "worker" else 0)
        if set(jobs) - {"chief", "worker"} or job not in jobs or not 0 <= number < len(jobs[job]):
            raise ValueError("its jobs must be chief and worker, and its task one of them")
        for address in addresses:
            _parse_address(address)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, BadInput) as cause:
        raise BadInput(
            f"the environment variable TF_CONFIG is not a valid cluster: {str(cause)[:200]}", remedy
        ) from None
    return Cluster(tuple(addresses), index) if len(addresses) > 1 else None


def _connection_error(address: str) -> str:
    """Return why a connection to the address fails; empty if it succeeds."""
    try:
        with socket.create_connection(_parse_address(address), timeout=_CONNECT_SECONDS):
            return ""
    except socket.gaierror:
        return "unknown host name"
    except TimeoutError:
        return "no answer"
    except OSError as cause:
        return cause.strerror or str(cause)
