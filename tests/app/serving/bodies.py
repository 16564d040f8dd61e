"""Bodies of inference requests, and the server's metrics."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.app.serving.server import Served, pixels

__all__ = ["encoded", "files", "metrics", "png"]

Images = npt.NDArray[np.uint8]


def png(image: Images) -> bytes:
    """Return a grey image (shape [height, width, 1]) as a PNG file."""
    return encoded(image, "PNG")


def encoded(image: Images, form: str) -> bytes:
    """Return a grey image as a file of a format that Pillow writes."""
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).save(file, form)
    return file.getvalue()


def files(contents: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """Return a request with image files in binary, and its tensor data."""
    data = b"".join(len(content).to_bytes(4, "little") + content for content in contents)
    request, _ = pixels(
        np.zeros(0, np.uint8),
        datatype="BYTES",
        shape=[len(contents)],
        parameters={"binary_data_size": len(data)},
    )
    return request, data


def metrics(server: Served) -> dict[str, float]:
    """Return the values of GET /metrics by name and labels."""
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}
