"""Messages between a benchmark and a worker that profiles a model."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PositiveInt
from edge_bench.bench.records.profile import MAX_OPERATORS
from edge_bench.bench.runtimes.profiling.base import Executed, StatedTensor

__all__ = ["ProfileModel", "Profiled"]


class ProfileModel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to profile the prepared model, once, after `Prepare` or `PrepareGraph`."""

    seconds: float  # how long to invoke it
    most_invocations: PositiveInt


class Profiled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a runtime executed in each profiled invocation; times in nanoseconds."""

    profiler: BoundedStr
    resolution_ns: NonNegativeInt
    executed: Annotated[list[Executed], msgspec.Meta(max_length=MAX_OPERATORS)]
    tensors: dict[BoundedStr, StatedTensor]  # that the model file does not state
    invocation_ns: list[NonNegativeInt]  # of invocations without the profiler
    profiled_ns: list[NonNegativeInt]  # of invocations with it
