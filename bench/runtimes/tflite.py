"""The interpreter that tflite-runtime and LiteRT both have: same interface, two libraries."""

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
        wanted = [file.batch_size, *_open_or(file.input_shape, detail)]
        if -1 not in wanted and wanted != detail["shape"].tolist():
            try:
                interpreter.resize_tensor_input(detail["index"], wanted, strict=True)
            except ValueError:
                raise ValueError(
                    f"the file takes inputs of shape {detail['shape_signature'].tolist()} only, not {wanted}"
                ) from None
        interpreter.allocate_tensors()
        # the details are read again: resizing changes the shapes
        detail_in = self._only(interpreter.get_input_details(), "input")
        detail_out = self._only(interpreter.get_output_details(), "output")
        self.input, self.output = _spec(detail_in), _spec(detail_out)
        if -1 in wanted:
            self.input = msgspec.structs.replace(self.input, shape=wanted)
        self.batch_size = file.batch_size
        self._interpreter = interpreter
        self._in, self._out = detail_in["index"], detail_out["index"]

    @staticmethod
    def _only(details: list[dict[str, Any]], end: str) -> dict[str, Any]:
        if len(details) != 1:
            raise ValueError(f"the model has {len(details)} {end}s; a classifier has one")
        return details[0]

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """One pass; each invocation is its input copied in, the model, and its output copied out."""
        interpreter, index_in, index_out, size = self._interpreter, self._in, self._out, self.batch_size
        set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
        count = len(inputs)
        invocations = -(-count // size)
        began, ended = np.empty(invocations, np.int64), np.empty(invocations, np.int64)
        whole = count // size
        for number in range(whole):
            start = number * size
            began[number] = clock()
            set_tensor(index_in, inputs[start : start + size])
            invoke()
            outputs[start : start + size] = get_tensor(index_out)
            ended[number] = clock()
        if whole < invocations:
            start = whole * size
            padded = np.zeros((size, *inputs.shape[1:]), inputs.dtype)
            began[whole] = clock()
            padded[: count - start] = inputs[start:]
            set_tensor(index_in, padded)
            invoke()
            outputs[start:] = get_tensor(index_out)[: count - start]
            ended[whole] = clock()
        return PassTimes(began, ended)


def _open_or(stated: tuple[int, ...] | None, detail: dict[str, Any]) -> list[int]:
    """The shape of one image: the file's, and where that is open the stated one's; -1 where that is open, too."""
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
