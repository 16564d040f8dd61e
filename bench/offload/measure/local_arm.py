"""Inference here, from the stored pixels of one image to its label: what sending it would save."""

import time
from pathlib import Path
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
    """A loaded, warm model, and images one at a time."""

    def __init__(self, request: PrepareLocal, load: Loader, clock: Clock = time.perf_counter_ns) -> None:
        self._clock, self._preprocessing = clock, request.preprocessing
        self._images = open_npy(Path(request.images))
        configuration = request.configuration
        shape = None if request.input_shape is None else tuple(request.input_shape)
        self._session = load(ModelFile(Path(request.file), configuration.threads, 1, shape))
        # in memory, as the pixels of a camera would be; copies, so that no page is read within a trial
        self._chosen = np.array(self._images[request.rows])
        self._scores = np.zeros((1, *self._session.output.shape[1:]), self._session.output.dtype)
        began, count = clock(), 0
        while not count or clock() - began < WARM_UP_NS:
            self._one(self._chosen[count % len(self._chosen)])
            count += 1
        self.prepared = Prepared(pass_ns=(clock() - began) * len(self._chosen) // count)

    def _one(self, image: npt.NDArray[Any]) -> tuple[int, int, int]:
        """Nanoseconds of preparing one image's input, of the model with its copies, and the label."""
        began = self._clock()
        inputs = model_inputs(image[np.newaxis], self._preprocessing, self._session.input)
        ready = self._clock()
        self._session.classify(inputs, self._scores, self._clock)
        label = int(self._scores.reshape(-1).argmax())
        return ready - began, self._clock() - ready, label

    def trial(self, request: TimeLocal) -> Timed:
        """So many passes over all images."""
        prepare, model, labels = list[int](), list[int](), list[int]()
        cpu_began, began = time.process_time_ns(), self._clock()
        for _ in range(request.passes):
            labels = []
            for image in self._chosen:
                one = self._one(image)
                prepare.append(one[0])
                model.append(one[1])
                labels.append(one[2])
        return Timed(
            began_ns=began,
            elapsed_ns=self._clock() - began,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies=[a + b for a, b in zip(prepare, model, strict=True)],
            parts={"prepare": prepare, "model": model},
            labels=labels,
        )

    def classify(self, request: Classify) -> Labels:
        """Labels of any images of the file."""
        return Labels(labels=[self._one(np.array(self._images[row]))[2] for row in request.rows])
