"""Encodings of sent images: raw pixels, PNG or JPEG."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput

__all__ = ["JPEG", "PAYLOADS", "PNG", "RAW", "encode_image", "payload_problem", "payloads_from"]

RAW, PNG, JPEG = "raw", "png", "jpeg"
PAYLOADS = (RAW, PNG, JPEG)
_MODES = {1: "L", 3: "RGB"}


def payloads_from(names: list[str]) -> list[str]:
    """Return the names without duplicates. Raise BadInput for an unknown name."""
    unknown = [name for name in names if name not in PAYLOADS]
    if unknown or not names:
        raise BadInput(f"unknown --payload {','.join(unknown) or 'nothing'}", f"choose from {', '.join(PAYLOADS)}")
    return list(dict.fromkeys(names))


def payload_problem(payload: str, images: npt.NDArray[Any]) -> str:
    """Return why images [n, …] cannot be sent as this payload; empty if they can."""
    if payload == RAW:
        return ""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in _MODES:
        return f"a {payload.upper()} has grey or RGB pixels, but these are {images.dtype} of shape {images.shape[1:]}"
    return ""


def encode_image(payload: str, image: npt.NDArray[Any], quality: int) -> bytes:
    """Return one image as bytes: uint8 [height, width, channels], or any array if raw. JPEG ``quality`` is 1 to 95."""
    if payload == RAW:
        return image.tobytes()
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image, _MODES[image.shape[-1]])
    buffer = io.BytesIO()
    if payload == PNG:
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
