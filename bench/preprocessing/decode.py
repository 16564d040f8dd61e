"""Decoding of an image file to pixels of the model's input size: uint8 [height, width, channels]."""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError, MissingDependency
from edge_bench.bench.io.files import read_bounded, why_unreadable
from edge_bench.bench.preprocessing.presets import Geometry

__all__ = ["decode", "eight_bit", "image_size", "require_pillow"]

#: Larger images count as decompression bombs, as in Pillow; this is 360 MB decoded.
MAX_PIXELS = 89_478_485
MAX_FILE_BYTES = 256 << 20
#: Of images with more pixels, only one is decoded at a time, to bound memory.
LARGE_PIXELS = 8_000_000
#: Accepted formats, whatever the file's name. Some of Pillow's other decoders start external programs (EPS).
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "GIF")
_PIXELS_PER_STEP = 4_000_000
_large_image_lock = threading.Lock()


def require_pillow() -> Any:
    """Return Pillow's Image module; raise MissingDependency if it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency(
            "reading image files needs Pillow, which is not installed", "pip install 'edge-bench[edge]'"
        ) from None
    Image.MAX_IMAGE_PIXELS = None  # this module has the same limit, with its own message
    return Image


def image_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's header; raise DatasetError if it is no image."""
    with _opened(path) as image:
        size: tuple[int, int] = image.size
        return size


def decode(path: Path, geometry: Geometry) -> npt.NDArray[np.uint8]:
    """Decode a file, convert it to greyscale or RGB, crop and resample it.

    16-bit greyscale images lose their low byte. Palettes, CMYK and transparency are converted by Pillow. The EXIF
    orientation is ignored, as by the loaders behind ImageNet's published accuracies. Raise DatasetError for a file that
    is damaged, too large or no image.
    """
    image_module = require_pillow()
    with _opened(path) as image:
        width, height = image.size
        with _large_image_lock if width * height > LARGE_PIXELS else contextlib.nullcontext():
            return _resampled(eight_bit(image, geometry.channels, image_module), geometry, image_module)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield the image before its pixels are decoded; any error with it is raised as DatasetError."""
    image_module = require_pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = image_module.open(io.BytesIO(read_bounded(path, MAX_FILE_BYTES)), formats=FORMATS)
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise DatasetError(
                    f"{path}: {width:,}×{height:,} pixels; more than {MAX_PIXELS // 1_000_000} million are refused",
                    "make it smaller, or take it away",
                )
            yield image
    except DatasetError:
        raise
    except Exception as cause:  # Pillow's decoders raise errors of any type for damaged files
        unknown = type(cause).__name__ == "UnidentifiedImageError"
        reason = f"none of {', '.join(FORMATS)}" if unknown else why_unreadable(cause)
        raise DatasetError(
            f"{path}: not a whole image: {reason}",
            "mend it or take it away, or leave such files out with --skip-broken",
        ) from None


def eight_bit(image: Any, channels: int, image_module: Any) -> Any:
    """Convert to greyscale or RGB with 8 bits per channel; raise ValueError if the range of the values is unknown."""
    if image.mode.startswith("I"):  # 16 bits a pixel, in a 32-bit image in some formats
        image = _high_bytes(image, image_module)
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is not known")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("L" if channels == 1 else "RGB")


def _high_bytes(image: Any, image_module: Any) -> Any:
    """Return the high bytes of 16-bit values, converted in groups of rows, as it takes several times their memory."""
    width, height = image.size
    pixels = np.empty((height, width), np.uint8)
    step = max(1, _PIXELS_PER_STEP // width)
    for start in range(0, height, step):
        stop = min(start + step, height)
        values = np.asarray(image.crop((0, start, width, stop))).astype(np.int64)
        pixels[start:stop] = np.clip(values >> 8, 0, 255)
    return image_module.fromarray(pixels)


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
        resampling = image_module.Resampling
        methods = {"area": resampling.BOX, **{name: getattr(resampling, name.upper()) for name in _PILLOW_METHODS}}
        image = image.resize(target, methods[geometry.interpolation], box=box)
    pixels: npt.NDArray[np.uint8] = np.asarray(image, np.uint8)
    return pixels.reshape(geometry.height, geometry.width, geometry.channels)


_PILLOW_METHODS = ("nearest", "bilinear", "bicubic", "lanczos")
