"""Text of a model's inputs and outputs: type, shape, and the names of open axes."""

from collections.abc import Sequence

from edge_bench.bench.model_formats.tflite import Tensor

__all__ = ["open_axes", "shape_of", "tensor_text"]

#: Numbers of channels of images: grey, RGB, RGBA.
_CHANNELS = (1, 3, 4)


def shape_of(tensor: Tensor) -> list[int]:
    """Return the shape of a tensor, in which open axes are -1."""
    return list(tensor.signature or tensor.shape)


def open_axes(shape: Sequence[int]) -> list[str]:
    """Return the names of the open axes of a shape: batch, height, width, channels, or ``axis N``, from 0.

    The first of several axes is the batch. The layout of four axes is known if one has the size of an image's channels,
    or if two adjacent axes are open.
    """
    names = [f"axis {number}" for number in range(len(shape))]
    if len(shape) > 1:
        names[0] = "batch"
    if len(shape) == 4:
        names[1:] = _image_axes(shape) or names[1:]
    return [name for name, size in zip(names, shape, strict=True) if size < 0]


def _image_axes(shape: Sequence[int]) -> list[str]:
    _, second, third, last = shape
    if last in _CHANNELS or (second not in _CHANNELS and second < 0 and third < 0 <= last):
        return ["height", "width", "channels"]
    if second in _CHANNELS or (third < 0 and last < 0 <= second):
        return ["channels", "height", "width"]
    return []


def tensor_text(tensor: Tensor) -> str:
    """Return type, shape, open axes and quantization of a tensor."""
    shape = shape_of(tensor)
    sizes = "×".join("?" if size < 0 else str(size) for size in shape) or "scalar or unknown shape"
    axes = f" (open: {', '.join(names)})" if (names := open_axes(shape)) else ""
    zero = tensor.zero_point
    stored = f"(stored {'-' if zero > 0 else '+'} {abs(zero)})" if zero else "stored"
    quantization = f", real = {stored} × {tensor.scale:.6g}" if tensor.scale else ""
    return f"{tensor.dtype} {sizes}{axes}{quantization}"
