"""Number of weights and shape of the output of Keras' layers, by their configuration.

Shapes are without the batch axis. An unknown axis is None and counts as 1. Unknown sizes make the numbers too small,
never too large. Source: the ``build`` and ``compute_output_shape`` methods of Keras 3.15.
"""

import math
from collections.abc import Callable
from typing import Any

__all__ = ["LARGEST", "Config", "Shape", "elements", "evaluate", "positive", "shape_of"]

Config = dict[str, Any]
Shape = tuple[int | None, ...]
Effect = tuple[int, Shape | None]  # number of weights, and shape of the output; None if unknown

#: Numbers are limited to this, so that a chain of layers cannot make them grow endlessly.
LARGEST = 1 << 62
_MAX_AXES = 16
_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
#: Settings that are a lower bound of the number of weights of a layer that is not listed here.
_SIZES = ("units", "filters", "output_dim", "input_dim", "num_heads", "key_dim", "rank")


def positive(value: Any, default: int = 1) -> int:
    """Return a positive integer of a configuration, the default for anything else."""
    return min(value, LARGEST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


def shape_of(value: Any) -> Shape | None:
    """Return a shape of a configuration, batch axis included; None if it is not a shape."""
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_AXES:
        return None
    return tuple(positive(size, 0) or None for size in value)


def elements(shape: Shape | None) -> int:
    """Return the number of values of a shape; 0 if unknown."""
    return 0 if shape is None else min(LARGEST, math.prod(size or 1 for size in shape))


def evaluate(kind: str, config: Config, inputs: list[Shape | None]) -> Effect:
    """Return the effect of a layer of the class ``kind``. Unknown inputs are None."""
    shape = inputs[0] if inputs else None
    base = kind.rstrip("123D") if kind[-2:] in ("1D", "2D", "3D") else kind
    if kind in ("Concatenate", "concatenate"):
        return 0, _concatenated(config, inputs)
    layer = _LAYERS.get(base) or _LAYERS.get(kind)
    if layer is not None:
        weights, output = layer(config, shape, kind)
        return min(weights, LARGEST), output
    bound = max((positive(config.get(name), 0) for name in _SIZES), default=0)
    return bound, None if bound else shape


def _list(value: Any, count: int) -> list[int]:
    """Return a setting that is one number for all axes or one for each."""
    values = value if isinstance(value, list) else [value] * count
    return [positive(size) for size in (values + [1] * count)[:count]]


def _spatial(config: Config, shape: Shape, change: Callable[[int, int], int]) -> Shape:
    """Return the shape with its spatial axes changed by ``change(size, number)``."""
    first = 1 if config.get("data_format") == "channels_first" else 0
    changed = list(shape)
    for number in range(len(shape) - 1):
        if (size := shape[first + number]) is not None:
            changed[first + number] = max(0, min(LARGEST, change(size, number)))
    return tuple(changed)


def _channels(config: Config, shape: Shape | None) -> int:
    if not shape:
        return 1
    return shape[0 if config.get("data_format") == "channels_first" else -1] or 1


def _with_channels(config: Config, shape: Shape, channels: int) -> Shape:
    return (channels, *shape[1:]) if config.get("data_format") == "channels_first" else (*shape[:-1], channels)


def _dense(config: Config, shape: Shape | None, _: str) -> Effect:
    units, width = positive(config.get("units")), (shape[-1] if shape else None) or 1
    return units * (width + bool(config.get("use_bias"))), (*shape[:-1], units) if shape else (units,)


def _windows(config: Config, shape: Shape, size_name: str, rank: int) -> Shape:
    """Return the shape after sliding a window over the spatial axes."""
    sizes = _list(config.get(size_name), rank)
    strides = _list(config.get("strides") or (config.get(size_name) if size_name == "pool_size" else 1), rank)
    dilations = _list(config.get("dilation_rate", 1), rank)

    def change(size: int, number: int) -> int:
        if config.get("padding") in ("same", "causal"):
            return -(-size // strides[number])
        return (size - dilations[number] * (sizes[number] - 1) - 1) // strides[number] + 1

    return _spatial(config, shape, change) if len(shape) == rank + 1 else shape


def _rank(kind: str) -> int:
    return next((int(digit) for digit in kind if digit in "123"), 2)


def _convolution(config: Config, shape: Shape | None, kind: str) -> Effect:
    rank, channels = _rank(kind), _channels(config, shape)
    area = math.prod(_list(config.get("kernel_size"), rank))
    filters, depth = positive(config.get("filters")), positive(config.get("depth_multiplier"))
    if kind.startswith("Depthwise"):
        filters, weights = channels * depth, area * channels * depth
    elif kind.startswith("Separable"):
        weights = area * channels * depth + channels * depth * filters
    else:
        weights = area * max(1, channels // positive(config.get("groups"))) * filters
    weights += filters if config.get("use_bias") else 0
    if shape is None or len(shape) != rank + 1:
        return weights, None
    if "Transpose" in kind:
        strides = _list(config.get("strides"), rank)
        output = _spatial(config, shape, lambda size, number: size * strides[number])
    else:
        output = _windows(config, shape, "kernel_size", rank)
    return weights, _with_channels(config, output, min(filters, LARGEST))


def _pooling(config: Config, shape: Shape | None, kind: str) -> Effect:
    if shape is None:
        return 0, None
    if kind.startswith("Global"):
        return 0, (_channels(config, shape),) if not config.get("keepdims") else None
    return 0, _windows(config, shape, "pool_size", _rank(kind))


def _embedding(config: Config, shape: Shape | None, _: str) -> Effect:
    width = positive(config.get("output_dim"))
    return positive(config.get("input_dim")) * width, (*shape, width) if shape is not None else None


def _recurrent(config: Config, shape: Shape | None, kind: str) -> Effect:
    gates = _GATES[kind.removesuffix("Cell")]
    units, width = positive(config.get("units")), (shape[-1] if shape else None) or 1
    output = None if shape is None else (*shape[:1], units) if config.get("return_sequences") else (units,)
    return gates * units * (width + units + bool(config.get("use_bias"))), output


def _recurrent_convolution(config: Config, shape: Shape | None, kind: str) -> Effect:
    filters, channels = positive(config.get("filters")), _channels(config, shape)
    area = math.prod(_list(config.get("kernel_size"), _rank(kind)))
    return 4 * area * filters * (channels + filters), None


def _normalization(config: Config, shape: Shape | None, _: str) -> Effect:
    axes = config.get("axis", -1)
    if not shape:
        return 0, shape
    numbers = [axis - 1 if axis > 0 else axis for axis in (axes if isinstance(axes, list) else [axes])
               if isinstance(axis, int)]  # fmt: skip
    sizes = [shape[number] for number in numbers if -len(shape) <= number < len(shape)]
    return elements(tuple(sizes)) * (bool(config.get("scale")) + bool(config.get("center"))), shape


def _attention(config: Config, shape: Shape | None, _: str) -> Effect:
    width = (shape[-1] if shape else None) or 1
    heads, keys = positive(config.get("num_heads")), positive(config.get("key_dim"))
    return heads * width * (2 * keys + 2 * positive(config.get("value_dim"), keys)), shape


def _reshaped(config: Config, shape: Shape | None, _: str) -> Effect:
    target = config.get("target_shape")
    if not isinstance(target, list) or len(target) > _MAX_AXES:
        return 0, None
    known = math.prod(positive(size) for size in target)
    return 0, tuple(positive(size, 0) or max(1, elements(shape) // known) for size in target)


def _scaled(config: Config, shape: Shape | None, kind: str) -> Effect:
    sizes = _list(config.get("size"), _rank(kind))
    return 0, _spatial(config, shape, lambda size, number: size * sizes[min(number, len(sizes) - 1)]) if shape else None


def _padded(config: Config, shape: Shape | None, kind: str) -> Effect:
    given, rank = config.get("padding"), _rank(kind)
    if rank == 1 and isinstance(given, list):
        given = [given]
    values = (given if isinstance(given, list) else [given] * rank)[:rank]
    added = [
        sum(positive(part, 0) for part in (each if isinstance(each, list) else [each, each])[:2]) for each in values
    ]
    if shape is None or not added:
        return 0, shape
    return 0, _spatial(config, shape, lambda size, number: size + added[min(number, len(added) - 1)])


def _resized(config: Config, shape: Shape | None, _: str) -> Effect:
    sizes = [positive(config.get("height")), positive(config.get("width"))]
    if shape is None or len(shape) != 3:
        return 0, (*sizes, 1)
    first = 1 if config.get("data_format") == "channels_first" else 0
    return 0, (*shape[:first], *sizes, *shape[first + 2 :])


def _prelu(config: Config, shape: Shape | None, _: str) -> Effect:
    shared = config.get("shared_axes") or []
    if shape is None or not isinstance(shared, list):
        return 0, shape
    return elements(tuple(1 if axis + 1 in shared else size for axis, size in enumerate(shape))), shape


def _concatenated(config: Config, inputs: list[Shape | None]) -> Shape | None:
    known = [shape for shape in inputs if shape]
    axis = config.get("axis", -1)
    if not known or not isinstance(axis, int) or len({len(shape) for shape in known}) != 1:
        return None
    number = axis - 1 if axis > 0 else axis + len(known[0])
    if not 0 <= number < len(known[0]):
        return None
    total = min(LARGEST, sum(shape[number] or 1 for shape in known))
    return (*known[0][:number], total, *known[0][number + 1 :])


_LAYERS: dict[str, Callable[[Config, Shape | None, str], Effect]] = {
    "Dense": _dense,
    **dict.fromkeys(("Conv", "DepthwiseConv", "SeparableConv", "Conv1DTranspose", "Conv2DTranspose",
                     "Conv3DTranspose"), _convolution),
    **dict.fromkeys(("MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling"), _pooling),
    "Embedding": _embedding,
    **dict.fromkeys((*_GATES, *(f"{name}Cell" for name in _GATES)), _recurrent),
    "ConvLSTM": _recurrent_convolution,
    **dict.fromkeys(("BatchNormalization", "LayerNormalization", "GroupNormalization"), _normalization),
    **dict.fromkeys(("MultiHeadAttention", "GroupQueryAttention"), _attention),
    "Reshape": _reshaped,
    "Flatten": lambda _, shape, __: (0, None if shape is None else (elements(shape),)),
    "RepeatVector": lambda config, shape, _: (0, (positive(config.get("n")), *(shape or (1,)))),
    "CategoryEncoding": lambda config, _, __: (0, (positive(config.get("num_tokens")),)),
    "UpSampling": _scaled,
    "ZeroPadding": _padded,
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), _resized),
    "PReLU": _prelu,
    **dict.fromkeys(("Permute", "Cropping", "Dot"), lambda *_: (0, None)),
}  # fmt: skip
