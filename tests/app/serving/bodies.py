"""Bodies of inference requests, and the counts of a server."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.app.serving.server import Served, pixels

__all__ = ["counted", "encoded", "files", "png"]

Images = npt.NDArray[np.uint8]


def png(image: Images) -> bytes:
    return encoded(image, "PNG")


def encoded(image: Images, form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).save(file, form)
    return file.getvalue()


def files(contents: list[bytes]) -> tuple[dict[str, Any], bytes]:
    data = b"".join(len(content).to_bytes(4, "little") + content for content in contents)
    return pixels(
        np.zeros(0, np.uint8),
        datatype="BYTES",
        shape=[len(contents)],
        parameters={"binary_data_size": len(data)},
    )[0], data


def counted(server: Served) -> dict[str, float]:
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}
