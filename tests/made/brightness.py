"""Classes that are grey levels, and the decision between them.

Class k has the grey level 20 k + 10, so that classes 0 to 12 fit a byte. The nearest level is a linear decision: the
highest of level × mean - level² / 2 over the classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["bright_inputs", "brightness_weights", "level"]


def level(label: int) -> int:
    """Return the grey level of a class, 0 to 255 for classes 0 to 12."""
    return 20 * label + 10


def bright_inputs(labels: Sequence[int], *shape: int) -> npt.NDArray[np.float32]:
    """Return one example per label, [labels, *shape], whose values are its class's level in 0 to 1."""
    return np.stack([np.full(shape, level(label) / 255, np.float32) for label in labels])


def brightness_weights(
    order: Sequence[int], values: int, scale: float = 1 / 255, offset: float = 0
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return weights, [values, outputs], and biases, [outputs], for inputs of ``pixel × scale + offset``.

    Output n is the score of class ``order[n]``.
    """
    levels = np.array([level(label) for label in order]) * scale + offset
    return np.tile(levels / values, (values, 1)).astype(np.float32), (-levels * levels / 2).astype(np.float32)
