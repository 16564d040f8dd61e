"""Whether boxes have the order of coordinates of TFLite_Detection_PostProcess, tested on labelled images."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.interpretation.graphs.reading.boxes import BoxReading
from edge_bench.bench.interpretation.graphs.sampling import MOST_TESTED, Sampler
from edge_bench.bench.stats.selection import select_best
from edge_bench.bench.tasks.detection.boxes import GroundTruth, overlaps

__all__ = ["refuse_swapped_axes"]

_ON_TRUE_BOX = 0.5


def refuse_swapped_axes(model: GraphModel, reading: BoxReading, truth: GroundTruth, sampler: Sampler) -> None:
    """Raise BadInput if the labelled images clearly show that coordinates are x, y and not y, x.

    The operator TFLite_Detection_PostProcess gives y, x, x and y of a box. Outputs of the same shapes, without the
    operator, may have another order. An image counts for an order if at least half of its true boxes have a detection
    of any class on them.
    """
    if reading.decoding.form != "postprocess" or reading.decoding.letterbox or model.says_postprocess:
        return
    images, sizes = truth.images[:MOST_TESTED], truth.sizes[:MOST_TESTED]
    found = sampler.boxes(reading.decoding, range(len(images)))
    asked = [(true.corners[~true.crowd], boxes, size) for true, boxes, size in zip(images, found, sizes, strict=True)]
    asked = [each for each in asked if len(each[0])]
    if not asked:
        return
    as_read = np.array([_is_found(true, boxes.corners) for true, boxes, _ in asked])
    swapped = np.array([_is_found(true, _swapped(boxes.corners, size)) for true, boxes, size in asked])
    if select_best([as_read, swapped]).groups == ((1,),):
        raise BadInput(
            f"{model.variant.name}: {int(swapped.sum()):,} of {len(asked):,} labelled images match boxes in the order "
            f"x, y, x, y, but only {int(as_read.sum()):,} match TFLite_Detection_PostProcess's order y, x, y, x",
            "export the model with boxes in that order, or measure it with --task tensor",
        )


def _is_found(true: npt.NDArray[np.float64], corners: npt.NDArray[Any]) -> bool:
    on = overlaps(true, corners) >= _ON_TRUE_BOX
    return bool(on.any(axis=1).mean() >= 0.5)


def _swapped(corners: npt.NDArray[np.float32], size: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return corners in pixels with their shares of width and height exchanged."""
    sides = np.tile(size, 2).astype(np.float64)
    found: npt.NDArray[np.float64] = (corners / sides)[:, [1, 0, 3, 2]] * sides
    return found
