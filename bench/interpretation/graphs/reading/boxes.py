"""How the outputs of a detector are read: its boxes, and the category of each class."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.interpretation.graphs.reading.class_names import ClassNames, class_names
from edge_bench.bench.interpretation.graphs.reading.outputs import output_number
from edge_bench.bench.interpretation.graphs.sampling import MOST_SAMPLED, Outputs, Sampler
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.outputs.decoding import BoxDecoding
from edge_bench.bench.tasks.detection.heads.postprocess import has_postprocess_shapes, output_order, stated_order
from edge_bench.bench.tasks.detection.heads.yolo import IOU_THRESHOLD, SCORE_THRESHOLD
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout, has_pixel_coordinates, head_layout
from edge_bench.bench.tasks.tensors.differences import real_values
from edge_bench.bench.wording import counted

__all__ = ["BoxReading", "box_reading"]


class BoxReading(NamedTuple):
    """How boxes are read, and the reasons."""

    decoding: BoxDecoding
    interpretations: list[Interpretation]
    names: ClassNames | None


def box_reading(
    model: GraphModel, options: DataOptions, sampler: Sampler, sizes: npt.NDArray[np.int64], *, letterbox: bool
) -> BoxReading:
    """Return how the boxes of a detector are read.

    sizes: width and height of each example's image, [examples, 2]. Raise BadInput if the outputs are not those of a
    detector, or if they can be read in several ways.
    """
    height, width, _ = model.known_image
    names = class_names(model, options)
    packed = pack(sizes.reshape(-1).astype(np.int64))
    outputs = [_real(model, each) for each in sampler.sample(range(min(len(sizes), MOST_SAMPLED)))]
    if not outputs:
        raise BadInput(f"{model.variant.name}: its outputs are too large to be read as boxes", "use another --task")
    if model.has_postprocess or (options.head is None and has_postprocess_shapes([each.shape for each in outputs[0]])):
        if options.head is not None or options.coordinates is not None:
            flag = "--head" if options.head else "--coordinates"
            raise BadInput(f"{flag} is for YOLO models, which {model.variant.name} is not", "omit it")
        order, records = _order(model, options, outputs)
        decoding = BoxDecoding(
            form="postprocess", order=order, letterbox=letterbox, input_size=(width, height), sizes=packed
        )
        return BoxReading(decoding, records, names)
    number, layout, records = _head(model, options, outputs, None if names is None else len(names.names))
    pixels, unit = _unit(model, options, layout, [_with_batch(each[number]) for each in outputs])
    decoding = BoxDecoding(
        form="yolo",
        output=number,
        boxes_first=layout.boxes_first,
        objectness=layout.objectness,
        classes=layout.classes,
        pixels=pixels,
        score_threshold=SCORE_THRESHOLD if options.score_threshold is None else options.score_threshold,
        iou_threshold=IOU_THRESHOLD if options.iou_threshold is None else options.iou_threshold,
        letterbox=letterbox,
        input_size=(width, height),
        sizes=packed,
    )
    return BoxReading(decoding, [*records, unit, _thresholds(model, options, decoding)], names)


def _order(model: GraphModel, options: DataOptions, samples: Sequence[Outputs]) -> tuple[str, list[Interpretation]]:
    """Return the order of the four outputs."""
    record = Interpretation(
        subject="outputs", value="", source=Source.STATED, option="--output-order", variant=model.about
    )
    if options.output_order is not None:
        order = str(stated_order(options.output_order))
        return order, [msgspec.structs.replace(record, value=order)]
    names = [spec.name for spec in model.variant.all_outputs]
    shapes = [each.shape for each in samples[0]]
    try:
        order, source, reason = str(output_order(names, shapes)), Source.MODEL, "their names and shapes"
    except BadInput:
        order, source = str(output_order(names, shapes, samples)), Source.TESTED
        reason = f"their values for {counted(len(samples), 'image')}"
    option = f"--output-order {order}"
    return order, [msgspec.structs.replace(record, value=order, source=source, reason=reason, option=option)]


def _head(
    model: GraphModel, options: DataOptions, samples: Sequence[Outputs], classes: int | None
) -> tuple[int, HeadLayout, list[Interpretation]]:
    """Return the number of the head among the outputs, and its layout."""
    height, width, _ = model.known_image
    objectness = None if options.head is None else options.head == "yolov5"
    numbers = range(len(samples[0])) if options.output is None else [output_number(model, options.output)]
    found, problem = dict[int, HeadLayout](), None
    for number in numbers:
        shape = _with_batch(samples[0][number]).shape
        try:
            found[number] = head_layout(shape, classes=classes, input_size=(width, height), objectness=objectness)
        except BadInput as cause:
            problem = problem or cause
    if problem is not None and not found:
        raise BadInput(f"{model.variant.name}: {problem.problem}", problem.remedy)
    if len(found) > 1:
        raise BadInput(
            f"{model.variant.name}: outputs {', '.join(map(str, found))} may all be YOLO heads",
            "choose one, for example --output 0",
        )
    number, layout = next(iter(found.items()))
    like = "YOLOv5" if layout.objectness else "YOLOv8"
    record = Interpretation(
        subject="head",
        value=f"{like}, {counted(layout.classes, 'class')}",
        source=Source.MODEL if options.head is None else Source.STATED,
        reason="" if options.head else "the shape of its output",
        option=layout.option,
        variant=model.about,
    )
    return number, layout, [record]


def _unit(
    model: GraphModel, options: DataOptions, layout: HeadLayout, heads: Sequence[npt.NDArray[Any]]
) -> tuple[bool, Interpretation]:
    stated = options.coordinates is not None
    pixels = options.coordinates == "pixels" if stated else has_pixel_coordinates(heads, layout)
    unit = "pixels" if pixels else "shares"
    return pixels, Interpretation(
        subject="coordinates",
        value=unit,
        source=Source.STATED if stated else Source.TESTED,
        reason="" if stated else f"the centres of boxes in {counted(len(heads), 'image')}",
        option=f"--coordinates {unit}",
        variant=model.about,
    )


def _thresholds(model: GraphModel, options: DataOptions, decoding: BoxDecoding) -> Interpretation:
    stated = options.score_threshold is not None or options.iou_threshold is not None
    return Interpretation(
        subject="boxes",
        value=f"scores above {decoding.score_threshold:g}, overlaps up to {decoding.iou_threshold:g}",
        source=Source.STATED if stated else Source.DEFAULT,
        option="--score-threshold, --iou-threshold",
        variant=model.about,
    )


def _real(model: GraphModel, outputs: Outputs) -> Outputs:
    """Return outputs in real units."""
    return [real_values(each, spec) for each, spec in zip(outputs, model.variant.all_outputs, strict=True)]


def _with_batch(head: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return head[np.newaxis] if head.ndim == 2 else head
