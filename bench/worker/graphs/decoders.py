"""Decoding of outputs, one example after the other, according to the task."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import MAX_PACKED, pack, unpack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.decoding import (
    BoxDecoding,
    Decoding,
    MaskDecoding,
    ScoreDecoding,
    TensorDecoding,
)
from edge_bench.bench.records.outputs.masks import StoredMask, stored_mask
from edge_bench.bench.records.outputs.scores import MAX_COLUMNS, ScoreTable
from edge_bench.bench.records.outputs.tensors import pack_values
from edge_bench.bench.records.outputs.union import TaskOutputs, TensorOutputs
from edge_bench.bench.tasks.detection.boxes import Boxes
from edge_bench.bench.tasks.detection.heads.decoded import Decoded
from edge_bench.bench.tasks.detection.heads.postprocess import decode_postprocess, stated_order
from edge_bench.bench.tasks.detection.heads.yolo import decode_yolo
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout
from edge_bench.bench.tasks.detection.letterbox import letterboxed, stretched
from edge_bench.bench.tasks.detection.packed import pack_boxes
from edge_bench.bench.tasks.segmentation.class_maps import ClassAxis, MaskLayout, class_map
from edge_bench.bench.tasks.tensors.differences import real_values
from edge_bench.bench.tasks.tensors.recorder import Output, TensorRecorder

__all__ = ["Decoder", "decoder_for"]

Array = npt.NDArray[Any]


class Decoder(Protocol):
    """Reads all outputs of one example, without a batch axis, in two steps. The first may be timed."""

    #: Whether `decode` does work that an application would also have to do.
    has_postprocess: bool

    def decode(self, outputs: Sequence[Array]) -> Any:
        """Return the decoded outputs; raise ValueError or BadInput if they cannot be read."""

    def store(self, decoded: Any) -> StoredMask | None:
        """Keep what `decode` returned, or return it if it is a mask."""

    def result(self) -> TaskOutputs | None:
        """Return the stored results; None for masks."""


def decoder_for(decoding: Decoding, outputs: Sequence[TensorSpec], examples: int) -> Decoder:
    """Return the decoder of a model with these outputs; raise ValueError or BadInput if they do not fit."""
    match decoding:
        case TensorDecoding():
            return _Tensors(outputs)
        case ScoreDecoding(output=index):
            return _Scores(*_chosen(outputs, index), examples)
        case MaskDecoding():
            return _Masks(decoding, _chosen(outputs, decoding.output)[0])
        case BoxDecoding():
            return _BoxesOfImages(decoding, outputs, examples)


def _chosen(outputs: Sequence[TensorSpec], index: int) -> tuple[int, TensorSpec]:
    if index >= len(outputs):
        raise ValueError(f"output {index} is requested, but the model has {len(outputs)}")
    return index, outputs[index]


class _Tensors:
    """Numbers without a meaning."""

    has_postprocess = False

    def __init__(self, outputs: Sequence[TensorSpec]) -> None:
        self._recorder = TensorRecorder([Output(spec.name, spec) for spec in outputs])

    def decode(self, outputs: Sequence[Array]) -> Sequence[Array]:
        return outputs

    def store(self, decoded: Sequence[Array]) -> None:
        self._recorder.add(decoded)

    def result(self) -> TensorOutputs:
        return TensorOutputs(outputs=self._recorder.records())


class _Scores:
    """The real values of one output."""

    has_postprocess = True

    def __init__(self, index: int, spec: TensorSpec, examples: int) -> None:
        self._index, self._spec, self._examples = index, spec, examples
        self._rows: list[Array] = []
        # exact for integers that are not quantized
        wide = spec.dtype == "float64" or (spec.dtype[:3] in ("int", "uin") and not spec.scale)
        self._dtype = np.float64 if wide else np.float32

    def decode(self, outputs: Sequence[Array]) -> Array:
        return real_values(outputs[self._index], self._spec).reshape(-1).astype(self._dtype)

    def store(self, decoded: Array) -> None:
        columns = len(self._rows[0]) if self._rows else len(decoded)
        if len(decoded) != columns:
            raise ValueError(
                f"output {self._spec.name[:80]} has {len(decoded):,} values for one example and {columns:,} for another"
            )
        if not 0 < columns <= min(MAX_COLUMNS, MAX_PACKED // self._examples):
            raise ValueError(
                f"output {self._spec.name[:80]} has {columns:,} values for each of {self._examples:,} examples: "
                f"at most {min(MAX_COLUMNS, MAX_PACKED // self._examples):,} can be stored"
            )
        self._rows.append(decoded)

    def result(self) -> ScoreTable:
        return ScoreTable(columns=len(self._rows[0]), values=pack_values(np.concatenate(self._rows)))


class _Masks:
    """The class of each pixel."""

    has_postprocess = True

    def __init__(self, decoding: MaskDecoding, index: int) -> None:
        self._index = index
        self._layout = MaskLayout(ClassAxis[decoding.axis.upper()], decoding.classes)

    def decode(self, outputs: Sequence[Array]) -> npt.NDArray[np.uint16]:
        output = outputs[self._index]
        axes = 2 if self._layout.axis is ClassAxis.NONE else 3
        while output.ndim > axes and output.shape[0] == 1:
            output = output[0]
        return class_map(output, self._layout)

    def store(self, decoded: npt.NDArray[np.uint16]) -> StoredMask:
        return stored_mask(decoded)

    def result(self) -> None:
        return None


class _BoxesOfImages:
    """Boxes in the pixels of each image."""

    has_postprocess = True

    def __init__(self, decoding: BoxDecoding, outputs: Sequence[TensorSpec], examples: int) -> None:
        self._decoding, self._specs = decoding, outputs
        if decoding.sizes is None or decoding.sizes.length != 2 * examples:
            raise ValueError("the sizes of the images are unknown")
        self._sizes = unpack(decoding.sizes).astype(np.int64).reshape(-1, 2)
        self._boxes: list[Boxes] = []
        self._not_finite = self._beyond_limit = 0
        if decoding.form == "yolo":
            _chosen(outputs, decoding.output)
            self._layout = HeadLayout(decoding.boxes_first, decoding.objectness, decoding.classes)
            return
        self._order = stated_order(decoding.order)
        if len(outputs) != len(self._order):
            raise ValueError(f"the model has {len(outputs)} outputs, but TFLite_Detection_PostProcess has four")

    def decode(self, outputs: Sequence[Array]) -> Decoded:
        decoding = self._decoding
        width, height = map(int, self._sizes[len(self._boxes)])
        place = letterboxed if decoding.letterbox else stretched
        placement = place((width, height), decoding.input_size)
        if decoding.form == "postprocess":
            real = [real_values(*each) for each in zip(outputs, self._specs, strict=True)]
            return decode_postprocess(real, self._order, placement)
        head = real_values(outputs[decoding.output], self._specs[decoding.output])
        return decode_yolo(
            head if head.ndim != 2 else head[np.newaxis], self._layout, placement, (width, height),
            pixels=decoding.pixels, score_threshold=decoding.score_threshold, iou_threshold=decoding.iou_threshold,
        )  # fmt: skip

    def store(self, decoded: Decoded) -> None:
        self._boxes.append(decoded.boxes)
        self._not_finite += decoded.not_finite
        self._beyond_limit += decoded.beyond_limit

    def result(self) -> Detections:
        return Detections(
            boxes=pack_boxes(self._boxes, self._sizes),
            sizes=pack(self._sizes.reshape(-1)),
            not_finite=self._not_finite,
            beyond_limit=self._beyond_limit,
        )
