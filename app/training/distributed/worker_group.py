"""The other workers of a training: started by this process or on other machines."""

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
from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.progress import Progress

__all__ = ["WorkerGroup", "process_end", "worker_group"]

#: The only EDGE_BENCH_ variables that a local worker inherits. It receives everything else from the chief.
_INHERITED = {"EDGE_BENCH_DATA", "EDGE_BENCH_CACHE", "EDGE_BENCH_FASHION_MNIST_URL"}
_EXIT_SECONDS = 30.0


@dataclass
class _ProcessEnd:
    abrupt: bool = False


#: Read by the entry point: whether this process must exit without cleanup. TensorFlow's cleanup would wait until the
#: heartbeats of lost workers time out.
process_end = _ProcessEnd()


class WorkerGroup:
    """The other workers and their connection. If ``local``, this process starts them."""

    def __init__(self, cluster: Cluster, wait: float, progress: Progress, *, local: bool) -> None:
        self.cluster = cluster
        self.local = local
        self.connected = False
        self._wait = wait
        self._progress = progress
        self._port = contextlib.ExitStack()
        self._logs = contextlib.ExitStack()
        self._processes: list[tuple[int, subprocess.Popen[bytes], IO[bytes]]] = []

    def reserve_port(self) -> None:
        """Listen on this worker's port. Raise BadInput if it is in use."""
        self._port.enter_context(listening(self.cluster))

    def connect(self, data_options: list[str]) -> Collective:
        """Connect all workers, after starting the local ones with ``data_options``, the location of the data set."""
        for number in self.cluster.others if self.local else []:
            self._start(number, data_options)
        collective = connect_workers(self.cluster, self._port, self._wait, self._progress, self._check_processes)
        self.connected = True
        return collective

    def stop(self) -> None:
        """Wait for the local workers to exit. Kill them if an exception is being handled or they take too long."""
        self._port.close()
        for _, process, _ in self._processes:
            if sys.exc_info()[0] is not None:
                process.kill()
            try:
                process.wait(_EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._logs.close()

    def failure_reason(self) -> str:
        """Return how a local worker failed, or an empty string."""
        for number, process, log in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if process.wait(2.0) != 0:
                    return f"{self.cluster.name(number)} {_exit_description(process.returncode, log)}"
        return ""

    def _start(self, number: int, data_options: list[str]) -> None:
        log = self._logs.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        options = ["--workers", ",".join(self.cluster.addresses), "--worker-index", str(number), *data_options]
        process = subprocess.Popen(
            [*module_command("edge_bench"), "train", *options, "--wait", str(self._wait), "--quiet"],
            env=module_environment({name: value for name, value in os.environ.items() if _is_inherited(name)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        self._processes.append((number, process, log))

    def _check_processes(self) -> None:
        if any(process.poll() is not None for _, process, _ in self._processes):
            raise EdgeBenchError(self.failure_reason() or "a worker ended before the training started", "run it again")


def _is_inherited(name: str) -> bool:
    return name in _INHERITED or not name.startswith("EDGE_BENCH_")


def _exit_description(code: int, log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read()[-10_000:].decode(errors="replace").splitlines()
    if error := next((line.removeprefix("error:").strip() for line in lines[::-1] if line.startswith("error:")), ""):
        return f"ended: {error}"
    return f"was killed (signal {-code})" if code < 0 else f"ended with exit code {code}"


@contextlib.contextmanager
def worker_group(cluster: Cluster | int | None, wait: float, progress: Progress) -> Iterator[WorkerGroup | None]:
    """Yield the other workers of a cluster, or of a number of local workers, or None for None.

    This worker's port is reserved from the start. ``wait`` is the longest wait for the others, in seconds.
    """
    if cluster is None:
        yield None
        return
    if isinstance(cluster, int):
        group = WorkerGroup(Cluster(free_addresses(cluster), 0), wait, progress, local=True)
    else:
        group = WorkerGroup(cluster, wait, progress, local=False)
    group.reserve_port()
    try:
        yield group
    except LostWorker as lost:
        if reason := group.failure_reason():
            raise LostWorker(reason, lost.remedy) from None
        raise
    finally:
        process_end.abrupt = group.connected
        group.stop()
