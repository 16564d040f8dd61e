"""Image files that a decoder must refuse."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

__all__ = ["bomb", "broken_jpeg"]


def bomb() -> bytes:
    """Return a PNG of 20,000×20,000 pixels in under 100 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(2501) * 2000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def broken_jpeg() -> bytes:
    """Return a JPEG that is cut off after 900 bytes."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()[:900]
