"""Position of a resized image in a model's input, and conversion back to the image's pixels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Placement", "letterboxed", "stretched"]

#: Ultralytics subtracts this before it rounds half of the border, so that 0.5 becomes 0 on the left and 1 on the right.
_HALF_ROUNDS_DOWN = 0.1


class Placement(NamedTuple):
    """Coordinates in the input are coordinates in the image times ``scale`` plus ``offset``."""

    input_size: tuple[int, int]  # width and height of the model's input
    scale: tuple[float, float] = (1.0, 1.0)  # of x and y
    offset: tuple[float, float] = (0.0, 0.0)  # pixels of the input, left and above the image

    def to_image(self, corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return corners in the image, in its pixels, from corners in the input; x0, y0, x1, y1, shape [n, 4]."""
        pixels: npt.NDArray[np.float64] = (corners - np.tile(self.offset, 2)) / np.tile(self.scale, 2)
        return pixels

    def to_input(self, corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return corners in the input from corners in the image, shape [n, 4]."""
        pixels: npt.NDArray[np.float64] = corners * np.tile(self.scale, 2) + np.tile(self.offset, 2)
        return pixels


def stretched(size: tuple[int, int], input_size: tuple[int, int]) -> Placement:
    """Return the placement of an image of this width and height that is resized to the whole input."""
    return Placement(input_size, (input_size[0] / size[0], input_size[1] / size[1]))


def letterboxed(size: tuple[int, int], input_size: tuple[int, int], *, centred: bool = True) -> Placement:
    """Return the placement of an image that keeps its proportions, with borders around it.

    The image is resized by one factor to whole pixels. Borders are equal on both sides, as in Ultralytics'
    ``LetterBox`` (ultralytics/data/augment.py), or only on the right and below. The scale of each axis is that of the
    whole pixels, as used for resizing. Ultralytics' ``scale_boxes`` divides by the one factor, which differs by up to
    half a pixel.
    """
    factor = min(input_size[0] / size[0], input_size[1] / size[1])
    resized = tuple(max(1, round(side * factor)) for side in size)
    offset = tuple(
        float(round((side - part) / 2 - _HALF_ROUNDS_DOWN)) if centred else 0.0
        for side, part in zip(input_size, resized, strict=True)
    )
    return Placement(input_size, (resized[0] / size[0], resized[1] / size[1]), (offset[0], offset[1]))
