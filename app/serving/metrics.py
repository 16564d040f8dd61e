"""Metrics of the server in the text format of Prometheus."""

from collections.abc import Callable

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from edge_bench.app.serving.model_worker import Answer

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Upper bounds of the histogram in seconds: from a small model to a large model on a slow machine.
_BUCKETS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counts of requests by status, and histograms of inference times in seconds."""

    def __init__(
        self,
        pending: Callable[[], int],
        restarts: Callable[[], int],
        unclassified: Callable[[], int],
        worker: Callable[[], int | None],
    ) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("edge_bench_requests", "Requests by status.", ["code"], registry=registry)
        self._images = Counter("edge_bench_images", "Images classified.", registry=registry)
        self._seconds = {
            part: Histogram(f"edge_bench_{part}_seconds", words, buckets=_BUCKETS, registry=registry)
            for part, words in (
                ("request", "Time from request headers to response, for inferences."),
                ("queue", "Time waiting for the model."),
                ("decode", "Time from body to model inputs."),
                ("compute", "Time of model invocations."),
            )
        }
        for name, words, read in (
            ("pending_requests", "Requests waiting for the model or running.", pending),
            ("worker_restarts", "Worker restarts after a crash or timeout.", restarts),
            ("unclassified_images", "Images with scores that are not finite.", unclassified),
            ("worker_resident_bytes", "Memory of the worker process.", lambda: _resident(worker())),
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
