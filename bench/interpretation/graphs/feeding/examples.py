"""The examples of all models of a run, before it is known how outputs are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.records.interpretation import Interpretation
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["ModelExamples", "TaskExamples", "whole_shapes"]


@dataclass(frozen=True)
class ModelExamples:
    """How one model gets the examples.

    rows: each example's row in the files of the inputs, int64 [examples]; shapes: of whole inputs, if they are open
    letterbox: whether images keep their proportions, with borders
    """

    inputs: tuple[GraphInput, ...]
    rows: npt.NDArray[np.int64]
    shapes: Mapping[str, tuple[int, ...]]
    letterbox: bool = False


@dataclass(frozen=True)
class TaskExamples:
    """The selected examples.

    indices: in the whole set, int64 [examples]; total: its size; models: by the variant's name
    folder, files: of the whole set, if the examples are files; sizes: width and height of each image, [examples, 2]
    label_files: of YOLO's labels, of the whole set
    """

    name: str
    sha256: str
    total: int
    indices: npt.NDArray[np.int64]
    models: Mapping[str, ModelExamples]
    notes: tuple[str, ...] = ()
    interpretations: tuple[Interpretation, ...] = ()
    folder: Path | None = None
    files: Sequence[str] = ()
    sizes: npt.NDArray[np.int64] | None = None
    label_files: Sequence[Path | None] | None = None
    random: bool = False


def whole_shapes(model: GraphModel, example_shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of whole inputs that the file leaves open, by name, from those of one example."""
    found = dict(model.shapes)
    for spec in model.inputs:
        if -1 in spec.example_shape:
            shape = example_shapes[spec.name]
            found[spec.name] = (1, *shape) if len(shape) < len(spec.shape) else shape
    return found
