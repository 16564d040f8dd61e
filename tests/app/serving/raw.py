"""Requests and responses as bytes on a socket."""

import socket

from tests.app.serving.server import Served

__all__ = ["read_response", "request_head"]


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
