"""Inference requests and responses as bytes, and the server's metrics."""

import io
import socket
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.app.serving.server import Served, pixels

__all__ = ["encoded", "files", "metrics", "png", "read_response", "request_head"]

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


def request_head(server: Served, *headers: str) -> bytes:
    """Return the request line and headers of an inference request."""
    return "\r\n".join([f"POST /v2/models/{server.name}/infer HTTP/1.1", "Host: here", *headers, "", ""]).encode()


def read_response(connection: socket.socket) -> bytes:
    """Return a response without a body, a response that ends with a JSON object, or all bytes until the end."""
    received = b""
    while part := connection.recv(65536):
        received += part
        if b"\r\n\r\n" in received and b"content-length: 0" not in received and received.endswith(b"}"):
            break
    return received
