"""Minimum memory that a model needs, from the sizes in its file, and whether this machine has it.

It is estimated before a runtime reads the file, since a runtime may allocate whatever a small file asks for. The
estimate is a lower bound: weights, and the largest value between two layers. Shapes that are only computed at run time
are unknown, such as those of fills and repeats in .tflite or .onnx models. ``--memory-limit`` bounds them.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.model_formats.hdf5_config import find_configs
from edge_bench.bench.model_formats.keras_archive import check_implied_weights, check_keras
from edge_bench.bench.model_formats.keras_memory import KerasMemory, keras_memory
from edge_bench.bench.model_formats.onnx_graph import stated_sizes
from edge_bench.bench.model_formats.tflite import TfliteFile, item_bits, read_tflite
from edge_bench.bench.models.saved_model_check import check_saved_model
from edge_bench.bench.records.ncnn_files import PARAM, weights_of
from edge_bench.bench.runtimes.ncnn.param import input_shapes
from edge_bench.bench.runtimes.tensorflow.keras_model import LEGACY_SUFFIXES
from edge_bench.bench.system.memory import available_memory

__all__ = ["MemoryNeed", "check_memory", "memory_need", "tflite_need", "why_too_large"]


@dataclass(frozen=True)
class MemoryNeed:
    """Lower bounds, in bytes."""

    weights: int  # weights that are copied to memory
    activations: int  # the largest value, for one example, or for the batch if it is fixed
    mapped: int = 0  # weights of a .tflite, which are read from the file: no limit counts them, but they need memory

    def total(self, batch_size: int = 1) -> int:
        """Return the sum for a batch."""
        return self.weights + self.activations * batch_size


def memory_need(path: Path) -> MemoryNeed:
    """Check a model that is safe to load only if it passes, and return the memory it needs.

    Raise BadInput if it is damaged, not safe, or implies more weights than the file contains.
    """
    if path.is_dir():
        constants = check_saved_model(path)
        return MemoryNeed(constants + sum(each.stat().st_size for each in (path / "variables").glob("*")), 0)
    if path.suffix == ".tflite":
        return tflite_need(read_tflite(path))
    try:
        if path.suffix == ".onnx":
            sizes = stated_sizes(path)
            return MemoryNeed(sizes.constants, sizes.largest_value)
        if path.suffix == PARAM:
            inputs = (4 * math.prod(shape) for shape in input_shapes(path).values() if shape)
            return MemoryNeed(weights_of(path).stat().st_size, max(inputs, default=0))
        found = _legacy_memory(path) if path.suffix in LEGACY_SUFFIXES else check_keras(path).memory
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path}: refused before loading: {why_unreadable(cause)}", "do not use this model") from None
    return MemoryNeed(found.weights, found.activations)


def tflite_need(file: TfliteFile) -> MemoryNeed:
    """Return the memory that a .tflite file needs: the largest of its computed tensors, with an open batch of 1."""
    sizes = (tensor.elements * item_bits(tensor.dtype) // 8 for tensor in file.tensors if not tensor.constant_bytes)
    weights = {tensor.buffer: tensor.constant_bytes for tensor in file.tensors}
    return MemoryNeed(0, max(sizes, default=0), min(sum(weights.values()), file.bytes))


def check_memory(path: Path, need: MemoryNeed, limit: int | None) -> None:
    """Raise BadInput if a model needs more memory than this machine has, or more than ``limit``."""
    if problem := why_too_large(need.total(), limit, need.mapped):
        raise BadInput(f"{path}: {problem[0]}", problem[1])


def why_too_large(need: int, limit: int | None, mapped: int = 0) -> tuple[str, str] | None:
    """Return problem and remedy if this many bytes are not available; None if they are.

    ``mapped`` are additional bytes, which are read from a file as needed. Limits do not count them, but without memory
    for them, times would be those of the disk.
    """
    if limit is not None and need > limit:
        return f"it needs about {_shown(need)} of memory, more than --memory-limit", "use a larger --memory-limit"
    if need + mapped > (available := available_memory()):
        problem = f"it needs about {_shown(need + mapped)} of memory, but {_shown(available)} are available"
        return problem, "use a smaller model, or a machine with more memory"
    return None


def _shown(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size < 1e15 else "more than 1,000,000 GB"


def _legacy_memory(path: Path) -> KerasMemory:
    found = [keras_memory(config) for config in find_configs(path)]
    memory = KerasMemory(sum(each.weights for each in found), max((each.activations for each in found), default=0))
    check_implied_weights(memory, path.stat().st_size)
    return memory
