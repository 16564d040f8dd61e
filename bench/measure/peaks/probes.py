"""Models whose only work is multiply-accumulates, with which the peak rates of a runtime are measured.

Each is a chain of equal layers with random weights, small enough for the second-level cache of a Raspberry Pi, so that
memory does not limit it, and large enough that calls and copies of inputs do not count. A runtime has different code
for each kind of layer: the peak is the highest rate of all.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["INPUT_SCALE", "LAYERS", "PROBES", "WEIGHT_SCALE", "Probe", "Writer"]

#: Layers of a chain.
LAYERS = 4
#: Scales of the quantized tensors. Their values do not matter for the time.
INPUT_SCALE, WEIGHT_SCALE = 0.05, 0.001


@dataclass(frozen=True)
class Probe:
    """A chain of convolutions with a square kernel, or of dense layers if ``kernel`` is 0."""

    name: str
    positions: int  # height = width of the image, or rows of the matrix
    kernel: int
    channels: int  # of inputs and outputs of each layer

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers together."""
        pixels = self.positions if not self.kernel else self.positions**2
        return LAYERS * pixels * max(self.kernel, 1) ** 2 * self.channels**2

    def input_shape(self, *, channels_first: bool) -> tuple[int, ...]:
        """Shape of the input of each layer, which is that of its output."""
        if not self.kernel:
            return (self.positions, self.channels)
        size = (self.positions, self.positions)
        return (1, self.channels, *size) if channels_first else (1, *size, self.channels)

    def weights(self, layer: int, *, quantized: bool, channels_first: bool) -> npt.NDArray[Any]:
        """Random weights of a layer: [out, height, width, in], [out, in, height, width] or [out, in]."""
        sides = (self.kernel,) * 2 if self.kernel else ()
        shape = (self.channels, self.channels, *sides) if channels_first else (self.channels, *sides, self.channels)
        generator = np.random.default_rng(layer)
        if quantized:
            return generator.integers(-127, 128, shape, np.int8)
        # sums keep about the size of the values, so that no number becomes denormal
        spread = 1 / math.sqrt(math.prod(shape[1:]))
        return generator.normal(scale=spread, size=shape).astype(np.float32)

    def inputs(self, *, quantized: bool, channels_first: bool, kind: type[np.integer[Any]] = np.int8) -> Any:
        """Random values of the input, in its type."""
        values = np.random.default_rng(LAYERS).normal(size=self.input_shape(channels_first=channels_first))
        if not quantized:
            return values.astype(np.float32)
        middle = 0 if kind is np.int8 else 128
        return np.clip(np.round(values * 40) + middle, np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)


PROBES = (
    Probe("3×3 convolution", positions=16, kernel=3, channels=128),
    Probe("1×1 convolution", positions=16, kernel=1, channels=128),
    Probe("matrix product", positions=512, kernel=0, channels=256),
)

#: Writes the model of a probe to a path, quantized or not; returns its input.
Writer = Callable[[Probe, Path, bool], npt.NDArray[Any]]
