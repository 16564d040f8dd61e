"""Workers that have met: TensorFlow's MultiWorkerMirroredStrategy, what is said over it, and what a lost one means.

All that the workers tell each other goes through the strategy's collective operations (gRPC between the workers):
gradients as well as the few bytes of settings at the start. TensorFlow's coordination service notices within seconds
a worker that died (its connections close) or does not answer (its heartbeats stay out), and ends the collectives of
the others, which is an exception here.
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

from edge_bench.app.training.distributed.cluster import CHIEF, Cluster, wait_for_others, wait_until_gone
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import Progress

__all__ = ["Collective", "LostWorker", "connect_workers", "lost_worker"]

#: Everyone has been reached by then, so that it takes a moment; a slow machine may take longer.
_FORMING_SECONDS = 120.0
_LEAVING_SECONDS = 10.0
_ANSWER_BYTES = 512

Array = npt.NDArray[Any]


class LostWorker(EdgeBenchError):
    """Another worker died, or cannot be reached any more."""


class Collective:
    """What all workers do at the same moment, each with its own part. Raises EdgeBenchError where one is lost."""

    def __init__(self, strategy: Any, cluster: Cluster) -> None:
        self.strategy = strategy
        self.cluster = cluster
        self._summed = _sum_over(strategy)

    @property
    def size(self) -> int:
        """How many train together."""
        return len(self.cluster.addresses)

    def all_reduce(self, arrays: Sequence[Array]) -> list[Array]:
        """Sums over all workers; every one has the same shapes and types. They travel as float64: one operation."""
        flat = np.concatenate([array.ravel().astype(np.float64) for array in arrays])
        with lost_worker(self.cluster):
            summed = np.asarray(self._summed(flat))
        parts = np.split(summed, np.cumsum([array.size for array in arrays])[:-1])
        return [part.astype(array.dtype).reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]

    def chief_arrays(self, arrays: Sequence[Array]) -> list[Array]:
        """The chief's arrays; those of the others only say the shapes."""
        return self.all_reduce(arrays if self.cluster.is_chief else [np.zeros_like(array) for array in arrays])

    def broadcast(self, message: bytes = b"") -> bytes:
        """The chief's message, at every worker."""
        (length,) = self.chief_arrays([np.array([len(message)], np.int32)])
        (content,) = self.chief_arrays([np.frombuffer(message.ljust(int(length[0]), b"\0"), np.uint8).astype(np.int32)])
        return content.astype(np.uint8).tobytes()

    def all_gather(self, own: str) -> list[str]:
        """A sentence from each worker, at every worker."""
        written = np.zeros((self.size, _ANSWER_BYTES), np.int32)
        said = own.encode()[:_ANSWER_BYTES]
        written[self.cluster.index, : len(said)] = list(said)
        (all_written,) = self.all_reduce([written])
        return [bytes(row[row > 0].astype(np.uint8)).decode(errors="ignore") for row in all_written]

    def finish(self) -> None:
        """The end of all: the others go when every worker has come this far, the chief when they have gone.

        The last exchange needs both ends, and what the chief wrote is there by then, whoever is lost.
        """
        if not self.cluster.is_chief:
            self.all_gather("")
            return
        with contextlib.suppress(LostWorker):
            self.all_gather("")
        wait_until_gone(self.cluster, _LEAVING_SECONDS)


def _sum_over(strategy: Any) -> Callable[[Array], Any]:
    import tensorflow as tf

    def on_replica(own: Any) -> Any:
        # the strategy asks where a tensor is, which an argument does not know
        return tf.distribute.get_replica_context().all_reduce("sum", tf.identity(own))

    summed: Callable[[Array], Any] = tf.function(
        lambda own: strategy.run(on_replica, args=(own,)),
        input_signature=[tf.TensorSpec((None,), tf.float64)],
        autograph=False,
    )
    return summed


def connect_workers(
    cluster: Cluster, port: contextlib.ExitStack, wait: float, progress: Progress, watch: Callable[[], None]
) -> Collective:
    """Waits until all workers are there, and forms the cluster. TensorFlow must not have been used before.

    ``port`` holds this worker's port until TensorFlow's server takes it.
    """
    wait_for_others(cluster, wait, progress, watch)
    os.environ["TF_CONFIG"] = cluster.tf_config()
    port.close()
    strategy = _create_strategy(cluster)
    if strategy.num_replicas_in_sync != len(cluster.addresses):
        raise EdgeBenchError(
            f"{strategy.num_replicas_in_sync} devices for {len(cluster.addresses)} workers: each trains on one",
            "let each worker see one device: CUDA_VISIBLE_DEVICES=0, or -1 for the processor",
        )
    progress.say(f"{cluster.name(cluster.index)} of {len(cluster.addresses)}: all are there")
    return Collective(strategy, cluster)


def _create_strategy(cluster: Cluster) -> Any:
    """The strategy. TensorFlow's own wait for the cluster has no end and takes no signal, so it waits in a thread."""
    import tensorflow as tf

    made: list[Any] = []

    def make() -> None:
        try:
            made.append(tf.distribute.MultiWorkerMirroredStrategy())
        except Exception as cause:
            made.append(cause)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    for _ in range(int(_FORMING_SECONDS / 0.1)):
        thread.join(0.1)
        _restore_sigterm_handler()
        if made:
            break
    if not made or isinstance(made[0], Exception):
        reason = str(made[0]).strip().splitlines()[0][:160] if made else "no answer from TensorFlow's servers"
        raise EdgeBenchError(
            f"the {len(cluster.addresses)} workers did not come together: {reason}",
            "give all of them the same --workers, in the same order, each its own --worker, and start them again",
        )
    return made[0]


def _restore_sigterm_handler() -> None:
    """TensorFlow's coordination service takes SIGTERM for the notice of a preemption; here it ends the training."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


@contextlib.contextmanager
def lost_worker(cluster: Cluster) -> Iterator[None]:
    """Turns what TensorFlow raises where a worker is gone into an error that names it."""
    import tensorflow as tf

    errors = tf.errors
    gone = (
        errors.UnavailableError, errors.DeadlineExceededError, errors.AbortedError, errors.CancelledError,
        errors.FailedPreconditionError, errors.InternalError, errors.UnknownError,
    )  # fmt: skip
    try:
        yield
    except gone as cause:
        named = [int(task) for task in re.findall(r"task:(\d+)", str(cause)) if int(task) in cluster.others]
        lost = named[0] if named else CHIEF if not cluster.is_chief else cluster.others[0]
        raise LostWorker(
            f"{cluster.name(lost)} is gone: it ended, or it does not answer any more",
            "what it said last tells why; every worker started again, the chief with --resume, goes on after the last "
            "whole epoch",
        ) from None
