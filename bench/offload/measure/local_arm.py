"""Local inference, timed from the stored pixels of one image to its label."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.offload.measure.messages import Classify, Labels, Prepared, PrepareLocal, Timed, TimeLocal
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile
from edge_bench.bench.worker.warmup import WARM_UP_NS

__all__ = ["LocalArmWorker"]


class LocalArmWorker:
    """A loaded and warmed-up model that classifies one image at a time."""

    def __init__(self, request: PrepareLocal, load: Loader, clock: Clock = time.perf_counter_ns) -> None:
        self._clock, self._preprocessing = clock, request.preprocessing
        self._images = open_npy(request.images)
        configuration = request.configuration
        shape = None if request.input_shape is None else tuple(request.input_shape)
        self._session = load(ModelFile(request.file, configuration.threads, 1, shape))
        # copied into memory, like pixels from a camera, so that no trial waits for the disk
        self._timed_images = np.array(self._images[request.rows])
        self._scores = np.zeros((1, *self._session.output.shape[1:]), self._session.output.dtype)
        began, count = clock(), 0
        while not count or clock() - began < WARM_UP_NS:
            self._classify_image(self._timed_images[count % len(self._timed_images)])
            count += 1
        self.prepared = Prepared(pass_ns=(clock() - began) * len(self._timed_images) // count)

    def _classify_image(self, image: npt.NDArray[Any]) -> tuple[int, int, int]:
        """Return the nanoseconds for preparing the input, the nanoseconds for inference with copies, and the label."""
        began = self._clock()
        inputs = model_inputs(image[np.newaxis], self._preprocessing, self._session.input)
        ready = self._clock()
        self._session.classify(inputs, self._scores, self._clock)
        label = int(self._scores.reshape(-1).argmax())
        return ready - began, self._clock() - ready, label

    def trial(self, request: TimeLocal) -> Timed:
        """Time ``request.passes`` passes over all timed images."""
        prepare, model, labels = list[int](), list[int](), list[int]()
        cpu_began, began = time.process_time_ns(), self._clock()
        for _ in range(request.passes):
            labels = []
            for image in self._timed_images:
                prepare_ns, model_ns, label = self._classify_image(image)
                prepare.append(prepare_ns)
                model.append(model_ns)
                labels.append(label)
        return Timed(
            began_ns=began,
            elapsed_ns=self._clock() - began,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies=[a + b for a, b in zip(prepare, model, strict=True)],
            parts={"prepare": prepare, "model": model},
            labels=labels,
        )

    def classify(self, request: Classify) -> Labels:
        """Return the labels of any rows of the images file, not timed."""
        return Labels(labels=[self._classify_image(np.array(self._images[row]))[2] for row in request.rows])
