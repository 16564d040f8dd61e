"""How a training gets its other workers: they are started elsewhere by people, or here by this process."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from edge_bench.app.training.distributed.cluster import Cluster, free_addresses, listening
from edge_bench.app.training.distributed.collective import Collective, LostWorker, connect_workers
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import Progress

__all__ = ["WorkerGroup", "process_end", "worker_group"]

#: The only variables of ours that a worker started here takes over; all else it is told by the chief.
_KEPT = {"EDGE_BENCH_DATA", "EDGE_BENCH_CACHE", "EDGE_BENCH_FASHION_MNIST_URL"}
_END_SECONDS = 30.0


@dataclass
class _ProcessEnd:
    abrupt: bool = False


#: Read by the entry point: whether this process must end without tidying up, since TensorFlow's own end would wait for
#: workers that are gone, up to their heartbeats' time.
process_end = _ProcessEnd()


class WorkerGroup:
    """The other workers, before they are met. ``here`` is whether this process starts them."""

    def __init__(self, cluster: Cluster, wait: float, progress: Progress, *, here: bool) -> None:
        self.cluster = cluster
        self.here = here
        self.connected = False
        self._wait = wait
        self._progress = progress
        self._port = contextlib.ExitStack()
        self._logs = contextlib.ExitStack()
        self._started: list[tuple[int, subprocess.Popen[bytes], IO[bytes]]] = []

    def reserve_port(self) -> None:
        """Takes this worker's port; BadInput where something else has it."""
        self._port.enter_context(listening(self.cluster))

    def connect(self, data: list[str]) -> Collective:
        """All workers together. ``data`` are options that say where those started here find the data set."""
        for number in self.cluster.others if self.here else []:
            self._start(number, data)
        team = connect_workers(self.cluster, self._port, self._wait, self._progress, self._all_alive)
        self.connected = True
        return team

    def release(self) -> None:
        """Ends the workers started here, which end by themselves where all went well."""
        self._port.close()
        for _, process, _ in self._started:
            if sys.exc_info()[0] is not None:
                process.kill()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._logs.close()

    def failure_reason(self) -> str:
        """What a worker started here said when it failed, or nothing."""
        for number, process, log in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if process.wait(2.0) != 0:
                    return f"{self.cluster.name(number)} {_ended(process.returncode, log)}"
        return ""

    def _start(self, number: int, data: list[str]) -> None:
        log = self._logs.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        workers = ["--workers", ",".join(self.cluster.addresses), "--worker", str(number)]
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_bench", "train", *workers, "--wait", str(self._wait), "--quiet", *data],
            env={name: value for name, value in os.environ.items() if _passed_on(name)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        self._started.append((number, process, log))

    def _all_alive(self) -> None:
        if any(process.poll() is not None for _, process, _ in self._started):
            raise EdgeBenchError(self.failure_reason() or "a worker ended before the training began", "run it again")


def _passed_on(name: str) -> bool:
    return name in _KEPT or not name.startswith("EDGE_BENCH_")


def _ended(code: int, log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read()[-10_000:].decode(errors="replace").splitlines()
    said = next((line.removeprefix("error:").strip() for line in reversed(lines) if line.startswith("error:")), "")
    return f"ended: {said}" if said else f"was killed (signal {-code})" if code < 0 else f"ended with exit code {code}"


@contextlib.contextmanager
def worker_group(cluster: Cluster | int | None, wait: float, progress: Progress) -> Iterator[WorkerGroup | None]:
    """The company of a cluster, or of so many workers here; None for None. Its port is held from now on."""
    if cluster is None:
        yield None
        return
    here = isinstance(cluster, int)
    found = WorkerGroup(
        Cluster(free_addresses(cluster), 0) if isinstance(cluster, int) else cluster, wait, progress, here=here
    )
    found.reserve_port()
    try:
        yield found
    except LostWorker as lost:
        if words := found.failure_reason():
            raise LostWorker(words, lost.remedy) from None
        raise
    finally:
        process_end.abrupt = found.connected
        found.release()
