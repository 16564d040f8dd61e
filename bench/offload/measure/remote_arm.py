"""Inference there: images to the server and labels back, each step of the way timed."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.offload.client.http import Client, Exchange, RemoteFailed
from edge_bench.bench.offload.client.open_inference import Request, infer_request
from edge_bench.bench.offload.client.payload import RAW, encoded
from edge_bench.bench.offload.measure.messages import (
    Classify,
    Labels,
    PathTimes,
    Prepared,
    PrepareRemote,
    Probe,
    Timed,
    TimeRemote,
    Warm,
    Warmed,
)
from edge_bench.bench.offload.records.offload import PARTS
from edge_bench.bench.runtimes.base import Clock

__all__ = ["RemoteArmWorker"]

#: Upload sizes of a probe, in bytes, as far as the server takes that many images.
_UPLOADS = (1 << 12, 1 << 16, 1 << 18)
_MOST_IMAGES = 100


class _Sent(NamedTuple):
    encode_ns: int
    exchange: Exchange

    @property
    def parts(self) -> tuple[int, ...]:
        """In the order of PARTS."""
        one, times = self.exchange, self.exchange.answer.times
        return (
            self.encode_ns, one.sent - one.began, one.first - one.sent, one.received - one.first,
            one.decoded - one.received, times.queue_ns, times.decode_ns, times.compute_ns, times.total_ns,
        )  # fmt: skip


class RemoteArmWorker:
    """Images in memory and connections that are kept open, one a request in flight and a link."""

    def __init__(self, request: PrepareRemote, clock: Clock = time.perf_counter_ns) -> None:
        self._request, self._clock = request, clock
        self._images = open_npy(Path(request.images))
        self._chosen = np.array(self._images[request.rows])
        self._clients: dict[int | None, list[Client]] = {}
        self.prepared = Prepared()

    def warm(self, request: Warm) -> Warmed:
        """Every connection once at least, and all of them for the time that is asked for."""
        clients = self._connected(request.port, request.in_flight)
        began, count = self._clock(), 0
        while count < len(clients) or self._clock() - began < request.least_ns:
            self._send(clients[count % len(clients)], request.payload, count % len(self._chosen))
            count += 1
        each = (self._clock() - began) // count
        return Warmed(pass_ns=each * len(self._chosen) // request.in_flight)

    def trial(self, request: TimeRemote) -> Timed:
        """So many passes over all images, ``in_flight`` of them on their way at any time."""
        clients = self._connected(request.port, request.in_flight)
        for client in clients:
            client.revive()
        count = len(self._chosen)
        sent: list[_Sent | None] = [None] * (count * request.passes)
        cpu_began, began = time.process_time_ns(), self._clock()
        if request.in_flight == 1:
            for number in range(len(sent)):
                sent[number] = self._send(clients[0], request.payload, number % count)
        else:
            self._at_once(clients, request.payload, sent)
        elapsed, cpu = self._clock() - began, time.process_time_ns() - cpu_began
        done = [one for one in sent if one is not None]
        table = np.array([one.parts for one in done], np.int64)
        return Timed(
            began_ns=began,
            elapsed_ns=elapsed,
            cpu_ns=cpu,
            latencies=table[:, :5].sum(axis=1).tolist(),
            parts={name: table[:, place].tolist() for place, name in enumerate(PARTS)},
            labels=[int(one.exchange.answer.labels[0]) for one in done[-count:]],
            bytes_up=sum(one.exchange.bytes_up for one in done),
            bytes_down=sum(one.exchange.bytes_down for one in done),
        )

    def classify(self, request: Classify) -> Labels:
        """Labels of any images of the file, in batches: what they are, not how long they take."""
        (client,) = self._connected(None, 1)
        client.revive()
        size = min(request.batch_size, _MOST_IMAGES)
        labels = list[int]()
        for start in range(0, len(request.rows), size):
            rows = request.rows[start : start + size]
            asked = self._infer_request(request.payload, [np.array(self._images[row]) for row in rows])
            labels += client.infer(self._request.model, asked, len(rows)).answer.labels.tolist()
        return Labels(labels=labels)

    def probe(self, request: Probe) -> PathTimes:
        """Connecting, requests without content, then uploads of growing size, each several times."""
        (client,) = self._connected(None, 1)
        client.revive()
        connect = [client.handshake() for _ in range(request.exchanges)]
        empty = [client.ready() for _ in range(request.exchanges)]
        uploads, times = list[int](), list[int]()
        for size in _UPLOADS:
            count = max(1, min(_MOST_IMAGES, size // max(1, self._chosen[0].nbytes)))
            images = [self._chosen[number % len(self._chosen)] for number in range(count)]
            asked = self._infer_request(RAW, images)
            for _ in range(max(2, request.exchanges // 4)):
                got = client.infer(self._request.model, asked, count)
                uploads.append(got.bytes_up)
                times.append(max(0, got.received - got.began - got.answer.times.total_ns))
        return PathTimes(connect_ns=connect, empty_ns=empty, upload_bytes=uploads, upload_ns=times)

    def _connected(self, port: int | None, count: int) -> list[Client]:
        clients = self._clients.setdefault(port, [])
        request = self._request
        while len(clients) < count:
            clients.append(
                Client(request.server, through=port, token=request.token, timeout=request.timeout_s, clock=self._clock)
            )
        return clients[:count]

    def _infer_request(
        self, payload: str, images: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]
    ) -> Request:
        parts = [encoded(payload, image, self._request.quality) for image in images]
        return infer_request(payload, parts, images[0].shape, images[0].dtype.name)

    def _send(self, client: Client, payload: str, place: int) -> _Sent:
        began = self._clock()
        asked = self._infer_request(payload, [self._chosen[place]])
        encode = self._clock() - began
        return _Sent(encode, client.infer(self._request.model, asked, 1))

    def _at_once(self, clients: Sequence[Client], payload: str, sent: list[_Sent | None]) -> None:
        """A thread a connection; each takes the next image that none has taken. The first failure ends all."""
        numbers, lock = iter(range(len(sent))), threading.Lock()
        failures = list[RemoteFailed]()

        def work(client: Client) -> None:
            while not failures:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    sent[number] = self._send(client, payload, number % len(self._chosen))
                except RemoteFailed as cause:
                    failures.append(cause)

        threads = [threading.Thread(target=work, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
