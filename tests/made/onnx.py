"""Tiny .onnx files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.made.brightness import brightness_weights

__all__ = ["OnnxBuilder", "brightness_onnx", "external_tensor", "onnx_with", "placed_tensor"]

Axis = int | str
Port = tuple[str, str, Sequence[Axis] | None]


class OnnxBuilder:
    """A model, mostly with one input ``x`` and one output ``y``."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def add_brightness(self, order: Sequence[int], values: int, output: str = "y", *, scale: float = 1 / 255) -> str:
        """Add layers that tell classes apart by the brightness of ``x``; return the name of the scores, [n, order]."""
        weights, biases = brightness_weights(order, values, scale)
        self.add("Flatten", ["x"], "flat")
        self.add("MatMul", ["flat", self.constant("weights", weights)], "product")
        return self.add("Add", ["product", self.constant("biases", biases)], output)

    def save(self, path: Path, takes: Sequence[Axis], gives: Sequence[Axis], *, location: str = "") -> Path:
        """Write the file, whose input and output have these shapes, with names for open axes; return its path.

        With ``location``, the constants are in that file of the same folder.
        """
        ports = [[(name, "FLOAT", shape)] for name, shape in (("x", takes), ("y", gives))]
        return self.save_graph(path, *ports, location=location)

    def save_graph(self, path: Path, takes: Sequence[Port], gives: Sequence[Port], *, location: str = "") -> Path:
        """Write the file with any inputs and outputs, each with its name, type and shape; return its path."""
        import onnx
        from onnx import TensorProto, helper

        infos = [
            [helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape) for name, kind, shape in side]
            for side in (takes, gives)
        ]
        graph = helper.make_graph(self._nodes, "made", *infos, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        if location:
            (path.parent / location).unlink(missing_ok=True)  # onnx would append to it
        onnx.save_model(
            model, str(path), save_as_external_data=bool(location), location=location or None, size_threshold=0
        )
        return path


def brightness_onnx(
    path: Path,
    order: Sequence[int],
    shape: Sequence[Axis] = ("N", 3, 8, 8),
    *,
    location: str = "",
    scale: float = 1 / 255,
) -> Path:
    """Write a classifier of images of ``pixel × scale``; with ``location``, its weights are in that file."""
    made = OnnxBuilder()
    values = int(np.prod([size for size in shape[1:] if isinstance(size, int)]))
    made.add_brightness(order, values, scale=scale)
    return made.save(path, shape, [shape[0], len(order)], location=location)


def onnx_with(path: Path, *tensors: Any) -> Path:
    """Write a model of these constants and nothing else; return its path."""
    from onnx import helper

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(helper.make_model(helper.make_graph([], "g", [], [], list(tensors))).SerializeToString())
    return path


def external_tensor(location: str, name: str = "w") -> Any:
    """Return a tensor of 2×2 float32 whose value is at the beginning of another file."""
    return placed_tensor([("offset", "0"), ("location", location), ("length", "16")], name=name)


def placed_tensor(
    entries: Sequence[tuple[str, str]], dims: Sequence[int] = (2, 2), kind: int = 1, name: str = "w"
) -> Any:
    """Return a tensor with these entries for its place in another file; type 1 is float32."""
    from onnx import TensorProto

    tensor = TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in entries:
        tensor.external_data.add(key=key, value=value)
    return tensor
