"""Remote inference, with every step from an example in memory to its label or outputs timed."""

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_bench.bench.offload.client.http import MAX_ANSWER, Client, RemoteFailed, TimedAnswer
from edge_bench.bench.offload.client.payload import RAW
from edge_bench.bench.offload.client.sources import ImageSource, Source, TensorSource
from edge_bench.bench.offload.measure.messages import (
    Classify,
    Labels,
    PathTimes,
    Prepared,
    PrepareRemote,
    PrepareRemoteGraph,
    Probe,
    Timed,
    TimeRemote,
    WarmedUp,
    WarmUp,
)
from edge_bench.bench.offload.measure.samples import sampled
from edge_bench.bench.offload.records.offload import PARTS
from edge_bench.bench.runtimes.base import Clock
from edge_bench.bench.worker.graphs.messages import Sample, Sampled

__all__ = ["RemoteArmWorker"]

#: Target upload sizes of a probe, in bytes.
_UPLOADS = (1 << 12, 1 << 16, 1 << 18)
#: Maximum bytes of an answer with all outputs of a model.
_MAX_OUTPUTS = 256 << 20


class _Inference(NamedTuple):
    encode_ns: int
    response: TimedAnswer

    @property
    def parts(self) -> tuple[int, ...]:
        """Nanoseconds, in the order of PARTS."""
        response, times = self.response, self.response.answer.times
        return (
            self.encode_ns, response.sent - response.began, response.first - response.sent,
            response.received - response.first, response.decoded - response.received,
            times.queue_ns, times.decode_ns, times.compute_ns, times.total_ns,
        )  # fmt: skip


class RemoteArmWorker:
    """Examples in memory, and open connections: for each link as many as requests in flight."""

    def __init__(self, request: PrepareRemote | PrepareRemoteGraph, clock: Clock = time.perf_counter_ns) -> None:
        self._request, self._clock = request, clock
        self._clients: dict[int | None, list[Client]] = {}
        self._source: Source
        if isinstance(request, PrepareRemote):
            self._source = ImageSource(request.images, request.rows, request.quality)
            self.prepared = Prepared()
            return
        (client,) = self._clients_for(None, 1)
        source = TensorSource(client.metadata(request.model), request.inputs, request.rows, request.timed)
        self._source = source
        self.prepared = Prepared(outputs=source.outputs)

    def warm_up(self, request: WarmUp) -> WarmedUp:
        """Use every connection at least once, and all of them together for at least ``request.least_ns``."""
        clients = self._clients_for(request.port, request.in_flight)
        began, count = self._clock(), 0
        while count < len(clients) or self._clock() - began < request.least_ns:
            self._send(clients[count % len(clients)], request.payload, count % len(self._source))
            count += 1
        image_ns = (self._clock() - began) // count
        return WarmedUp(pass_ns=image_ns * len(self._source) // request.in_flight)

    def trial(self, request: TimeRemote) -> Timed:
        """Time ``request.passes`` passes over all examples, with ``request.in_flight`` requests in flight."""
        clients = self._clients_for(request.port, request.in_flight)
        for client in clients:
            client.reconnect_if_closed()
        count = len(self._source)
        inferences: list[_Inference | None] = [None] * (count * request.passes)
        cpu_began, began = time.process_time_ns(), self._clock()
        if request.in_flight == 1:
            for number in range(len(inferences)):
                inferences[number] = self._send(clients[0], request.payload, number % count)
        else:
            self._send_concurrently(clients, request.payload, inferences)
        elapsed, cpu = self._clock() - began, time.process_time_ns() - cpu_began
        done = [inference for inference in inferences if inference is not None]
        table = np.array([inference.parts for inference in done], np.int64)
        return Timed(
            began_ns=began,
            elapsed_ns=elapsed,
            cpu_ns=cpu,
            latencies=table[:, :5].sum(axis=1).tolist(),
            parts={name: table[:, column].tolist() for column, name in enumerate(PARTS)},
            labels=[int(label) for inference in done[-count:] for label in inference.response.answer.labels],
            bytes_up=sum(inference.response.bytes_up for inference in done),
            bytes_down=sum(inference.response.bytes_down for inference in done),
        )

    def classify(self, request: Classify) -> Labels:
        """Return the labels of any rows of the images file, sent in batches and not timed."""
        (client,) = self._clients_for(None, 1)
        client.reconnect_if_closed()
        source = self._source
        if not isinstance(source, ImageSource):
            raise ValueError("only a classifier has labels")
        size = min(request.batch_size, source.most_at_once)
        labels = list[int]()
        for start in range(0, len(request.rows), size):
            rows = request.rows[start : start + size]
            message = source.request_of_rows(request.payload, rows)
            labels += client.infer(self._request.model, message, len(rows), source.read).answer.labels.tolist()
        return Labels(labels=labels)

    def sample(self, request: Sample) -> Sampled:
        """Return all outputs of some examples, sent one at a time and not timed."""
        source = self._source
        if not isinstance(source, TensorSource):
            raise ValueError("a classifier has no outputs except labels")
        (client,) = self._clients_for(None, 1)
        client.reconnect_if_closed()
        model, read, message = self._request.model, source.read, source.request_of_position
        return sampled(request, lambda at: client.infer(model, message(at), 1, read).answer.outputs)

    def probe(self, request: Probe) -> PathTimes:
        """Time TCP handshakes, empty requests and uploads of growing size, each several times."""
        (client,) = self._clients_for(None, 1)
        client.reconnect_if_closed()
        connect = [client.handshake() for _ in range(request.exchanges)]
        empty = [client.ready() for _ in range(request.exchanges)]
        uploads, times = list[int](), list[int]()
        for size in _UPLOADS:
            count = max(1, min(self._source.most_at_once, size // max(1, self._source.example_bytes)))
            message = self._source.request(RAW, [number % len(self._source) for number in range(count)])
            for _ in range(max(2, request.exchanges // 4)):
                response = client.infer(self._request.model, message, count, self._source.read)
                uploads.append(response.bytes_up)
                times.append(max(0, response.received - response.began - response.answer.times.total_ns))
        return PathTimes(connect_ns=connect, empty_ns=empty, upload_bytes=uploads, upload_ns=times)

    def _clients_for(self, port: int | None, count: int) -> list[Client]:
        clients = self._clients.setdefault(port, [])
        request = self._request
        most = MAX_ANSWER if isinstance(request, PrepareRemote) else _MAX_OUTPUTS
        while len(clients) < count:
            clients.append(
                Client(
                    request.server, through=port, token=request.token, timeout=request.timeout_s, max_answer=most,
                    clock=self._clock,
                )
            )  # fmt: skip
        return clients[:count]

    def _send(self, client: Client, payload: str, index: int) -> _Inference:
        began = self._clock()
        message = self._source.request(payload, [index])
        encode_ns = self._clock() - began
        return _Inference(encode_ns, client.infer(self._request.model, message, 1, self._source.read))

    def _send_concurrently(self, clients: Sequence[Client], payload: str, inferences: list[_Inference | None]) -> None:
        """Send all examples with one thread per connection, and fill ``inferences``. The first failure stops all."""
        numbers, lock = iter(range(len(inferences))), threading.Lock()
        failures = list[RemoteFailed]()

        def work(client: Client) -> None:
            while not failures:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    inferences[number] = self._send(client, payload, number % len(self._source))
                except RemoteFailed as cause:
                    failures.append(cause)

        threads = [threading.Thread(target=work, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
