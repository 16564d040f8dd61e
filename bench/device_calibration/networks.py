"""The five networks that are measured, each in two widths."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.device_calibration.tflite_builder import Features, TfliteBuilder

__all__ = ["CLASSES", "INPUT_SHAPE", "NETWORKS", "Network", "write_network"]

#: Height, width and channels of every network's input.
INPUT_SHAPE = (64, 64, 3)
CLASSES = 10


class Network(NamedTuple):
    """A network: the model's name and a width, the number of channels after its first layer."""

    model: str
    width: int
    build: Callable[[TfliteBuilder, int], Features]

    @property
    def name(self) -> str:
        """Model and width, such as ``plain-32``."""
        return f"{self.model}-{self.width}"


def _plain(net: TfliteBuilder, width: int) -> Features:
    """3×3 convolutions with poolings, then dense layers: k×k convolutions, and a large dense layer."""
    values = net.convolution(net.input, width, 3)
    for factor in (2, 4):
        values = net.convolution(net.pool(values, 2), factor * width, 3)
    return net.dense(net.pool(values, 2), 16 * width)


def _residual(net: TfliteBuilder, width: int) -> Features:
    """Blocks of two 3×3 convolutions and a sum: k×k convolutions of small images, many operators."""
    values = net.convolution(net.input, width, 3, stride=2)
    for stage, factor in enumerate((1, 2, 4)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            shortcut = values
            if stride == 2:
                shortcut = net.convolution(values, factor * width, 1, stride=2, relu=False)
            inner = net.convolution(values, factor * width, 3, stride=stride)
            values = net.sum(net.convolution(inner, factor * width, 3, relu=False), shortcut)
    return net.mean(values)


def _separable(net: TfliteBuilder, width: int) -> Features:
    """Depthwise and 1×1 convolutions in turn, as in MobileNet (Howard et al. 2017)."""
    values = net.convolution(net.input, width, 3, stride=2)
    for factor, stride in ((2, 1), (4, 2), (4, 1), (8, 2), (8, 1)):
        values = net.convolution(net.depthwise(values, 3, stride=stride), factor * width, 1)
    return net.mean(values)


def _bottleneck(net: TfliteBuilder, width: int) -> Features:
    """A 1×1 convolution before and after each depthwise one, as in MobileNetV2 (Sandler et al. 2018), and sums."""
    values = net.convolution(net.input, width, 5, stride=1)
    values = net.convolution(values, width, 1, relu=False)
    for stride in (2, 1, 2, 1):
        inner = net.depthwise(net.convolution(values, 4 * width, 1), 5, stride=stride)
        outer = net.convolution(inner, width if stride == 1 else values.shape[-1], 1, relu=False)
        values = net.sum(outer, values) if stride == 1 else outer
    return net.mean(values)


def _dense(net: TfliteBuilder, width: int) -> Features:
    """Dense layers with many weights, each read once: memory bandwidth."""
    values = net.dense(net.pool(net.input, 2), 16 * width)
    for _ in range(3):
        values = net.dense(values, 16 * width)
    return values


#: Widths are multiples of 16, as kernels compute 4, 8 or 16 channels at once.
NETWORKS = tuple(
    Network(model, width, build)
    for model, widths, build in (
        ("plain", (16, 32), _plain),
        ("residual", (16, 32), _residual),
        ("separable", (16, 32), _separable),
        ("bottleneck", (16, 32), _bottleneck),
        ("dense", (16, 32), _dense),
    )
    for width in widths
)


def write_network(network: Network, path: Path, *, quantized: bool) -> None:
    """Write a network as .tflite, float32 or int8; raise MissingDependency without ai-edge-litert."""
    net = TfliteBuilder((1, *INPUT_SHAPE), quantized=quantized)
    net.save(path, net.softmax(net.dense(network.build(net, network.width), CLASSES, relu=False)))
