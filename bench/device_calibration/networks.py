"""The five models that are measured, each in two sizes, which are ten networks.

Eight parameters can be found from ten latencies only if no two of them change the latencies in the same way. So each
parameter has a large share of the time in at least two models: small networks start many operators that do little,
dense layers have many weights for one row of values or few for many rows, and sums of large tensors only move data.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.device_calibration.tflite_builder import Features, TfliteBuilder

__all__ = ["CLASSES", "INPUT_SHAPE", "NETWORKS", "Network", "write_network"]

#: Height, width and channels of every network's input.
INPUT_SHAPE = (64, 64, 3)
CLASSES = 10
_SMALL_POOL = 4  # small networks begin with 16×16 images


class Network(NamedTuple):
    """A network: a model in a size, ``small`` or ``large``."""

    model: str
    size: str
    build: Callable[[TfliteBuilder, bool], Features]

    @property
    def name(self) -> str:
        """Model and size, such as ``plain-small``."""
        return f"{self.model}-{self.size}"


def _image(net: TfliteBuilder, large: bool) -> Features:
    return net.input if large else net.pool(net.input, _SMALL_POOL)


def _plain(net: TfliteBuilder, large: bool) -> Features:
    """Convolutions with poolings, sums of large tensors, and dense layers with many weights."""
    width = 32 if large else 16
    first = net.convolution(_image(net, large), width, 3)
    values = net.convolution(first, width, 1)
    for _ in range(4):
        values = net.sum(values, first)
    for factor in (1, 2):
        values = net.convolution(net.pool(values, 2), factor * width, 3)
    values = net.dense(net.pool(values, 2), 16 * width)
    return net.dense(values, 16 * width)


def _residual(net: TfliteBuilder, large: bool) -> Features:
    """Blocks of two 3×3 convolutions and a sum, as in ResNet (He et al. 2016)."""
    width = 32 if large else 16
    values = net.convolution(_image(net, large), width, 3, stride=2)
    for stage, factor in enumerate((1, 2, 4)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            shortcut = values
            if stride == 2:
                shortcut = net.convolution(values, factor * width, 1, stride=2, relu=False)
            inner = net.convolution(values, factor * width, 3, stride=stride)
            values = net.sum(net.convolution(inner, factor * width, 3, relu=False), shortcut)
    return net.mean(values)


def _separable(net: TfliteBuilder, large: bool) -> Features:
    """Two depthwise convolutions and a 1×1 one in turn, similar to MobileNet (Howard et al. 2017)."""
    width = 32 if large else 16
    values = net.convolution(_image(net, large), width, 5)
    for factor, stride in ((2, 2), (4, 2), (8, 1), (8, 1)):
        values = net.depthwise(net.depthwise(values, 3), 3, stride=stride)
        values = net.convolution(values, factor * width, 1)
    return net.mean(values)


def _bottleneck(net: TfliteBuilder, large: bool) -> Features:
    """1×1 convolutions to four times as many channels and back, as in MobileNetV2 (Sandler et al. 2018), with sums."""
    width = 32 if large else 16
    values = net.pool(net.convolution(_image(net, large), 2 * width, 5), 2)
    for stride in (1, 2, 1):
        wide = net.sum(net.convolution(values, 4 * width, 1), net.convolution(values, 4 * width, 1))
        wide = net.depthwise(wide, 3, stride=stride)
        values = net.convolution(wide, 2 * width, 1, relu=False)
    return net.mean(values)


def _dense(net: TfliteBuilder, large: bool) -> Features:
    """Dense layers over many rows, a large one over a single row, and many small ones."""
    units = 256 if large else 64
    values = net.rows(net.pool(net.input, 2), 48)
    for _ in range(3):
        values = net.dense(values, units)
    values = net.dense(net.rows(values, 1), units // 2)
    for _ in range(8):
        values = net.dense(values, 32)
    return values


NETWORKS = tuple(
    Network(build.__name__.lstrip("_"), size, build)
    for build in (_plain, _residual, _separable, _bottleneck, _dense)
    for size in ("small", "large")
)


def write_network(network: Network, path: Path, *, quantized: bool) -> None:
    """Write a network as .tflite, float32 or int8; raise MissingDependency without ai-edge-litert."""
    net = TfliteBuilder((1, *INPUT_SHAPE), quantized=quantized)
    features = net.rows(network.build(net, network.size == "large"), 1)
    net.save(path, net.softmax(net.dense(features, CLASSES, relu=False)))
