"""Predictions of a model under several preprocessings, untimed, to find its right preprocessing."""

import time

import numpy as np

from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.model_inputs import InputBatches
from edge_bench.bench.records.delegate import DelegateSetting
from edge_bench.bench.runtimes.base import Loader, ModelFile, with_known_output
from edge_bench.bench.runtimes.scores import UNCLASSIFIED_LABEL, labels_and_top_five
from edge_bench.bench.worker.messages import OpenProbe, Predict, Predicted, ProbeOpened

__all__ = ["Probe"]


class Probe:
    """A loaded model that predicts labels. It is not warmed up, as nothing is timed."""

    def __init__(self, request: OpenProbe, load: Loader) -> None:
        configuration = request.configuration
        shape = None if request.input_shape is None else tuple(request.input_shape)
        delegate = DelegateSetting(configuration.delegate, request.delegate_library)
        file = ModelFile(request.file, configuration.threads, configuration.batch_size, shape, delegate=delegate)
        self._session = with_known_output(load(file))
        self._threshold = request.threshold
        self.opened = ProbeOpened()

    def predict(self, request: Predict) -> Predicted:
        """Return the predicted outputs of the images at ``request.rows``."""
        session = self._session
        batches = InputBatches(
            open_npy(request.images), request.rows, request.preprocessing, session.input, session.batch_size
        )
        labels, outside_unit = np.full(len(request.rows), -1, "<i4"), False
        for part, inputs in batches.parts():
            scores = np.zeros((len(inputs), *session.output.shape[1:]), session.output.dtype)
            session.classify(inputs, scores, time.perf_counter_ns)
            found = labels_and_top_five(scores, session.output, self._threshold)
            labels[part] = np.where(found.labels == UNCLASSIFIED_LABEL, -1, found.labels)
            outside_unit = outside_unit or found.outside_unit
        return Predicted(labels=labels.tobytes(), outside_unit=outside_unit)
