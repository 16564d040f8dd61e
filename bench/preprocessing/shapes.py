"""Shapes of one example: the axis of an image's channels, and whether two shapes contain the same values."""

__all__ = ["CHANNELS", "channel_axis", "grey_shape", "image_shape", "same_values"]

CHANNELS = (1, 3)


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return [height, width, channels] of an example in either layout; None if it has no axis for channels."""
    axis = channel_axis(shape)
    if axis is None:
        return None
    height, width = (size for number, size in enumerate(shape) if number != axis)
    return height, width, shape[axis]


def channel_axis(shape: tuple[int, ...]) -> int | None:
    """Return the axis of an image's channels, the last one if that is possible; None if it is not an image."""
    if len(shape) != 3:
        return None
    return 2 if shape[2] in CHANNELS else 0 if shape[0] in CHANNELS else None


def grey_shape(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return [height, width, 1] for an input of two axes, which can be a grey image; otherwise None."""
    return (*shape, 1) if len(shape) == 2 else None


def same_values(data: tuple[int, ...], model: tuple[int, ...]) -> bool:
    """Return whether examples of one shape can be fed to the other without resizing.

    Axes of size 1 may be added or left out, and images [height, width, channels] may become channels-first.
    """
    without_ones = [[size for size in shape if size != 1] for shape in (data, model)]
    if without_ones[0] == without_ones[1]:
        return True
    return len(data) == 3 and channel_axis(data) == 2 and model == (data[2], *data[:2])
