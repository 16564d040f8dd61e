"""Outputs of .tflite graphs in the test's own process instead of a worker."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.graph_examples import GraphExamples
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.records.manifest import TensorSpec, Variant
from edge_bench.bench.records.outputs.decoding import BoxDecoding
from edge_bench.bench.tasks.detection.boxes import Boxes
from edge_bench.bench.tasks.detection.heads.postprocess import decode_postprocess, stated_order
from edge_bench.bench.tasks.detection.heads.yolo import decode_yolo
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout
from edge_bench.bench.tasks.detection.letterbox import letterboxed, stretched

__all__ = ["InProcess", "open_in_process"]


class InProcess:
    """A sampler with LiteRT's interpreter."""

    def __init__(self, models: ModelFiles, variant: Variant, examples: GraphExamples) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_path=str(models.paths[variant.name]))
        self._variant, self._examples = variant, examples
        for spec, detail in zip(variant.inputs, self._interpreter.get_input_details(), strict=True):
            if spec.name in examples.shapes:
                self._interpreter.resize_tensor_input(detail["index"], examples.shapes[spec.name])
        self._interpreter.allocate_tensors()

    def close(self) -> None:
        """Nothing to end."""

    def sample(self, positions: Sequence[int]) -> list[list[npt.NDArray[Any]]]:
        """Return all outputs of each example."""
        known = [each for each in positions if each < len(self._examples.rows)]
        return [self._outputs(int(self._examples.rows[each])) for each in known]

    def boxes(self, decoding: BoxDecoding, positions: Sequence[int]) -> list[Boxes]:
        """Return the boxes of each example."""
        assert decoding.sizes is not None
        sizes = unpack(decoding.sizes).reshape(-1, 2).tolist()
        return [
            _boxes(decoding, outputs, (sizes[each][0], sizes[each][1]))
            for each, outputs in zip(positions, self.sample(positions), strict=True)
        ]

    def _outputs(self, row: int) -> list[npt.NDArray[Any]]:
        interpreter = self._interpreter
        by_name = {each.name: each for each in self._examples.inputs}
        for spec, detail in zip(self._variant.inputs, interpreter.get_input_details(), strict=True):
            own = by_name[spec.name]
            values = np.array(open_npy(own.file)[row : row + 1])
            shape = detail["shape"].tolist()
            if own.preprocessing is not None:
                whole = TensorSpec(dtype=spec.dtype, shape=shape, scale=spec.scale, zero_point=spec.zero_point)
                values = model_inputs(values, own.preprocessing, whole)
            interpreter.set_tensor(detail["index"], values.reshape(shape))
        interpreter.invoke()
        outputs = [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]
        return [each[0] if each.ndim > 1 and len(each) == 1 else each for each in outputs]


def _boxes(decoding: BoxDecoding, outputs: Sequence[npt.NDArray[Any]], size: tuple[int, int]) -> Boxes:
    placement = (letterboxed if decoding.letterbox else stretched)(size, decoding.input_size)
    if decoding.form == "postprocess":
        return decode_postprocess(outputs, stated_order(decoding.order), placement).boxes
    layout = HeadLayout(decoding.boxes_first, decoding.objectness, decoding.classes)
    head = outputs[decoding.output]
    return decode_yolo(
        head if head.ndim == 3 else head[np.newaxis], layout, placement, size, pixels=decoding.pixels,
        score_threshold=decoding.score_threshold, iou_threshold=decoding.iou_threshold,
    ).boxes  # fmt: skip


def open_in_process(models: ModelFiles) -> Any:
    """Return a factory of samplers for these models."""
    return lambda variant, examples: InProcess(models, variant, examples)
