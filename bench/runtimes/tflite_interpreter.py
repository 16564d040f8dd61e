"""Session for the interpreters of tflite-runtime and LiteRT, which have the same interface."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, ModelFile, PassTimes

__all__ = ["InterpreterSession"]


class InterpreterSession:
    """A .tflite model in an ``Interpreter`` of either library, allocated for ``batch_size`` images."""

    def __init__(self, interpreter_class: Any, file: ModelFile) -> None:
        interpreter = interpreter_class(model_path=str(file.path), num_threads=file.threads)
        detail = self._only(interpreter.get_input_details(), "input")
        shape = [file.batch_size, *_image_shape(file.input_shape, detail)]
        if -1 not in shape and shape != detail["shape"].tolist():
            try:
                interpreter.resize_tensor_input(detail["index"], shape, strict=True)
            except ValueError:
                raise ValueError(
                    f"the file takes inputs of shape {detail['shape_signature'].tolist()} only, not {shape}"
                ) from None
        interpreter.allocate_tensors()
        # read the details again, since resizing changes the shapes
        input_detail = self._only(interpreter.get_input_details(), "input")
        output_detail = self._only(interpreter.get_output_details(), "output")
        self.input, self.output = _spec(input_detail), _spec(output_detail)
        if -1 in shape:
            self.input = msgspec.structs.replace(self.input, shape=shape)
        self.batch_size = file.batch_size
        self._interpreter = interpreter
        self._input_index, self._output_index = input_detail["index"], output_detail["index"]

    @staticmethod
    def _only(details: list[dict[str, Any]], kind: str) -> dict[str, Any]:
        if len(details) != 1:
            raise ValueError(f"the model has {len(details)} {kind}s; a classifier has one")
        return details[0]

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """Run one pass; each invocation includes copying its input in and its output out."""
        interpreter, size = self._interpreter, self.batch_size
        input_index, output_index = self._input_index, self._output_index
        set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
        count = len(inputs)
        invocations = -(-count // size)
        began, ended = np.empty(invocations, np.int64), np.empty(invocations, np.int64)
        full = count // size
        for number in range(full):
            start = number * size
            began[number] = clock()
            set_tensor(input_index, inputs[start : start + size])
            invoke()
            outputs[start : start + size] = get_tensor(output_index)
            ended[number] = clock()
        if full < invocations:
            start = full * size
            padded = np.zeros((size, *inputs.shape[1:]), inputs.dtype)
            began[full] = clock()
            padded[: count - start] = inputs[start:]
            set_tensor(input_index, padded)
            invoke()
            outputs[start:] = get_tensor(output_index)[: count - start]
            ended[full] = clock()
        return PassTimes(began, ended)


def _image_shape(stated: tuple[int, ...] | None, detail: dict[str, Any]) -> list[int]:
    """Return the shape of one image from the file; open axes have their stated size, otherwise -1."""
    signature = detail["shape_signature"].tolist()[1:] if len(detail["shape_signature"]) else []
    sizes = signature or detail["shape"].tolist()[1:]
    if stated is None or len(stated) != len(sizes):
        return sizes
    return [given if size == -1 else size for size, given in zip(sizes, stated, strict=True)]


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        dtype=np.dtype(detail["dtype"]).name,
        shape=[int(size) for size in detail["shape"]],
        scale=float(scale),
        zero_point=int(zero_point),
    )
