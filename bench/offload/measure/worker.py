"""Worker process for one side of an offload.

Run as ``python -m edge_bench.bench.offload.measure.worker RUNTIME|remote READ_FD WRITE_FD PARENT_PID MEMORY_LIMIT``.
"""

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from edge_bench.bench.offload.client.http import RemoteFailed
from edge_bench.bench.offload.measure.local_arm import LocalArmWorker
from edge_bench.bench.offload.measure.local_graph_arm import LocalGraphArmWorker
from edge_bench.bench.offload.measure.messages import (
    Classify,
    OffloadRequest,
    PrepareLocal,
    PrepareLocalGraph,
    PrepareRemote,
    PrepareRemoteGraph,
    Probe,
    TimeLocal,
    TimeRemote,
    WarmUp,
)
from edge_bench.bench.offload.measure.remote_arm import RemoteArmWorker
from edge_bench.bench.runtimes import Runtime, graph_loader, loader, runtime_named
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.graphs.messages import Sample
from edge_bench.bench.worker.limits import configure_worker, first_line
from edge_bench.bench.worker.messages import Problem, Ready

__all__ = ["REMOTE"]

#: Given instead of a runtime's name to start the remote side.
REMOTE = "remote"
Side = LocalArmWorker | LocalGraphArmWorker | RemoteArmWorker


def main(arguments: list[str]) -> int:
    """Answer requests until the channel is closed. An error is sent as the answer to its request."""
    name, read_end, write_end, parent, limit = arguments
    configure_worker(int(parent), int(limit))
    channel = Channel(int(read_end), int(write_end), OffloadRequest)
    try:
        began = time.perf_counter_ns()
        try:
            runtime = None if name == REMOTE else runtime_named(name)
            if runtime:
                loader(runtime)
        except Exception as cause:  # importing a runtime may raise any error
            channel.send(Problem(kind="cannot load", message=f"importing {name}: {first_line(cause)}"))
            return 0
        channel.send(Ready(import_ns=time.perf_counter_ns() - began))
        handle = _prepare(channel, runtime)
        gc.collect()
        gc.freeze()
        while True:
            channel.send(_answer(handle, channel.receive()))
    except ChannelClosed:
        return 0  # the parent has exited or has finished


def _prepare(channel: Channel, runtime: Runtime | None) -> Callable[[Any], msgspec.Struct]:
    """Answer requests until one prepares the side successfully, and return the handler for later requests."""
    while True:
        request = channel.receive()
        side: Side
        try:
            if isinstance(request, PrepareLocal) and runtime:
                side = LocalArmWorker(request, loader(runtime))
            elif isinstance(request, PrepareLocalGraph) and runtime:
                side = LocalGraphArmWorker(request, graph_loader(runtime))
            elif isinstance(request, PrepareRemote | PrepareRemoteGraph):
                side = RemoteArmWorker(request)
            else:
                raise ValueError(f"unexpected request: {type(request).__name__}")
        except RemoteFailed as cause:
            channel.send(Problem(kind=cause.kind, message=str(cause), remedy=cause.remedy))
            continue
        except Exception as cause:
            channel.send(Problem(kind="cannot load", message=first_line(cause)))
            continue
        channel.send(side.prepared)
        return _handler(side)


def _handler(side: Side) -> Callable[[Any], msgspec.Struct]:
    """Return the function that answers requests to a side. It raises ValueError for a request of the other side."""

    def handle(request: Any) -> msgspec.Struct:
        match side, request:
            case (LocalArmWorker() | LocalGraphArmWorker(), TimeLocal()) | (RemoteArmWorker(), TimeRemote()):
                return side.trial(request)
            case (LocalArmWorker() | RemoteArmWorker(), Classify()):
                return side.classify(request)
            case (LocalGraphArmWorker() | RemoteArmWorker(), Sample()):
                return side.sample(request)
            case RemoteArmWorker(), WarmUp():
                return side.warm_up(request)
            case RemoteArmWorker(), Probe():
                return side.probe(request)
        raise ValueError(f"unexpected request: {type(request).__name__}")

    return handle


def _answer(handle: Callable[[Any], msgspec.Struct], request: Any) -> msgspec.Struct:
    try:
        return handle(request)
    except RemoteFailed as cause:
        return Problem(kind=cause.kind, message=str(cause), remedy=cause.remedy)
    except Exception as cause:
        return Problem(kind="failed", message=first_line(cause))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
