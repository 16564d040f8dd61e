"""Tiny models with several inputs and outputs of several types."""

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder

__all__ = ["found_positions_onnx", "found_positions_tflite", "mixed_onnx", "mixed_tflite", "two_signatures_tflite"]

#: Type of the schema of .tflite, of .onnx, and of numpy.
TYPES = {
    "float16": ("FLOAT16", "FLOAT16"), "float32": ("FLOAT32", "FLOAT"), "float64": ("FLOAT64", "DOUBLE"),
    "int8": ("INT8", "INT8"), "int16": ("INT16", "INT16"), "int32": ("INT32", "INT32"), "int64": ("INT64", "INT64"),
    "uint8": ("UINT8", "UINT8"), "uint16": ("UINT16", "UINT16"), "uint32": ("UINT32", "UINT32"),
    "uint64": ("UINT64", "UINT64"), "bool": ("BOOL", "BOOL"),
}  # fmt: skip


def mixed_tflite(path: Path, *, open_batch: bool = True, signature: str = "") -> Path:
    """Write a model of two inputs and three outputs.

    ``values`` [1, 3] float32 and ``ids`` [1, 2] int64 become values + values, whether values are above 1 (bool), and
    ids as float32. The names exist with a signature only.
    """
    made = TfliteBuilder()
    values = made.tensor(1, 3, open_shape=[-1, 3] if open_batch else [])
    ids = made.tensor(1, 2, kind="INT64", open_shape=[-1, 2] if open_batch else [])
    sums, above, floats = (
        made.tensor(1, size, kind=kind, open_shape=[-1, size] if open_batch else [])
        for size, kind in ((3, "FLOAT32"), (3, "BOOL"), (2, "FLOAT32"))
    )
    one = made.tensor(1, data=np.ones(1, np.float32))
    made.operator("ADD", [values, values], [sums], schema.AddOptionsT())
    made.operator("GREATER", [values, one], [above], schema.GreaterOptionsT())
    options = schema.CastOptionsT(inDataType=schema.TensorType.INT64, outDataType=schema.TensorType.FLOAT32)
    made.operator("CAST", [ids], [floats], options)
    if signature:
        made.signature(signature, {"values": values, "ids": ids}, {"sums": sums, "above": above, "floats": floats})
    return made.save(path, [values, ids], [sums, above, floats])


def mixed_onnx(path: Path, *, batch: int | str = "N") -> Path:
    """Write the model of `mixed_tflite` as .onnx."""
    made = OnnxBuilder()
    made.add("Add", ["values", "values"], "sums")
    made.add("Greater", ["values", made.constant("one", np.ones(1, np.float32))], "above")
    made.add("Cast", ["ids"], "floats", to=1)
    return made.save_graph(
        path,
        [("values", "FLOAT", [batch, 3]), ("ids", "INT64", [batch, 2])],
        [("sums", "FLOAT", [batch, 3]), ("above", "BOOL", [batch, 3]), ("floats", "FLOAT", [batch, 2])],
    )


def found_positions_tflite(path: Path) -> Path:
    """Write a model that returns the positions of the true values of its input [1, 4], as many as there are."""
    made = TfliteBuilder()
    flags = made.tensor(1, 4, kind="BOOL")
    positions = made.tensor(0, 2, kind="INT64", open_shape=[-1, 2])
    made.operator("WHERE", [flags], [positions], schema.WhereOptionsT())
    return made.save(path, [flags], [positions])


def found_positions_onnx(path: Path) -> Path:
    """Write the model of `found_positions_tflite` as .onnx, with the positions on the last axis."""
    made = OnnxBuilder()
    made.add("NonZero", ["flags"], "pairs")
    made.add("Transpose", ["pairs"], "positions", perm=[1, 0])
    return made.save_graph(path, [("flags", "BOOL", ["N", 4])], [("positions", "INT64", ["found", 2])])


def two_signatures_tflite(path: Path) -> Path:
    """Write a model whose main graph doubles (signature ``double``) and whose second one sums up (``total``).

    The second one keeps its sum of the inputs [1, 3] so far.
    """
    made = TfliteBuilder()
    value = made.tensor(1, 3)
    doubled = made.operator("ADD", [value, value], [made.tensor(1, 3)], schema.AddOptionsT())
    made.new_graph("other")
    step = made.tensor(1, 3)
    total = made.running_sum(step, 3)
    made.graph.inputs, made.graph.outputs = [step], [total]
    made.signature("double", {"x": value}, {"doubled": doubled})
    made.signature("total", {"step": step}, {"sum": total}, graph=1)
    return made.save(path, [value], [doubled])
