"""Whether ``run`` can measure a model, for which task, and with which options."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.interpretation.graphs.advice import RunAdvice, run_advice
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec, Variant
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.worker.load_check import OPEN_SIZES
from edge_bench.bench.worker.process import WorkerFailed, describe_model

__all__ = ["Bounds", "Measurability", "measurability"]

#: Size limit of one input that is created as a test.
MAX_INPUT_BYTES = 1 << 30


class Bounds(NamedTuple):
    """Limits of each process that loads the model."""

    timeout: float  # seconds per step
    memory_limit: int | None  # bytes; None: memory that this machine can spare


@dataclass(frozen=True)
class Measurability:
    """Whether ``run`` can measure the model, which needs more than a runtime that loads it."""

    runtimes: tuple[str, ...]  # runtimes that can be measured; may be empty
    reason: str = ""  # why there are none
    advice: RunAdvice | None = None  # None without runtimes

    @property
    def option(self) -> str:
        """The options that ``run`` needs."""
        return "" if self.advice is None else " ".join(self.advice.required)


def measurability(path: Path, runtimes: list[str], bounds: Bounds) -> Measurability:
    """Prepare the file as ``run`` does; a classifier with each of ``runtimes``, which can load the model."""
    try:
        models = ModelFiles.open([path], bounds.timeout, memory_limit=bounds.memory_limit)
        advice = run_advice(models)
    except EdgeBenchError as cause:
        return Measurability((), cause.problem.removeprefix(f"{path}: "))
    (variant,) = models.variants
    if models.graphs:
        return Measurability(tuple(runtimes), advice=advice)
    measured, reason = _with_each_runtime(path, variant, runtimes, bounds)
    return Measurability(tuple(measured), "" if measured else reason, advice if measured else None)


def _with_each_runtime(path: Path, variant: Variant, runtimes: list[str], bounds: Bounds) -> tuple[list[str], str]:
    """Return the runtimes that can prepare a classifier, and the reason why another one cannot."""
    sizes = variant.input.shape[1:]
    is_open = -1 in sizes
    if is_open and len(sizes) != 3:
        return [], "its input has open axes besides the batch and is not an image"
    image = _image_shape(sizes) if is_open else None
    measured, reason, limit = [], "", untimed_memory_limit(bounds.memory_limit)
    for runtime in runtimes:
        try:
            _check_input(describe_model(runtime, path, bounds.timeout, image, limit).input)
        except (WorkerFailed, ValueError) as cause:
            reason = reason or str(cause)
            continue
        measured.append(runtime)
    return measured, reason


def _image_shape(sizes: list[int]) -> list[int]:
    """Return the shape of an image with sizes for open axes. Open channels are RGB, as in ``run``."""
    sizes = [*sizes[:2], 3] if sizes[2] < 0 and sizes[0] < 0 else sizes
    return [OPEN_SIZES[-1] if size < 0 else size for size in sizes]


def _check_input(spec: TensorSpec) -> None:
    """Raise ValueError if ``run`` cannot make inputs of this kind."""
    shape = [max(1, size) for size in spec.shape[1:]]
    if np.prod(shape, dtype=object) * 8 > MAX_INPUT_BYTES:
        raise ValueError(f"one input of shape {spec.shape} is too large")
    spec = TensorSpec(dtype=spec.dtype, shape=[1, *shape], scale=spec.scale, zero_point=spec.zero_point)
    model_inputs(np.zeros((1, *shape), np.uint8), Preprocessing(scale=1.0, offset=0.0), spec)
