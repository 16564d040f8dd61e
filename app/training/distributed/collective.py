"""Collective operations of connected workers, and the detection of lost workers.

All data goes through the collective operations of TensorFlow's MultiWorkerMirroredStrategy (gRPC between the workers).
So do messages: separate TCP connections would need their own identification, keepalive and detection of lost workers.
TensorFlow's coordination service detects within seconds a worker that died (its connections close) or does not answer
(its heartbeats stop). It then aborts the collective operations of the others, which raises an exception here.
"""

import contextlib
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.training.distributed.cluster import CHIEF, Cluster, wait_for_others, wait_until_stopped
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import Progress
from edge_bench.bench.wording import counted

__all__ = ["Collective", "LostWorker", "connect_workers", "lost_worker"]

#: Every worker was reached before, so this normally takes less than a second. Slow machines need longer.
_STRATEGY_SECONDS = 120.0
_EXIT_SECONDS = 10.0

Array = npt.NDArray[Any]


class LostWorker(EdgeBenchError):
    """Another worker ended or can no longer be reached."""


class Collective:
    """Operations that all workers call together. They raise LostWorker if another worker is lost."""

    def __init__(self, strategy: Any, cluster: Cluster) -> None:
        self.strategy = strategy
        self.cluster = cluster
        self._sum = _sum_function(strategy)

    @property
    def size(self) -> int:
        """Number of workers."""
        return len(self.cluster.addresses)

    def all_reduce(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the sums over all workers, whose arrays must have the same shapes and dtypes."""
        # one float64 vector, so that all arrays need a single operation
        flat = np.concatenate([array.ravel().astype(np.float64) for array in arrays])
        with lost_worker(self.cluster):
            sums = np.asarray(self._sum(flat))
        parts = np.split(sums, np.cumsum([array.size for array in arrays])[:-1])
        return [part.astype(array.dtype).reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]

    def broadcast(self, arrays: Sequence[Array]) -> list[Array]:
        """Return the chief's arrays. The other workers pass arrays of the same shapes and dtypes."""
        return self.all_reduce(arrays if self.cluster.is_chief else [np.zeros_like(array) for array in arrays])

    def all_gather(self, message: bytes = b"") -> list[bytes]:
        """Return the messages of all workers by number. At least one message must not be empty."""
        lengths = np.zeros(self.size, np.int32)
        lengths[self.cluster.index] = len(message)
        (lengths,) = self.all_reduce([lengths])
        # each worker fills its own row and adds zeros to the others
        rows = np.zeros((self.size, lengths.max()), np.uint8)
        rows[self.cluster.index, : len(message)] = np.frombuffer(message, np.uint8)
        (rows,) = self.all_reduce([rows])
        return [row[:length].tobytes() for row, length in zip(rows, lengths, strict=True)]

    def finish(self) -> None:
        """Wait until all workers have called this. The chief then waits until the others have stopped.

        The last operation needs all workers, so the chief exits last. It ignores a lost worker, since the bundle is
        already written.
        """
        if not self.cluster.is_chief:
            self._barrier()
            return
        with contextlib.suppress(LostWorker):
            self._barrier()
        wait_until_stopped(self.cluster, _EXIT_SECONDS)

    def _barrier(self) -> None:
        self.all_reduce([np.zeros(1)])


def _sum_function(strategy: Any) -> Callable[[Array], Any]:
    import tensorflow as tf

    def on_replica(values: Any) -> Any:
        # all_reduce needs the tensor's device, which function arguments do not have
        return tf.distribute.get_replica_context().all_reduce("sum", tf.identity(values))

    function: Callable[[Array], Any] = tf.function(
        lambda values: strategy.run(on_replica, args=(values,)),
        input_signature=[tf.TensorSpec((None,), tf.float64)],
        autograph=False,
    )
    return function


def connect_workers(
    cluster: Cluster, port: contextlib.ExitStack, wait: float, progress: Progress, check: Callable[[], None]
) -> Collective:
    """Wait up to ``wait`` seconds for all workers, and connect them. TensorFlow must not have been used before.

    Closing ``port`` frees this worker's port for TensorFlow's server. ``check`` is called while waiting and may raise.
    Raise EdgeBenchError if a worker is missing, or if workers and devices differ in number.
    """
    wait_for_others(cluster, wait, progress, check)
    os.environ["TF_CONFIG"] = cluster.tf_config()
    port.close()
    strategy = _create_strategy(cluster)
    if strategy.num_replicas_in_sync != len(cluster.addresses):
        raise EdgeBenchError(
            f"{strategy.num_replicas_in_sync} devices for {counted(len(cluster.addresses), 'worker')}: "
            f"each needs exactly one",
            "set CUDA_VISIBLE_DEVICES to one device per worker, or to -1 for the CPU",
        )
    progress.say(f"{cluster.name(cluster.index)} of {len(cluster.addresses)}: all workers are connected")
    return Collective(strategy, cluster)


def _create_strategy(cluster: Cluster) -> Any:
    """Create the strategy in a thread, since TensorFlow's wait for the cluster has no timeout and ignores signals."""
    import tensorflow as tf

    results: list[Any] = []

    def create() -> None:
        try:
            results.append(tf.distribute.MultiWorkerMirroredStrategy())
        except Exception as cause:
            results.append(cause)

    thread = threading.Thread(target=create, daemon=True)
    thread.start()
    for _ in range(int(_STRATEGY_SECONDS / 0.1)):
        thread.join(0.1)
        _restore_sigterm_handler()
        if results:
            break
    if not results or isinstance(results[0], Exception):
        reason = str(results[0]).strip().splitlines()[0][:160] if results else "no response from TensorFlow's servers"
        raise EdgeBenchError(
            f"the {len(cluster.addresses)} workers could not connect: {reason}",
            "start all with the same --workers in the same order, each with its own --worker-index",
        )
    return results[0]


def _restore_sigterm_handler() -> None:
    """Undo TensorFlow's SIGTERM handler: its coordination service takes the signal as a preemption notice."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


@contextlib.contextmanager
def lost_worker(cluster: Cluster) -> Iterator[None]:
    """Raise LostWorker, with the worker's name, for TensorFlow's errors about a lost worker."""
    import tensorflow as tf

    errors = tf.errors
    lost_errors = (
        errors.UnavailableError, errors.DeadlineExceededError, errors.AbortedError, errors.CancelledError,
        errors.FailedPreconditionError, errors.InternalError, errors.UnknownError,
    )  # fmt: skip
    try:
        yield
    except lost_errors as cause:
        tasks = [int(task) for task in re.findall(r"task:(\d+)", str(cause)) if int(task) in cluster.others]
        lost = tasks[0] if tasks else CHIEF if not cluster.is_chief else cluster.others[0]
        raise LostWorker(
            f"{cluster.name(lost)} is lost: it ended or no longer responds",
            "see its last message. To continue after the last complete epoch, start all workers again, the chief with "
            "--resume",
        ) from None
