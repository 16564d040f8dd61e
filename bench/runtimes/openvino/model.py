"""A .tflite or .onnx file read by OpenVINO: its inputs and outputs as in the file, compiled for given shapes."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.model_formats.tflite import TfliteFile, read_tflite
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.runtimes.graphs.layout import Port, unique_names
from edge_bench.bench.runtimes.graphs.tflite_names import Named, named_sides
from edge_bench.bench.runtimes.openvino.library import import_openvino
from edge_bench.bench.runtimes.tflite_state import WITH_VARIABLES

__all__ = ["OpenVinoModel", "reason"]

Array = npt.NDArray[Any]
#: The CPU plugin computes these as int32 or float32. Integers that fit are exact; the precision of others is lost.
_NARROWED = ("int64", "uint32", "uint64")
_REFUSED = ("float64",)
_MOST_INT = np.iinfo(np.int32).max
#: In OpenVINO's message about a variable tensor, which it takes for the output of another operator.
_NO_VALUE = "already produced by previous operators"
#: Lines of OpenVINO's messages that name its source code instead of a reason.
_NO_REASON = re.compile(
    r"^(Exception from|Check '|\[.*\] Exception|While validating|FrontEnd API failed|Exception happened)"
)


class OpenVinoModel:
    """The model and its compiled form.

    Inference uses float32 where the file does. By default OpenVINO computes with float16 on Arm CPUs that support it,
    and with bfloat16 on some Intel CPUs, so that results would be those of another precision than the file's.
    """

    def __init__(self, path: Path, threads: int, signature: str = "") -> None:
        """Raise ValueError if OpenVINO cannot read the file, or would change its inputs or outputs."""
        self._openvino, self._threads = import_openvino(), threads
        self._core = self._openvino.Core()
        self._tflite = _parsed(path) if path.suffix == ".tflite" else None
        sides = self._named_sides(signature)
        try:
            self._model = self._core.read_model(path)
        except RuntimeError as cause:
            raise ValueError(_state_reason(cause, self._tflite) or reason(cause)) from None
        self.inputs = _ports(self._model.inputs, sides[0] if sides else None, "input")
        self.outputs = _ports(self._model.outputs, sides[1] if sides else None, "output")
        self.signatures = {
            each.key: ([name for name, _ in each.inputs], [name for name, _ in each.outputs])
            for each in (self._tflite.signatures if self._tflite else ())
        }
        self._request: Any = None
        self._compiled_for: list[list[int]] | None = None
        self._narrowed = [port.dtype in _NARROWED for port in self.inputs]

    def _named_sides(self, signature: str) -> tuple[Named, Named] | None:
        if self._tflite is None:
            if signature:
                raise ValueError(
                    f"signature {signature[:80]}: .onnx files have no named signatures; leave out --signature"
                )
            return None
        stated = None
        if signature:
            known = {each.key: each for each in self._tflite.signatures}
            if signature not in known:
                raise ValueError(f"no signature {signature[:80]}; the file has {', '.join(known)[:400] or 'none'}")
            stated = known[signature]
            if stated.graph != 0:
                raise ValueError(f"signature {signature[:80]} is not the main graph, the only one that OpenVINO runs")
        return named_sides(self._tflite, stated)

    @property
    def output_shapes(self) -> list[list[int]]:
        """Shapes of the outputs for the compiled inputs, -1 for a size that depends on values."""
        return [_axes(each) or [] for each in self._request.get_compiled_model().outputs]

    @property
    def has_state(self) -> bool:
        """Whether the compiled model keeps state between invocations."""
        return self._request is not None and bool(self._request.query_state())

    def compile(self, shapes: Sequence[Sequence[int]]) -> None:
        """Compile for inputs of these whole shapes, -1 for an open axis; raise ValueError if that is impossible."""
        wanted = [list(shape) for shape in shapes]
        if wanted == self._compiled_for:
            return
        self._request = self._compiled_for = None
        model = self._model.clone()
        try:
            if wanted != [_axes(each) for each in model.inputs]:
                model.reshape({at: self._openvino.PartialShape(shape) for at, shape in enumerate(wanted)})
            compiled = self._core.compile_model(model, "CPU", self._settings())
        except RuntimeError as cause:
            raise ValueError(f"inputs of shape {' and '.join(map(str, wanted))}: {reason(cause)}") from None
        self._request, self._compiled_for = compiled.create_infer_request(), wanted
        self._results = list(compiled.outputs)

    def _settings(self) -> dict[str, Any]:
        return {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": self._threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }

    def reset_state(self) -> None:
        """Set all state to its initial value."""
        if self._request is not None:
            self._request.reset_state()

    def invoke(self, inputs: Sequence[Array], *, copy: bool = True) -> list[Array]:
        """Copy in, invoke once, and return all outputs; without ``copy`` they change with the next invocation.

        Raise ValueError for integers that OpenVINO would change.
        """
        for value, narrow, port in zip(inputs, self._narrowed, self.inputs, strict=True):
            if narrow and value.size and (value.max() > _MOST_INT or value.min() < -_MOST_INT - 1):
                raise ValueError(
                    f"input {port.name[:80]}: OpenVINO computes {port.dtype} as int32: a value does not fit"
                )
        try:
            found = self._request.infer(list(inputs), share_inputs=False, share_outputs=not copy)
        except RuntimeError as cause:
            raise ValueError(reason(cause)) from None
        return [found[each] for each in self._results]


def reason(cause: BaseException) -> str:
    """Return the part of OpenVINO's message that states a reason, in one line."""
    lines = [line.strip() for line in str(cause).splitlines()]
    stated = [line for line in lines if line and not _NO_REASON.match(line)]
    return f"OpenVINO: {' '.join(stated or lines)[:400]}"


def _state_reason(cause: BaseException, file: TfliteFile | None) -> str:
    """Return the reason if OpenVINO found no value for a variable tensor; empty for another reason."""
    names = sorted({node.name for node in file.nodes} & WITH_VARIABLES) if file else []
    if not names or _NO_VALUE not in str(cause):
        return ""
    return f"OpenVINO does not support operators with state in .tflite files: {', '.join(names)}"


def _parsed(path: Path) -> TfliteFile:
    try:
        return read_tflite(path)
    except EdgeBenchError as cause:
        raise ValueError(cause.problem) from None


def _ports(found: Sequence[Any], named: Named | None, kind: str) -> list[Port]:
    """Return inputs or outputs as in the file; raise ValueError if OpenVINO has others, or other types."""
    if named is None:
        names = unique_names([each.any_name if each.names else "" for each in found], kind)
        ports = [Port(name, _dtype(each), _axes(each)) for name, each in zip(names, found, strict=True)]
    else:
        if len(named) != len(found):
            raise ValueError(f"OpenVINO found {len(found)} {kind}s, but the file has {len(named)}")
        ports = [_tflite_port(name, tensor, each, kind) for (name, tensor), each in zip(named, found, strict=True)]
    for port in ports:
        if port.dtype in _REFUSED:
            raise ValueError(f"{kind} {port.name[:80]} is {port.dtype}, which OpenVINO computes as float32")
    return ports


def _tflite_port(name: str, tensor: Any, found: Any, kind: str) -> Port:
    if tensor.name and found.names and tensor.name not in found.names:
        raise ValueError(f"OpenVINO has {found.any_name[:80]} in the place of {kind} {name[:80]}")
    if _dtype(found) != tensor.dtype:
        raise ValueError(f"OpenVINO has {kind} {name[:80]} as {_dtype(found)}, but in the file it is {tensor.dtype}")
    spec = tensor.spec
    return Port(name, tensor.dtype, list(tensor.signature or tensor.shape), spec.scale, spec.zero_point)


def _dtype(port: Any) -> str:
    name = port.element_type.get_type_name()
    known = {"boolean": "bool", "f16": "float16", "f32": "float32", "f64": "float64"}
    sized = re.fullmatch(r"([iu])(8|16|32|64)", name)
    found = f"{'int' if sized[1] == 'i' else 'uint'}{sized[2]}" if sized else known.get(name, name)
    return found if found in NUMBER_TYPES else str(name)


def _axes(port: Any) -> list[int] | None:
    """Return the sizes, -1 for an open axis; None if their number is unknown."""
    shape = port.partial_shape
    if shape.rank.is_dynamic:
        return None
    return [-1 if size.is_dynamic else size.get_length() for size in shape]
