"""Quantized inputs whose 256 steps are the 256 values of a pixel."""

from collections.abc import Sequence

import numpy as np

from edge_bench.bench.preprocessing.presets import PRESETS
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec

__all__ = ["unchanged_pixels"]

_ONE_STEP = 1 + 1e-3


def unchanged_pixels(spec: TensorSpec, known: Sequence[Preprocessing] | None = None) -> Preprocessing | None:
    """Return the preprocessing that makes every stored input equal to the pixel (int8: pixel - 128), or None.

    That is what the model was trained with if a preprocessing in ``known`` moves no pixel by more than one step, as
    then its rounding is all that differs. By default the known ones are 0 to 255, 0 to 1, and -1 to 1.
    """
    if spec.dtype not in ("int8", "uint8") or not spec.scale:
        return None
    pixels = np.arange(256, dtype=np.float64)
    stored = pixels - (128 if spec.dtype == "int8" else 0)
    presets = [PRESETS[name].preprocessing() for name in ("raw", "unit", "imagenet-tf")]
    for preprocessing in presets if known is None else known:
        scales, offsets = np.atleast_1d(preprocessing.scale), np.atleast_1d(preprocessing.offset)
        levels = (pixels[:, None] * scales + offsets) / spec.scale + spec.zero_point
        if np.abs(levels - stored[:, None]).max() <= _ONE_STEP:
            return Preprocessing(scale=spec.scale, offset=float((stored[0] - spec.zero_point) * spec.scale))
    return None
