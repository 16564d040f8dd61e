"""Session for the interpreters of tflite-runtime and LiteRT, which have the same interface."""

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, ModelFile, PassTimes, batch_size_for
from edge_bench.bench.runtimes.tflite_delegate import DelegatedInterpreter
from edge_bench.bench.runtimes.tflite_state import RELOADED, StateKind, state_kind

__all__ = ["InterpreterSession"]


class InterpreterSession:
    """A .tflite model in an ``Interpreter`` of either library, allocated for ``batch_size`` images.

    ``library`` is the library's module ``interpreter``.
    """

    def __init__(self, library: Any, file: ModelFile) -> None:
        self._library, self._file = library, file
        self._open()
        interpreter = self._interpreter
        detail = self._only(interpreter.get_input_details(), "input")
        axes = _axes(detail)
        self._has_batch_axis = len(axes) != 1  # an input of one axis is one example
        self.fixed_batch = 1 if len(axes) < 2 else None if axes[0] == -1 else axes[0]
        self.batch_size = batch_size_for(file, self.fixed_batch)
        self._input_index = detail["index"]
        image_shape = _image_shape(file.input_shape, axes[1:] if self._has_batch_axis else axes)
        self._allocated_shape = [self.batch_size, *image_shape] if self._has_batch_axis else image_shape
        self._is_open = -1 in image_shape
        self._allocate()
        # read the details again, because resizing changes the shapes
        input_detail = self._only(interpreter.get_input_details(), "input")
        output_detail = self._only(interpreter.get_output_details(), "output")
        self._output_index = output_detail["index"]
        self.input = msgspec.structs.replace(_spec(input_detail), shape=[self.batch_size, *image_shape])
        self.output = self._output_spec(output_detail)
        kind = StateKind.NONE if file.stateful else state_kind(interpreter)
        self._reset = {StateKind.NONE: None, StateKind.VARIABLES: self._clear, StateKind.RESOURCES: self._reload}[kind]
        self.warning = RELOADED if kind is StateKind.RESOURCES else ""

    def _open(self) -> None:
        file = self._file
        self._delegated = DelegatedInterpreter(self._library, file.path, file.threads, file.delegate)
        self._interpreter = self._delegated.interpreter

    def delegations(self) -> list[Delegation]:
        """Return how many nodes each delegate runs."""
        return self._delegated.delegations()

    def _allocate(self) -> None:
        detail = self._interpreter.get_input_details()[0]
        if not self._is_open and self._allocated_shape != detail["shape"].tolist():
            try:
                self._interpreter.resize_tensor_input(self._input_index, self._allocated_shape, strict=True)
            except (ValueError, RuntimeError):  # tflite-runtime raises ValueError, LiteRT RuntimeError
                raise ValueError(
                    f"{self._delegated.limits_shapes or 'the file'} takes only inputs of shape "
                    f"{detail['shape_signature'].tolist()}, not {self._allocated_shape}"
                ) from None
        self._interpreter.allocate_tensors()

    def _output_spec(self, detail: dict[str, Any]) -> TensorSpec:
        # until the first invocation, axes that depend on the input may have the sizes for another input
        shape, spec = _axes(detail), _spec(detail)
        if len(shape) == 1 and (not self._has_batch_axis or shape[0] not in (-1, self.batch_size)):
            shape = [1, *shape]  # the scores of one example, without a batch axis
        if not shape or shape[0] not in (-1, self.batch_size):
            raise ValueError(f"its output has shape {shape} for a batch of {self.batch_size}")
        return msgspec.structs.replace(spec, shape=[self.batch_size, *shape[1:]])

    @staticmethod
    def _only(details: list[dict[str, Any]], kind: str) -> dict[str, Any]:
        if len(details) != 1:
            raise ValueError(f"the model has {len(details)} {kind}s, but a classifier has one")
        return details[0]

    def _clear(self) -> None:
        """Reset the variable tensors, which are the state of LSTM, GRU, RNN and SVDF operators."""
        self._interpreter.reset_all_variables()

    def _reload(self) -> None:
        """Reload the model, since ``reset_all_variables`` does not reset resource variables."""
        self._open()
        self._allocate()

    def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the scores of one batch, not timed."""
        if self._reset is not None:
            self._reset()
        self._interpreter.set_tensor(self._input_index, batch if self._has_batch_axis else batch[0])
        self._interpreter.invoke()
        scores: npt.NDArray[Any] = self._interpreter.get_tensor(self._output_index)
        return scores if scores.ndim >= len(self.output.shape) else scores[np.newaxis]

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """Run one pass. Each invocation includes copying its input in and its output out."""
        interpreter, size, reset = self._interpreter, self.batch_size, self._reset
        input_index, output_index, has_batch_axis = self._input_index, self._output_index, self._has_batch_axis
        set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
        count, reset_ns = len(inputs), 0
        invocations = -(-count // size)
        began, ended = np.empty(invocations, np.int64), np.empty(invocations, np.int64)
        full = count // size
        padded = np.zeros((size if full < invocations else 0, *inputs.shape[1:]), inputs.dtype)
        for number in range(invocations):
            start = number * size
            if reset is not None:
                reset_ns -= clock()
                reset()
                interpreter = self._interpreter  # a new one if the model was reloaded
                set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
                reset_ns += clock()
            if number < full:
                began[number] = clock()
                set_tensor(input_index, inputs[start : start + size] if has_batch_axis else inputs[start])
                invoke()
                outputs[start : start + size] = get_tensor(output_index)
            else:
                began[number] = clock()
                padded[: count - start] = inputs[start:]
                set_tensor(input_index, padded)
                invoke()
                outputs[start:] = get_tensor(output_index)[: count - start]
            ended[number] = clock()
        return PassTimes(began, ended, reset_ns)


def _axes(detail: dict[str, Any]) -> list[int]:
    """Return the sizes of a tensor, -1 for an open axis."""
    sizes: list[int] = (detail["shape_signature"] if len(detail["shape_signature"]) else detail["shape"]).tolist()
    return sizes


def _image_shape(stated: tuple[int, ...] | None, sizes: Iterable[int]) -> list[int]:
    """Return the shape of one image from the file; open axes have their stated size, otherwise -1."""
    sizes = list(sizes)
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
