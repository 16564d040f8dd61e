"""Comparison of a converted ncnn model with the Keras model on the same images."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.worker.messages import Infer, Inferred, Open, Opened, Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["Agreement", "Scores", "compare_scores", "ncnn_scores"]

#: Largest difference of a score, relative to the largest score. Two float32 kernels differ by about 1e-6; a wrong
#: axis, padding or activation by more than 1e-2.
TOLERANCE = 1e-3
#: Bytes of images in one request to the worker.
_REQUEST_BYTES = 32 << 20


class Scores(NamedTuple):
    """The outputs of a model, with its input and output."""

    input: TensorSpec
    output: TensorSpec
    values: npt.NDArray[np.float32]  # [images, classes]


class Agreement(NamedTuple):
    """Two models' scores of the same images that differ little."""

    difference: float  # the largest of all scores
    labels: int  # number of images with the same label; a near tie may change it


def ncnn_scores(
    param: Path, images: npt.NDArray[Any], preprocessing: Preprocessing, timeout: float, memory_limit: int | None
) -> Scores:
    """Return the scores of stored images [n, …], which are prepared as in a run.

    Raise EdgeBenchError if ncnn cannot load or invoke the model.
    """
    configuration = Configuration(variant="ncnn", runtime="ncnn", threads=1, batch_size=1)
    step, found = max(1, _REQUEST_BYTES // images[0].nbytes), []
    request = Open(
        configuration=configuration, file=param.absolute(), preprocessing=preprocessing, image=list(images.shape[1:]),
        dtype=images.dtype.name,
    )  # fmt: skip
    try:
        with WorkerProcess("ncnn", memory_limit, files=[param]) as worker:
            worker.wait_for(Ready, timeout)
            opened = worker.ask(request, Opened, timeout)
            for start in range(0, len(images), step):
                part = np.ascontiguousarray(images[start : start + step])
                reply = worker.ask(Infer(form="raw", count=len(part), data=part.tobytes()), Inferred, timeout)
                found.append(np.frombuffer(reply.scores, "<f4").reshape(len(part), -1))
    except WorkerFailed as cause:
        raise EdgeBenchError(f"ncnn cannot run the converted model: {cause.failure.message}") from None
    return Scores(opened.input, opened.output, np.concatenate(found))


def compare_scores(own: npt.NDArray[np.float32], original: npt.NDArray[np.float32]) -> Agreement:
    """Return how two models' scores [images, classes] agree.

    Raise EdgeBenchError if a difference is too large.
    """
    if own.shape != original.shape:
        raise EdgeBenchError(f"ncnn returns scores of shape {list(own.shape)}, Keras {list(original.shape)}")
    if not np.isfinite(own).all():
        raise EdgeBenchError("ncnn returns scores that are not finite")
    difference = float(np.abs(own - original).max())
    allowed = TOLERANCE * float(np.abs(original).max())
    equal = int(np.count_nonzero(original.argmax(axis=1) == own.argmax(axis=1)))
    # below this limit, a label changes only if Keras' two best scores differ by at most twice the limit
    if not difference <= allowed:  # also if it is not a number
        raise EdgeBenchError(
            f"the ncnn model differs from Keras: by up to {difference:.2g} in scores of up to "
            f"{float(np.abs(original).max()):.2g}, with the same label for {equal} of {len(original)} images"
        )
    return Agreement(difference, equal)
