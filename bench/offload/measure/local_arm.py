"""Local inference, timed from the stored pixels of one image to its label."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.offload.measure.messages import Classify, Labels, Prepared, PrepareLocal, Timed, TimeLocal
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, with_known_output
from edge_bench.bench.runtimes.scores import labels_and_top_five
from edge_bench.bench.worker.durations import WARM_UP

__all__ = ["LocalArmWorker"]


class LocalArmWorker:
    """A loaded and warmed-up model that classifies one image at a time."""

    def __init__(self, request: PrepareLocal, load: Loader, clock: Clock = time.perf_counter_ns) -> None:
        self._clock, self._preprocessing = clock, request.preprocessing
        self._images = open_npy(request.images)
        configuration = request.configuration
        shape = None if request.input_shape is None else tuple(request.input_shape)
        self._session = with_known_output(load(ModelFile(request.file, configuration.threads, 1, shape)))
        self._threshold, self._class_of_output = request.threshold, request.class_of_output
        # copied into memory, like pixels from a camera, so that no trial waits for the disk
        self._timed_images = np.array(self._images[request.rows])
        sizes = [max(1, size) for size in self._session.output.shape[1:]]
        self._scores = np.zeros((1, *sizes), self._session.output.dtype)
        began, count, least = clock(), 0, WARM_UP.nanoseconds()
        while not count or clock() - began < least:
            self._classify_image(self._timed_images[count % len(self._timed_images)])
            count += 1
        self.prepared = Prepared(pass_ns=(clock() - began) * len(self._timed_images) // count)

    def _classify_image(self, image: npt.NDArray[Any]) -> tuple[int, int, int]:
        """Return the nanoseconds for preparing the input, for inference with copies, and for resets of the state."""
        began = self._clock()
        inputs = model_inputs(image[np.newaxis], self._preprocessing, self._session.input)
        ready = self._clock()
        times = self._session.classify(inputs, self._scores, self._clock)
        return ready - began, self._clock() - ready - times.reset_ns, times.reset_ns

    def _labels(self, scores: list[npt.NDArray[Any]]) -> list[int]:
        output = self._session.output
        labelled = labels_and_top_five(np.concatenate(scores), output, self._threshold, self._class_of_output)
        labels: list[int] = labelled.labels.tolist()
        return labels

    def trial(self, request: TimeLocal) -> Timed:
        """Time ``request.passes`` passes over all timed images."""
        prepare, model, scores, resets = list[int](), list[int](), list[npt.NDArray[Any]](), 0
        cpu_began, began = time.process_time_ns(), self._clock()
        for _ in range(request.passes):
            scores = []
            for image in self._timed_images:
                prepare_ns, model_ns, reset_ns = self._classify_image(image)
                prepare.append(prepare_ns)
                model.append(model_ns)
                scores.append(self._scores.copy())
                resets += reset_ns
        return Timed(
            began_ns=began,
            elapsed_ns=self._clock() - began - resets,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies=[a + b for a, b in zip(prepare, model, strict=True)],
            parts={"prepare": prepare, "model": model},
            labels=self._labels(scores),
        )

    def classify(self, request: Classify) -> Labels:
        """Return the labels of any rows of the images file, not timed."""
        scores = list[npt.NDArray[Any]]()
        for row in request.rows:
            self._classify_image(np.array(self._images[row]))
            scores.append(self._scores.copy())
        return Labels(labels=self._labels(scores))
