"""A worker process that measures how fast this machine moves bytes, with numpy and threads.

``python -m edge_bench.bench.measure.peaks.bandwidth THREADS BYTES READ_FD WRITE_FD PARENT MEMORY_LIMIT``.

Source of the method: McCalpin 1995, "Memory Bandwidth and Machine Balance" (STREAM). A copy counts the bytes read and
those written. Reading alone may be faster, so both are measured. numpy does both without Python's lock.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.durations import TRIAL
from edge_bench.bench.worker.limits import configure_worker
from edge_bench.bench.worker.process import WorkerProcess

__all__ = ["Moved", "measure_bandwidth"]

#: Least repetitions of one kind. There are as many as fit in a trial.
_LEAST = 3
#: Bytes that a thread moves before it reports, so that starting it does not count.
_BLOCK = 32 << 20


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The highest rates in bytes per second."""

    copied: float  # bytes read and bytes written together
    read: float
    cpu_ns: int  # CPU time of the worker, its start included


def measure_bandwidth(threads: int, size: int, timeout: float) -> Moved:
    """Return the rates of ``threads`` threads that together use ``size`` bytes; raise WorkerFailed."""
    arguments = [str(threads), str(size)]
    with WorkerProcess.spawn("edge_bench.bench.measure.peaks.bandwidth", arguments, Moved, None) as worker:
        return worker.wait_for(Moved, timeout)


def main(arguments: list[str]) -> int:
    """Measure, send one `Moved`, and return the exit code."""
    threads, size, read_end, write_end, parent, limit = map(int, arguments)
    configure_worker(parent, limit)
    channel = Channel(read_end, write_end, EdgeBenchError)
    with contextlib.suppress(ChannelClosed):  # the parent has ended
        channel.send(_measure(threads, size))
    return 0


def _measure(threads: int, size: int) -> Moved:
    values = max(1, size // 2 // threads // 4)  # float32, half of it the source
    pairs = [(np.ones(values, np.float32), np.ones(values, np.float32)) for _ in range(threads)]
    moved = 4 * values * threads
    with ThreadPoolExecutor(threads) as pool:
        return Moved(
            copied=_best_rate(pool, lambda pair: np.copyto(pair[0], pair[1]), pairs, 2 * moved),
            read=_best_rate(pool, lambda pair: pair[1].max(), pairs, moved),
            cpu_ns=time.process_time_ns(),
        )


def _best_rate(
    pool: ThreadPoolExecutor, move: Callable[[Any], object], pairs: Sequence[tuple[npt.NDArray[Any], ...]], moved: int
) -> float:
    """Return bytes per second of the best repetition, in each of which every thread works at the same time."""
    times = max(1, _BLOCK // moved)

    def work(pair: tuple[npt.NDArray[Any], ...]) -> None:
        for _ in range(times):
            move(pair)

    seconds = TRIAL.seconds()
    durations, began = list[float](), time.perf_counter()
    while len(durations) < _LEAST or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        list(pool.map(work, pairs))
        durations.append(time.perf_counter() - start)
    return times * moved / min(durations)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
