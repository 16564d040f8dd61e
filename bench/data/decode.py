"""One image file as pixels of the model's size: uint8 [height, width, channels]."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data.preprocess import Geometry
from bench.errors import DatasetError, MissingDependency

__all__ = ["decode", "eight_bit", "require_pillow"]

#: Larger images are taken for decompression bombs: a 100-megapixel photograph is 300 MB decoded.
MAX_PIXELS = 100_000_000
MAX_FILE_BYTES = 256 << 20


def require_pillow() -> Any:
    """Pillow's Image module. MissingDependency where it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency(
            "reading image files needs Pillow, which is not installed", "pip install 'edge-bench[edge]'"
        ) from None
    Image.MAX_IMAGE_PIXELS = None  # the limit is this module's, which says it in its own words
    return Image


def decode(path: Path, geometry: Geometry) -> npt.NDArray[np.uint8]:
    """Decodes, converts to grey or RGB, cuts and resamples.

    16-bit grey images lose their low byte; palettes, CMYK and transparency are converted as Pillow does; an EXIF
    orientation is not applied, as it is not by the loaders that ImageNet's published accuracies come from.
    DatasetError says what is wrong with a file.
    """
    image_module = require_pillow()
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DatasetError(f"{path}: more than {MAX_FILE_BYTES >> 20} MiB", "make it smaller, or take it away")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = image_module.open(io.BytesIO(path.read_bytes()))
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise DatasetError(
                    f"{path}: {width:,}×{height:,} pixels; more than {MAX_PIXELS // 1_000_000} million are refused",
                    "make it smaller, or take it away",
                )
            return _resampled(eight_bit(image, geometry.channels, image_module), geometry, image_module)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as cause:
        raise DatasetError(
            f"{path}: not a whole image: {str(cause).splitlines()[0][:120] if str(cause) else type(cause).__name__}",
            "mend it or take it away, or leave such files out with --skip-broken",
        ) from None


def eight_bit(image: Any, channels: int, image_module: Any) -> Any:
    """Grey or RGB with eight bits a channel, whatever it was; ValueError where it is not known what values mean."""
    if image.mode.startswith("I"):  # 16 bits a pixel, in a 32-bit image in some formats
        values = np.asarray(image).astype(np.int64)
        image = image_module.fromarray(np.clip(values >> 8, 0, 255).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is not known")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("L" if channels == 1 else "RGB")


def _resampled(image: Any, geometry: Geometry, image_module: Any) -> npt.NDArray[np.uint8]:
    target = (geometry.width, geometry.height)
    if image.size != target or geometry.crop < 1:
        width, height = image.size
        box = (0.0, 0.0, float(width), float(height))
        if not geometry.squash:
            share = min(width / geometry.width, height / geometry.height) * geometry.crop
            half_width, half_height = geometry.width * share / 2, geometry.height * share / 2
            box = (
                max(0.0, width / 2 - half_width),
                max(0.0, height / 2 - half_height),
                min(float(width), width / 2 + half_width),
                min(float(height), height / 2 + half_height),
            )
        names = image_module.Resampling
        methods = {"area": names.BOX, **{name: getattr(names, name.upper()) for name in _PILLOW}}
        image = image.resize(target, methods[geometry.interpolation], box=box)
    pixels: npt.NDArray[np.uint8] = np.asarray(image, np.uint8)
    return pixels.reshape(geometry.height, geometry.width, geometry.channels)


_PILLOW = ("nearest", "bilinear", "bicubic", "lanczos")
