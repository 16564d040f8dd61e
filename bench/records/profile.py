"""The profile of a configuration: time, work and data of each operator, as the runtime's own profiler reports them.

All times are seconds per invocation, which is one batch. Each is the mean over the middle half of the invocations,
ordered by their duration. Means of the same invocations add up, medians do not.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt, PositiveInt

__all__ = ["MAX_OPERATORS", "TOLERANCE", "OperatorTime", "Peaks", "Profile"]

#: Maximum number of operators of a profile. The largest published models have about 10,000.
MAX_OPERATORS = 65_536
#: Operator times add up if at most this share of the invocation is outside them.
TOLERANCE = 0.1

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
PositiveFloat = Annotated[float, msgspec.Meta(gt=0, le=1e21)]
Operators = msgspec.Meta(max_length=MAX_OPERATORS)


class OperatorTime(msgspec.Struct, frozen=True, kw_only=True):
    """Time and work of one operator of the model, or of several that the runtime executes as one."""

    index: NonNegativeInt  # position in the order of execution, from 0
    kind: BoundedStr  # as in the model file: CONV_2D in .tflite, Conv in .onnx; of the node with most work if several
    name: BoundedStr  # of its (last) output tensor; empty if the file has none
    # positions in the model file of the nodes that it covers; empty for work the runtime adds, such as a conversion
    nodes: Annotated[list[NonNegativeInt], Operators] = []
    kernel: BoundedStr = ""  # what executed it, such as "XNNPACK: Convolution (NHWC, F32) IGEMM"; empty if unknown
    seconds: Seconds  # per invocation
    lower_seconds: Seconds  # quartiles over all profiled invocations
    upper_seconds: Seconds
    macs: NonNegativeInt | None = None  # multiply-accumulates per invocation; None if unknown
    bytes_moved: NonNegativeInt | None = None  # weights, inputs and outputs, each once per invocation; None if unknown
    precision: BoundedStr = ""  # number type in which it multiplies: float32, float16, int8, …; empty if unknown

    @property
    def macs_per_second(self) -> float | None:
        """Achieved multiply-accumulates per second; None if there are none, or if they or the time are unknown."""
        return self.macs / self.seconds if self.macs and self.seconds else None

    @property
    def bytes_per_second(self) -> float | None:
        """Achieved bytes per second; None if the bytes or the time are unknown."""
        return self.bytes_moved / self.seconds if self.bytes_moved and self.seconds else None

    @property
    def intensity(self) -> float | None:
        """Multiply-accumulates per byte moved; None if either is unknown or there are none."""
        return self.macs / self.bytes_moved if self.macs and self.bytes_moved else None


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """The most that this machine achieved in measurements made for this purpose."""

    threads: PositiveInt
    macs_per_second: Annotated[dict[BoundedStr, PositiveFloat], Length] = {}  # by precision, as in `OperatorTime`
    bytes_per_second: PositiveFloat | None = None  # of data in memory, far more than the last cache has
    cached_bytes_per_second: PositiveFloat | None = None  # of data in the second-level cache of each core
    cache_bytes: NonNegativeInt | None = None  # size of the last cache; None: unknown
    method: BoundedStr = ""  # how they were measured
    disturbed: Annotated[list[BoundedStr], Length] = []  # why they may be too low; empty: nothing was found


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a configuration goes. Measured in a process of its own, never in a trial."""

    model: BoundedStr
    variant: BoundedStr
    sha256: BoundedStr  # of the model file
    runtime: BoundedStr
    runtime_version: BoundedStr = ""
    threads: PositiveInt
    batch_size: PositiveInt
    delegate: BoundedStr = ""  # as in `Result`
    profiler: BoundedStr  # what measured the operators, such as "LiteRT's profiler"
    resolution_seconds: Seconds = 0.0  # the profiler rounds each time down to a multiple of this; 0 if it does not
    processes: PositiveInt
    invocations: PositiveInt  # profiled ones, in all processes
    invocation_seconds: Seconds  # without the profiler: the same process, settings and inputs
    profiled_seconds: Seconds  # with it
    operators: Annotated[list[OperatorTime], Operators]  # in the order of execution
    model_nodes: NonNegativeInt  # number of nodes in the model file
    warnings: Annotated[list[BoundedStr], Length] = []
    emulated: bool = False  # whether the times are those of an emulator
    peaks: Peaks | None = None  # None: not measured

    @property
    def operator_seconds(self) -> float:
        """Sum of the operators, in seconds per invocation."""
        return sum(operator.seconds for operator in self.operators)

    @property
    def between_seconds(self) -> float:
        """Time of an invocation without the profiler that no operator accounts for.

        It is negative if the profiler makes operators slower.
        """
        return self.invocation_seconds - self.operator_seconds

    @property
    def overhead(self) -> float:
        """Share by which the profiler made an invocation longer; 0.05 is 5 %."""
        return self.profiled_seconds / self.invocation_seconds - 1 if self.invocation_seconds else 0.0

    @property
    def rounded_off_seconds(self) -> float:
        """The most that rounding down can have removed from the sum of the operators."""
        return self.resolution_seconds * len(self.operators)

    @property
    def adds_up(self) -> bool:
        """Whether the operators account for the invocation without the profiler."""
        return abs(self.between_seconds) <= TOLERANCE * self.invocation_seconds

    @property
    def hidden_by_rounding(self) -> bool:
        """Whether the operators may account for it, and only rounding hides some of their time."""
        missing = self.between_seconds - TOLERANCE * self.invocation_seconds
        return 0 < missing <= self.rounded_off_seconds

    @property
    def covered_nodes(self) -> int:
        """Number of the model's nodes that at least one operator covers."""
        return len({node for operator in self.operators for node in operator.nodes})

    def is_resolved(self, operator: OperatorTime) -> bool:
        """Return whether an operator takes long enough for the profiler's resolution, so that rates make sense."""
        return operator.seconds > 0 and operator.seconds >= self.resolution_seconds

    def share(self, operators: Sequence[OperatorTime]) -> float:
        """Return the share of these operators in an invocation, or in all operators if these take longer."""
        whole = max(self.invocation_seconds, self.operator_seconds)
        return sum(operator.seconds for operator in operators) / whole if whole else 0.0
