"""Invocations of one model with and without the profiler of its runtime, in turn."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock
from edge_bench.bench.runtimes.profiling.base import ProfiledFile, ProfiledLoader
from edge_bench.bench.worker.messages import Timed
from edge_bench.bench.worker.profiling.messages import Profiled, ProfileModel

__all__ = ["Prepared", "profile"]

Batch = Sequence[npt.NDArray[Any]]
#: Blocks of invocations, alternately without and with the profiler, so that both see the same state of the machine.
_BLOCKS = 10
#: Fewest profiled invocations, also of models that take longer.
_FEWEST = 10
#: Share of the profiled invocations at the start that are not used, since caches are cold.
_COLD = 0.1


class Prepared(Protocol):
    """A prepared model of a worker: a session without a profiler, and its inputs."""

    @property
    def profiled_file(self) -> ProfiledFile:
        """The file and the settings of the session."""

    def batch(self) -> Batch:
        """Return the inputs of one invocation, one array per input in the model's order."""

    @property
    def first_positions(self) -> list[int]:
        """Positions of the examples in that batch."""

    def trial(self, passes: int, image_positions: list[int] | None = None) -> Timed:
        """Run ``passes`` passes over these examples."""


def profile(prepared: Prepared, load: ProfiledLoader, request: ProfileModel, clock: Clock) -> Profiled:
    """Profile a prepared model; raise ValueError if its profiler reports nothing useful."""
    batch, positions = prepared.batch(), prepared.first_positions
    session = load(prepared.profiled_file, batch)

    def plain() -> int:
        # as in a trial: with the copies of its inputs and outputs
        return prepared.trial(1, positions).latencies_ns[0]

    def profiled() -> int:
        return session.run(batch)

    began = clock()
    for invoke in (plain, profiled) * 2:
        invoke()
    expected = max(1, (clock() - began) // 2)
    count = min(request.most_invocations, max(_FEWEST, int(request.seconds * 1e9 / expected)))
    per_block = -(-count // _BLOCKS)
    invocation_ns, profiled_ns = list[int](), list[int]()
    for _ in range(-(-count // per_block)):
        invocation_ns += _block(plain, per_block)
        profiled_ns += _block(profiled, per_block)
    cold = int(len(profiled_ns) * _COLD)
    return Profiled(
        profiler=session.profiler,
        resolution_ns=session.resolution_ns,
        executed=session.finish(2 + cold),
        tensors=session.tensors(),
        invocation_ns=invocation_ns[cold:],
        profiled_ns=profiled_ns[cold:],
    )


def _block(invoke: Callable[[], int], count: int) -> list[int]:
    invoke()  # the other session has used the caches
    return [invoke() for _ in range(count)]
