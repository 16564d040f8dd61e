"""Decoding of an image file to pixels of the model's input size: uint8 [height, width, channels]."""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError, MissingDependency
from edge_bench.bench.io.files import read_bounded, why_unreadable
from edge_bench.bench.preprocessing.presets import BORDER, Geometry
from edge_bench.bench.tasks.detection.letterbox import letterboxed

__all__ = ["ImageFacts", "UnknownRange", "decode", "decode_with_facts", "eight_bit", "image_size", "require_pillow"]

#: Larger images are refused as decompression bombs, as in Pillow. This is 360 MB decoded.
MAX_PIXELS = 89_478_485
MAX_FILE_BYTES = 256 << 20
#: Images with more pixels are decoded one at a time, to limit memory.
LARGE_PIXELS = 8_000_000
#: Accepted formats, regardless of the file's name. Some of Pillow's other decoders start external programs (EPS).
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "GIF")
_PIXELS_PER_STEP = 4_000_000
_large_image_lock = threading.Lock()


class UnknownRange(ValueError):
    """It is unknown which of an image's values are black and white."""


@dataclass(frozen=True)
class ImageFacts:
    """Properties of an image file other than its pixels."""

    orientation: int = 1  # EXIF: 1 is upright, 2 to 8 are rotated or mirrored
    peak: int | None = None  # highest of the 16-bit values; None if it has 8 bits or colours
    size: tuple[int, int] = (0, 0)  # width and height in pixels, after rotation to upright, if applied


def require_pillow() -> Any:
    """Return Pillow's Image module; raise MissingDependency if it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency(
            "Pillow, which is needed to read image files, is not installed", "pip install pillow"
        ) from None
    Image.MAX_IMAGE_PIXELS = None  # this module has the same limit, with its own message
    return Image


def image_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's header; raise DatasetError if it is not an image."""
    with _opened(path) as image:
        size: tuple[int, int] = image.size
        return size


def decode(path: Path, geometry: Geometry) -> npt.NDArray[np.uint8]:
    """Decode a file, convert it to greyscale or RGB, crop and resample it.

    Values of 16 bits per channel lose their low byte; see `eight_bit`. Palettes, CMYK and transparency are converted by
    Pillow. Without ``geometry.exif_orientation`` the EXIF orientation is ignored, as by the loaders behind ImageNet's
    published accuracies. Pillow always applies a TIFF's own orientation. Raise DatasetError for a file that is damaged,
    too large, not an image, or has values of unknown range.
    """
    return decode_with_facts(path, geometry)[0]


def decode_with_facts(path: Path, geometry: Geometry) -> tuple[npt.NDArray[np.uint8], ImageFacts]:
    """Decode a file as `decode` does; also return facts that may show that its pixels are not as expected."""
    image_module = require_pillow()
    with _opened(path) as image:
        width, height = image.size
        with _large_image_lock if width * height > LARGE_PIXELS else contextlib.nullcontext():
            image.load()
            orientation = _exif_orientation(image)
            if geometry.exif_orientation and orientation != 1:
                from PIL import ImageOps

                image = ImageOps.exif_transpose(image)  # noqa: PLW2901 - the file is closed all the same
            converted, peak = _converted(image, geometry.channels, image_module)
            facts = ImageFacts(orientation, peak, (int(image.size[0]), int(image.size[1])))
            return _resampled(converted, geometry, image_module), facts


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield the image before its pixels are decoded. Raise any error with it as DatasetError."""
    image_module = require_pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = image_module.open(io.BytesIO(read_bounded(path, MAX_FILE_BYTES)), formats=FORMATS)
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise DatasetError(
                    f"{path}: {width:,}×{height:,} pixels, more than the limit of {MAX_PIXELS // 1_000_000} million",
                    "make the image smaller, or remove it",
                )
            yield image
    except DatasetError:
        raise
    except UnknownRange as cause:
        raise DatasetError(
            f"{path}: {cause}", "convert the images to 8 bits per channel, or ignore such files with --skip-broken"
        ) from None
    except Exception as cause:  # Pillow's decoders raise errors of any type for damaged files
        unknown = type(cause).__name__ == "UnidentifiedImageError"
        reason = f"not one of {', '.join(FORMATS)}" if unknown else why_unreadable(cause)
        raise DatasetError(
            f"{path}: invalid or truncated image: {reason}",
            "repair or remove it, or skip such files with --skip-broken",
        ) from None


def eight_bit(image: Any, channels: int, image_module: Any) -> Any:
    """Convert to greyscale or RGB with 8 bits per channel.

    16-bit values, 0 to 65,535, keep their high byte, and 12-bit values of TIFF their high eight bits. Raise
    UnknownRange for signed, 32-bit and floating-point values.
    """
    return _converted(image, channels, image_module)[0]


def _converted(image: Any, channels: int, image_module: Any) -> tuple[Any, int | None]:
    """Return the image with 8 bits per channel, and the highest value if its grey values have 16 bits."""
    bits, inverted = _sample_format(image)
    peak = None
    if image.mode.startswith("I"):  # in Pillow 11 and newer I;16 for PNG and TIFF, I for PPM
        image, peak = _high_bits(image, bits, inverted, image_module)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("L" if channels == 1 else "RGB"), peak if bits == _DEEP else None


_DEEP = 16
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_PLANAR, _TIFF_SAMPLE_FORMAT = 258, 262, 284, 339


def _sample_format(image: Any) -> tuple[int, bool]:
    """Return the bits of deep grey values, and whether 0 is white; raise UnknownRange if the range is unknown."""
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        if image.mode == "F":
            raise UnknownRange("floating-point pixels, whose range is unknown")
        return _DEEP, False
    bits, kinds = max(tags.get(_TIFF_BITS, (1,))), set(tags.get(_TIFF_SAMPLE_FORMAT, (1,)))
    if image.mode == "F" or 3 in kinds:
        raise UnknownRange("floating-point pixels, whose range is unknown")
    if bits > _DEEP:
        raise UnknownRange(f"{bits}-bit pixel values, whose range is unknown")
    if 2 in kinds:
        raise UnknownRange("signed pixel values, whose range is unknown")
    if bits == _DEEP and tags.get(_TIFF_PLANAR, 1) != 1:
        raise UnknownRange("16-bit channels stored one after the other, which Pillow misreads")
    return bits, tags.get(_TIFF_PHOTOMETRIC) == 0


def _high_bits(image: Any, bits: int, inverted: bool, image_module: Any) -> tuple[Any, int]:
    """Return the high eight bits and the highest value, in groups of rows to limit memory."""
    width, height = image.size
    pixels, peak = np.empty((height, width), np.uint8), 0
    step = max(1, _PIXELS_PER_STEP // width)
    for start in range(0, height, step):
        stop = min(start + step, height)
        values = np.asarray(image.crop((0, start, width, stop))).astype(np.int64)
        peak = max(peak, int(values.max()))
        high = np.clip(values >> (bits - 8), 0, 255)
        pixels[start:stop] = 255 - high if inverted else high
    return image_module.fromarray(pixels), peak


def _exif_orientation(image: Any) -> int:
    """Return the EXIF orientation, 1 if it is missing or damaged."""
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # Pillow raises errors of any type for damaged EXIF data
        return 1
    return value if value in range(2, 9) else 1


_EXIF_ORIENTATION = 0x0112


def _resampled(image: Any, geometry: Geometry, image_module: Any) -> npt.NDArray[np.uint8]:
    target = (geometry.width, geometry.height)
    if geometry.letterbox:
        image = _letterboxed(image, geometry, image_module)
    elif image.size != target or geometry.crop < 1:
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
        image = image.resize(target, _method(geometry, image_module), box=box)
    pixels: npt.NDArray[np.uint8] = np.asarray(image, np.uint8)
    return pixels.reshape(geometry.height, geometry.width, geometry.channels)


def _letterboxed(image: Any, geometry: Geometry, image_module: Any) -> Any:
    """Return the whole image with its proportions, at the position from `letterboxed`, with borders."""
    target = (geometry.width, geometry.height)
    placement = letterboxed(image.size, target)
    size = tuple(round(side * scale) for side, scale in zip(image.size, placement.scale, strict=True))
    if size != image.size:
        image = image.resize(size, _method(geometry, image_module))
    whole = image_module.new(image.mode, target, BORDER if geometry.channels == 1 else (BORDER,) * 3)
    whole.paste(image, tuple(map(int, placement.offset)))
    return whole


_PILLOW_METHODS = ("nearest", "bilinear", "bicubic", "lanczos")


def _method(geometry: Geometry, image_module: Any) -> Any:
    resampling = image_module.Resampling
    methods = {"area": resampling.BOX, **{name: getattr(resampling, name.upper()) for name in _PILLOW_METHODS}}
    return methods[geometry.interpolation]
