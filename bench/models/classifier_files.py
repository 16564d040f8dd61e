"""Models that are measured as classifiers: one input of images or floats, one output with one score per class."""

from pathlib import Path

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import TfliteFile
from edge_bench.bench.models.graph_files import CONVERT_LEGACY
from edge_bench.bench.models.memory_estimate import check_memory, memory_need
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes import Runtime, installed_version, why_not_installed
from edge_bench.bench.runtimes.scores import class_count
from edge_bench.bench.runtimes.tensorflow.keras_model import LEGACY_SUFFIXES
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.worker.messages import Described
from edge_bench.bench.worker.process import WorkerFailed, describe_model

__all__ = ["NoClassifier", "classifier_in_worker", "classifier_of_tflite"]

_CLASSIFIERS_ONLY = "a classifier has one output with one score per class; use --task for other models"
_QUANTIZED = ("int8", "int16", "int32", "uint16")
#: Failures of a worker that say nothing about the model's inputs and outputs.
_OTHER_FAILURES = ("timed out", "crashed", "out of memory")


class NoClassifier(BadInput):
    """The model's inputs or outputs are not those of a classifier. It may be measured for another task."""


def classifier_of_tflite(path: Path, file: TfliteFile) -> Described:
    """Return input and output of a .tflite file; raise NoClassifier if they are not those of a classifier."""
    try:
        described = Described(
            input=file.only_input, output=file.only_output, fixed_batch=file.inputs[0].fixed_batch
        )  # fmt: skip
    except ValueError as cause:
        raise NoClassifier(f"{path}: {cause}", _CLASSIFIERS_ONLY) from None
    return _checked(path, described)


def classifier_in_worker(
    path: Path, runtime: Runtime, timeout: float, image_size: tuple[int, int] | None, memory_limit: int | None
) -> Described:
    """Return input and output of a model by loading it in a worker.

    The model is checked first, and only then loaded, without a size. If the number of classes is then unknown, and
    ``image_size`` sets the two open axes of its input, it is loaded again with these. The worker then invokes it once.
    Raise NoClassifier if it loads but is not a classifier, or if that is unknown, BadInput if it cannot be used.
    """
    if installed_version(runtime) is None:
        raise why_not_installed(runtime)
    check_memory(path, memory_need(path), memory_limit)
    memory_limit = untimed_memory_limit(memory_limit)
    try:
        described = describe_model(runtime.name, path, timeout, None, memory_limit)
        sizes = described.input.shape[1:]
        if image_size is not None and sizes.count(-1) == len(image_size) and -1 in described.output.shape[1:]:
            size = iter(image_size)  # height before width in every layout
            filled = [next(size) if each == -1 else each for each in sizes]
            output = describe_model(runtime.name, path, timeout, filled, memory_limit).output
            described = msgspec.structs.replace(described, output=output)
    except WorkerFailed as cause:
        kind = BadInput if cause.failure.kind in _OTHER_FAILURES else NoClassifier
        remedy = CONVERT_LEGACY if path.suffix in LEGACY_SUFFIXES else ""
        raise kind(f"{path}: {cause.failure.message}", cause.failure.remedy or remedy) from None
    return _checked(path, described)


def _checked(path: Path, described: Described) -> Described:
    _check_input(path, described.input)
    _check_output(path, described.output)
    return described


def _check_input(path: Path, spec: TensorSpec) -> None:
    """Raise NoClassifier unless the input takes floats, quantized integers or the uint8 values of pixels."""
    if spec.dtype.startswith("float") or spec.dtype == "uint8" or (spec.dtype in _QUANTIZED and spec.scale):
        return
    shown = "×".join("?" if size < 0 else str(size) for size in spec.shape[1:])
    raise NoClassifier(
        f"{path}: its input is {shown} {spec.dtype} without quantization, such as tokens",
        "classifiers take images and arrays of floats; use --task for other models",
    )


def _check_output(path: Path, output: TensorSpec) -> None:
    """Raise NoClassifier unless the output is one list of scores; BadInput if only its length is unknown."""
    try:
        class_count(output)
    except ValueError as cause:
        is_open = -1 in output.shape[1:]
        kind = BadInput if is_open and len(output.shape) == 2 else NoClassifier
        remedy = "set the size of its input, for example --image-size 224x224" if is_open else _CLASSIFIERS_ONLY
        raise kind(f"{path}: {cause}", remedy) from None
