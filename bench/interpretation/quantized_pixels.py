"""Quantized inputs whose 256 steps may be the 256 values of a pixel."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.preprocessing.presets import PRESETS
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec

__all__ = ["fits_one_step", "saturates", "stored_pixels"]

_PIXELS = np.arange(256, dtype=np.float64)
_ONE_STEP = 1 + 1e-3


def stored_pixels(spec: TensorSpec) -> Preprocessing | None:
    """Return the preprocessing that stores every pixel unchanged (int8: pixel - 128); None if that is impossible."""
    if not _has_256_steps(spec):
        return None
    lowest = _stored(spec)[0]
    return Preprocessing(scale=spec.scale, offset=float((lowest - spec.zero_point) * spec.scale))


def fits_one_step(spec: TensorSpec, known: Sequence[Preprocessing] | None = None) -> bool:
    """Return whether a preprocessing in ``known`` changes no stored pixel by more than one step.

    The difference is then only its rounding, and the model was trained with unchanged pixels. By default, ``known`` has
    the ranges 0 to 255, 0 to 1, and -1 to 1.
    """
    if not _has_256_steps(spec):
        return False
    presets = [PRESETS[name].preprocessing() for name in ("raw", "unit", "imagenet-tf")]
    return any(
        np.abs(_levels(spec, preprocessing) - _stored(spec)[:, None]).max() <= _ONE_STEP
        for preprocessing in (presets if known is None else known)
    )


def saturates(spec: TensorSpec, preprocessing: Preprocessing) -> bool:
    """Return whether pixels exceed the lowest or highest step by more than one step."""
    if not _has_256_steps(spec):
        return False
    levels, stored = _levels(spec, preprocessing), _stored(spec)
    return bool(levels.min() < stored[0] - _ONE_STEP or levels.max() > stored[-1] + _ONE_STEP)


def _has_256_steps(spec: TensorSpec) -> bool:
    return spec.dtype in ("int8", "uint8") and bool(spec.scale)


def _stored(spec: TensorSpec) -> npt.NDArray[np.float64]:
    return _PIXELS - (128 if spec.dtype == "int8" else 0)


def _levels(spec: TensorSpec, preprocessing: Preprocessing) -> npt.NDArray[np.float64]:
    """Return the stored value of every pixel before it is rounded, [256, channels]."""
    scales, offsets = np.atleast_1d(preprocessing.scale), np.atleast_1d(preprocessing.offset)
    levels: npt.NDArray[np.float64] = (_PIXELS[:, None] * scales + offsets) / spec.scale + spec.zero_point
    return levels
