"""What the server counts, in Prometheus' text form."""

from collections.abc import Callable

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from edge_bench.app.serving.model_worker import Answer

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Seconds: from a small model's invocation to a large one's on a slow machine.
_BUCKETS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counts requests by what became of them, and where the time of inferences went."""

    def __init__(
        self, pending: Callable[[], int], restarts: Callable[[], int], worker: Callable[[], int | None]
    ) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("edge_bench_requests", "Requests by their status.", ["code"], registry=registry)
        self._images = Counter("edge_bench_images", "Images classified.", registry=registry)
        self._seconds = {
            part: Histogram(f"edge_bench_{part}_seconds", words, buckets=_BUCKETS, registry=registry)
            for part, words in (
                ("request", "From a request's headers to its answer, of inferences."),
                ("queue", "Waiting for the model."),
                ("decode", "From a body to the model's inputs."),
                ("compute", "The model's invocations."),
            )
        }
        for name, words, read in (
            ("pending_requests", "Requests that wait for the model or are computed.", pending),
            ("worker_restarts", "Workers started again after a crash or a time-out.", restarts),
            ("worker_resident_bytes", "Memory of the model's worker.", lambda: _resident(worker())),
        ):
            Gauge(f"edge_bench_{name}", words, registry=registry).set_function(read)

    def answered(self, status: int, seconds: float | None) -> None:
        """A request is over; ``seconds`` where it was an inference."""
        self._requests.labels(status).inc()
        if seconds is not None:
            self._seconds["request"].observe(seconds)

    def inferred(self, answer: Answer, images: int, decode_ns: int) -> None:
        """The model has answered."""
        self._images.inc(images)
        self._seconds["queue"].observe(answer.queue_ns / 1e9)
        self._seconds["decode"].observe(decode_ns / 1e9)
        self._seconds["compute"].observe(answer.inferred.compute_ns / 1e9)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)


def _resident(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
