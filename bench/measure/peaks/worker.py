"""A worker process that runs all probes of a runtime in turn.

``python -m edge_bench.bench.measure.peaks.worker RUNTIME THREADS FILE… READ_FD WRITE_FD PARENT MEMORY_LIMIT``.

The input of each model file is in a .npy beside it. There is a `ProbeTimed` for each file, in their order.
"""

import contextlib
import sys
import time
from pathlib import Path

import msgspec

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt
from edge_bench.bench.records.tensor_spec import has_batch_axis
from edge_bench.bench.runtimes import graph_loader, runtime_named
from edge_bench.bench.runtimes.graphs.base import Feed, GraphFile, GraphLoader
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.durations import TRIAL
from edge_bench.bench.worker.limits import configure_worker, first_line

__all__ = ["ProbeTimed"]


class ProbeTimed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The duration of the fastest invocation of a probe, in nanoseconds."""

    fastest_ns: NonNegativeInt = 0  # 0: it failed
    cpu_ns: NonNegativeInt = 0  # CPU time of this process since the previous probe
    problem: BoundedStr = ""


def main(arguments: list[str]) -> int:
    """Run all probes; return the exit code."""
    name, threads, *files, read_end, write_end, parent, limit = arguments
    configure_worker(int(parent), int(limit))
    channel = Channel(int(read_end), int(write_end), EdgeBenchError)
    spent = 0
    with contextlib.suppress(ChannelClosed):  # the parent has ended
        for file in files:
            try:
                timed = ProbeTimed(fastest_ns=_fastest_ns(graph_loader(runtime_named(name)), Path(file), int(threads)))
            except Exception as cause:  # any error of the library is reported
                timed = ProbeTimed(problem=first_line(cause))
            now = time.process_time_ns()
            channel.send(msgspec.structs.replace(timed, cpu_ns=now - spent))
            spent = now
    return 0


def _fastest_ns(load: GraphLoader, file: Path, threads: int) -> int:
    """Return the duration of the fastest invocation. The first ones warm up, so there is no warm-up before."""
    session = load(GraphFile(file, threads, 1))
    values = open_npy(file.with_suffix(".npy"))
    is_batch = has_batch_axis(values.shape)
    feeds = [Feed(values if is_batch else values[None], is_batch)]
    fastest, end = sys.maxsize, time.perf_counter_ns() + 2 * TRIAL.nanoseconds()
    while True:
        times = session.run_pass(feeds, time.perf_counter_ns)
        fastest = min(fastest, int((times.ended - times.began).min()))
        if time.perf_counter_ns() >= end:
            return max(1, fastest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
