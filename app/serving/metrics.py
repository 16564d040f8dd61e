"""Metrics of the server in the text format of Prometheus."""

from collections.abc import Callable

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from edge_bench.app.serving.model_worker import Answer

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Upper bounds in seconds, from one invocation of a small model to a large model on a slow machine.
_BUCKETS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counts of requests by status, and histograms of the seconds that inferences took."""

    def __init__(
        self,
        pending: Callable[[], int],
        restarts: Callable[[], int],
        unclassified: Callable[[], int],
        worker: Callable[[], int | None],
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
            ("unclassified_images", "Images for which the model returned scores that are not finite.", unclassified),
            ("worker_resident_bytes", "Memory of the model's worker.", lambda: _resident(worker())),
        ):
            Gauge(f"edge_bench_{name}", words, registry=registry).set_function(read)

    def count_request(self, status: int, seconds: float | None) -> None:
        """Count a finished request. ``seconds`` is its total time if it was an inference, else None."""
        self._requests.labels(status).inc()
        if seconds is not None:
            self._seconds["request"].observe(seconds)

    def observe_inference(self, answer: Answer, images: int, decode_ns: int) -> None:
        """Add a successful inference to the histograms."""
        self._images.inc(images)
        self._seconds["queue"].observe(answer.queue_ns / 1e9)
        self._seconds["decode"].observe(decode_ns / 1e9)
        self._seconds["compute"].observe(answer.inferred.compute_ns / 1e9)

    def text(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self._registry)


def _resident(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
