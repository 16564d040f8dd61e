"""The interpreter that tflite-runtime and LiteRT both have: same interface, two libraries."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.bundle import TensorSpec
from bench.runtimes.base import Clock, PassTimes

__all__ = ["InterpreterSession"]


class InterpreterSession:
    """A .tflite model in an ``Interpreter`` of either library, allocated for ``batch_size`` images."""

    def __init__(self, interpreter_class: Any, path: Path, threads: int, batch_size: int) -> None:
        interpreter = interpreter_class(model_path=str(path), num_threads=threads)
        detail = self._only(interpreter.get_input_details(), "input")
        if batch_size != detail["shape"][0]:
            interpreter.resize_tensor_input(detail["index"], [batch_size, *detail["shape"][1:]], strict=True)
        interpreter.allocate_tensors()
        # the details are read again: resizing changes the shapes
        detail_in = self._only(interpreter.get_input_details(), "input")
        detail_out = self._only(interpreter.get_output_details(), "output")
        self.input, self.output = _spec(detail_in), _spec(detail_out)
        self.batch_size = batch_size
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


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    return TensorSpec(
        dtype=np.dtype(detail["dtype"]).name,
        shape=[int(size) for size in detail["shape"]],
        scale=float(scale),
        zero_point=int(zero_point),
    )
