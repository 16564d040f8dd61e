"""Several requests on one connection, sent before the first is answered."""

import asyncio
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("uvicorn")
from uvicorn import Config
from uvicorn.server import ServerState

from edge_bench.app.serving.http_limits import HEADER_BYTES, BoundedHttp

REQUEST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n"


async def ignore(scope: Any, receive: Any, send: Any) -> None:
    """An application that never answers."""
    await asyncio.Event().wait()


async def written_for(*packets: bytes) -> bytes:
    """What the protocol writes to a client that sends these packets."""
    config = Config(ignore, http=BoundedHttp, lifespan="off", log_config=None)
    config.load()
    protocol = BoundedHttp(config=config, server_state=ServerState(), app_state={})
    transport = mock.MagicMock(spec=asyncio.Transport)
    transport.get_extra_info.return_value = None
    transport.can_write_eof.return_value = False
    transport.is_closing.side_effect = lambda: transport.close.called
    protocol.connection_made(transport)
    for packet in packets:
        protocol.data_received(packet)
    written = b"".join(call.args[0] for call in transport.write.call_args_list)
    closed = b"closed" if transport.close.called else b""
    protocol.connection_lost(None)
    return written + closed


def test_a_large_body_and_the_start_of_the_next_request_in_one_packet_are_accepted() -> None:
    body = bytes(HEADER_BYTES + 1)
    assert asyncio.run(written_for(REQUEST % len(body) + body + b"GET /next HTTP/1.1\r\nHo")) == b""


def test_a_header_that_is_too_large_closes_the_connection() -> None:
    packets = [b"GET / HTTP/1.1\r\n", *[b"X-%d: %s\r\n" % (n, bytes(b"x" * 8000)) for n in range(10)]]
    assert asyncio.run(written_for(*packets)).endswith(b"closed")
