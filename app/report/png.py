"""Test images as PNG data addresses: small, exact, and without an imaging library."""

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

__all__ = ["LARGEST_SIDE", "png", "png_address"]

#: Thumbnails need no more pixels than that on a side.
LARGEST_SIDE = 96
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels → grey, grey + alpha, RGB, RGBA


def png_address(image: npt.NDArray[np.uint8]) -> str:
    """``data:image/png;base64,…`` of an image of shape [height, width, channels], thinned out where it is large."""
    step = -(-max(image.shape[:2]) // LARGEST_SIDE)
    return "data:image/png;base64," + base64.b64encode(png(image[::step, ::step])).decode("ascii")


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file; image: uint8 of shape [height, width, channels], 1 to 4 channels; of more, the first is shown.

    Source: W3C, Portable Network Graphics Specification, third edition.
    """
    if image.shape[2] not in _COLOUR_TYPES:
        image = image[:, :, :1]
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    lines = np.zeros((height, 1 + width * channels), dtype=np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = image.reshape(height, -1)
    body = zlib.compress(lines.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
