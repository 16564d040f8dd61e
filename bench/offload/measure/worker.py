"""One side of an offload in one fresh process: ``python -m …bench.offload.measure.worker RUNTIME|remote READ_FD …``."""

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from edge_bench.bench.offload.client.http import RemoteFailed
from edge_bench.bench.offload.measure.local_arm import LocalArmWorker
from edge_bench.bench.offload.measure.messages import (
    Classify,
    OffloadRequest,
    PrepareLocal,
    PrepareRemote,
    Probe,
    TimeLocal,
    TimeRemote,
    Warm,
)
from edge_bench.bench.offload.measure.remote_arm import RemoteArmWorker
from edge_bench.bench.runtimes import loader, runtime_named
from edge_bench.bench.runtimes.base import Loader
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.limits import configure_worker, first_line
from edge_bench.bench.worker.messages import Problem, Ready

__all__ = ["REMOTE"]

#: In place of a runtime's name.
REMOTE = "remote"


def main(arguments: list[str]) -> int:
    """Answers requests until there are no more. What goes wrong with one is its answer, and the next is awaited."""
    name, read_end, write_end, parent, limit = arguments
    configure_worker(int(parent), int(limit))
    channel = Channel(int(read_end), int(write_end), OffloadRequest)
    try:
        began = time.perf_counter_ns()
        try:
            load = None if name == REMOTE else loader(runtime_named(name))
        except Exception as cause:  # whatever the library raises, the row says it
            channel.send(Problem(kind="cannot load", message=f"importing {name}: {first_line(cause)}"))
            return 0
        channel.send(Ready(import_ns=time.perf_counter_ns() - began))
        answer = _first(channel, load)
        gc.collect()
        gc.freeze()
        while True:
            channel.send(_answered(answer, channel.receive()))
    except ChannelClosed:
        return 0  # the parent is gone, or has what it wants


def _first(channel: Channel, load: Loader | None) -> Callable[[Any], msgspec.Struct]:
    """Prepares a side, until one could be; how it answers what comes after."""
    while True:
        request = channel.receive()
        side: LocalArmWorker | RemoteArmWorker
        try:
            if isinstance(request, PrepareLocal) and load:
                side = LocalArmWorker(request, load)
            elif isinstance(request, PrepareRemote):
                side = RemoteArmWorker(request)
            else:
                raise ValueError(f"out of turn: {type(request).__name__}")
        except Exception as cause:
            channel.send(Problem(kind="cannot load", message=first_line(cause)))
            continue
        channel.send(side.prepared)
        return side_answers(side)


def side_answers(side: LocalArmWorker | RemoteArmWorker) -> Callable[[Any], msgspec.Struct]:
    """What a side does with each request; ValueError for one that is not for it."""

    def answer(request: Any) -> msgspec.Struct:
        match side, request:
            case (LocalArmWorker(), TimeLocal()) | (RemoteArmWorker(), TimeRemote()):
                return side.trial(request)
            case _, Classify():
                return side.classify(request)
            case RemoteArmWorker(), Warm():
                return side.warm(request)
            case RemoteArmWorker(), Probe():
                return side.probe(request)
        raise ValueError(f"out of turn: {type(request).__name__}")

    return answer


def _answered(answer: Callable[[Any], msgspec.Struct], request: Any) -> msgspec.Struct:
    try:
        return answer(request)
    except RemoteFailed as cause:
        return Problem(kind=cause.kind, message=str(cause), remedy=cause.remedy)
    except Exception as cause:
        return Problem(kind="failed", message=first_line(cause))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
