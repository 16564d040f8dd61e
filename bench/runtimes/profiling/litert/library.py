"""The parts of LiteRT's C API that profile a compiled model, called with ctypes: ``litert/c/*.h`` of release 2.1.6.

LiteRT's Python interpreter has no profiler. The compiled model has one, and delegates the same operators.
"""

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.runtimes.profiling.litert.delegates import ExternalDelegate
from edge_bench.bench.runtimes.profiling.litert.native import Library

__all__ = ["CompiledModel", "Event", "EventKind"]

_CPU = 1  # kLiteRtHwAcceleratorCpu
_WRITE = 1  # kLiteRtTensorBufferLockModeWrite
_MAX_RANK = 8
_AUTO_REGISTER, _INTEGER = 24, 2  # kLiteRtEnvOptionTagAutoRegisterAccelerators, kLiteRtAnyTypeInt
_RANK_BITS = 0x7F  # the other bit of LiteRtLayout's first field: whether it has strides


class EventKind:
    """Types of events, as in tensorflow/lite/core/api/profiler.h."""

    OPERATOR = 2  # an operator of the file or a delegate's part of the graph, which the interpreter executed
    DELEGATED = 8  # an operator within a delegate's part of the graph


class Event(NamedTuple):
    """An event of the profiler; times in microseconds."""

    kind: int
    tag: str
    number: int  # of the node in its graph, or of the operator in its delegate
    graph: int
    elapsed: int


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_size_t), ("used", ctypes.c_size_t), ("mapped", ctypes.c_size_t))


class _Event(ctypes.Structure):
    _fields_ = (
        ("tag", ctypes.c_char_p), ("kind", ctypes.c_int), ("start", ctypes.c_uint64), ("elapsed", ctypes.c_uint64),
        ("before", _Memory), ("after", _Memory), ("number", ctypes.c_uint64), ("graph", ctypes.c_uint64),
        ("source", ctypes.c_int),
    )  # fmt: skip


class _Layout(ctypes.Structure):
    _fields_ = (("bits", ctypes.c_uint32), ("sizes", ctypes.c_int32 * _MAX_RANK), ("strides", ctypes.c_uint32 * 8))


class _TensorType(ctypes.Structure):
    _fields_ = (("element", ctypes.c_int), ("layout", _Layout))


class _Any(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("value", ctypes.c_int64))


class _EnvironmentOption(ctypes.Structure):
    _fields_ = (("tag", ctypes.c_int), ("value", _Any))


class CompiledModel:
    """A .tflite model on the CPU, with a profiler, for inputs of fixed shapes. It lives as long as its process."""

    def __init__(
        self,
        path: Path,
        threads: int,
        signature: str = "",
        delegate: tuple[Path, Mapping[str, str]] | None = None,
        *,
        xnnpack: bool = True,
    ) -> None:
        """Load and compile it for the CPU.

        delegate: the library of an external delegate and its options, which is applied before XNNPACK
        xnnpack: False to use LiteRT's own kernels only

        Raise RuntimeError if that fails, ValueError if the model has no such signature.
        """
        self._library = library = Library()
        # without the other accelerators: the GPU's library needs instructions that older cores do not have
        registered = (_EnvironmentOption * 1)(_EnvironmentOption(_AUTO_REGISTER, _Any(_INTEGER, _CPU)))
        self._environment = library.pointer("LiteRtCreateEnvironment", 1, registered)
        if delegate is not None:
            self._delegate = ExternalDelegate(library, *delegate)
            self._delegate.register(self._environment)
        self._model = library.pointer("LiteRtCreateModelFromFile", self._environment, str(path).encode())
        self._number = self._signature_number(signature)
        self._signature = library.pointer("LiteRtGetModelSignature", self._model, ctypes.c_size_t(self._number))
        options = library.pointer("LiteRtCreateOptions")
        library.call("LiteRtSetOptionsHardwareAccelerators", options, ctypes.c_int(_CPU))
        profiling = library.options("runtime_options_string", "enable_profiling = true\n")
        cpu = f"num_threads = {threads}\n" + ("" if xnnpack else 'kernel_mode = "builtin"\n')
        for each in (profiling, library.options("xnnpack", cpu)):
            library.call("LiteRtAddOpaqueOptions", options, each)
        self._compiled = library.pointer("LiteRtCreateCompiledModel", self._environment, self._model, options)
        library.destroy("LiteRtDestroyOptions", options)
        self._profiler = library.pointer("LiteRtCompiledModelGetProfiler", self._compiled)
        if not self._profiler:
            raise RuntimeError("LiteRT did not create a profiler")
        self._inputs: list[ctypes.c_void_p] = []
        self._outputs: list[ctypes.c_void_p] = []
        self._arguments: tuple[Any, ...] = ()  # of an invocation

    def _signature_number(self, name: str) -> int:
        if not name:
            return 0
        count = self._library.count("LiteRtGetNumModelSignatures", self._model)
        for number in range(count):
            signature = self._library.pointer("LiteRtGetModelSignature", self._model, ctypes.c_size_t(number))
            key = self._library.pointer("LiteRtGetSignatureKey", signature)
            if ctypes.string_at(key.value or 0).decode("utf-8", "replace") == name:
                return number
        raise ValueError(f"the model has no signature {name!r}")

    @property
    def input_names(self) -> list[str]:
        """The names of the input tensors in the order of the signature."""
        count = self._library.count("LiteRtGetNumSignatureInputs", self._signature)
        tensors = [self._tensor("Input", number) for number in range(count)]
        names = [self._library.pointer("LiteRtGetTensorName", tensor) for tensor in tensors]
        return [ctypes.string_at(name.value or 0).decode("utf-8", "replace") for name in names]

    def _tensor(self, side: str, number: int) -> ctypes.c_void_p:
        name = f"LiteRtGetSignature{side}TensorByIndex"
        return self._library.pointer(name, self._signature, ctypes.c_size_t(number))

    def allocate(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Set the shapes of the inputs, in the order of the signature, and create the buffers."""
        library, kinds = self._library, list[_TensorType]()
        for number, shape in enumerate(shapes):
            kind = self._kind("Input", number)
            if tuple(kind.layout.sizes[: kind.layout.bits & _RANK_BITS]) != shape:
                sizes = (ctypes.c_int * len(shape))(*shape)
                library.call(
                    "LiteRtCompiledModelResizeInputTensor", self._compiled, ctypes.c_size_t(self._number),
                    ctypes.c_size_t(number), sizes, ctypes.c_size_t(len(shape)),
                )  # fmt: skip
                kind.layout.sizes[: len(shape)] = list(shape)
            kinds.append(kind)
        self._inputs = [self._buffer("Input", number, kind) for number, kind in enumerate(kinds)]
        count = library.count("LiteRtGetNumSignatureOutputs", self._signature)
        layouts = (_Layout * count)()
        library.call(
            "LiteRtGetCompiledModelOutputTensorLayouts", self._compiled, ctypes.c_size_t(self._number),
            ctypes.c_size_t(count), layouts, ctypes.c_bool(True),
        )  # fmt: skip
        self._outputs = []
        for number in range(count):
            kind = self._kind("Output", number)
            kind.layout = layouts[number]
            self._outputs.append(self._buffer("Output", number, kind))
        self._arguments = self._invocation()

    def _kind(self, side: str, number: int) -> _TensorType:
        kind = _TensorType()
        self._library.call("LiteRtGetRankedTensorType", self._tensor(side, number), ctypes.byref(kind))
        return kind

    def _buffer(self, side: str, number: int, kind: _TensorType) -> ctypes.c_void_p:
        requirements = self._library.pointer(
            f"LiteRtGetCompiledModel{side}BufferRequirements", self._compiled, ctypes.c_size_t(self._number),
            ctypes.c_size_t(number),
        )  # fmt: skip
        return self._library.pointer(
            "LiteRtCreateManagedTensorBufferFromRequirements", self._environment, ctypes.byref(kind), requirements
        )

    def write(self, number: int, values: npt.NDArray[Any]) -> None:
        """Copy the values of an input into its buffer; raise ValueError if they do not fill it."""
        buffer, data = self._inputs[number], np.ascontiguousarray(values)
        size = self._library.count("LiteRtGetTensorBufferPackedSize", buffer)
        if size != data.nbytes:
            raise ValueError(f"input {number} takes {size:,} bytes, not {data.nbytes:,}")
        memory = ctypes.c_void_p()
        self._library.call("LiteRtLockTensorBuffer", buffer, ctypes.byref(memory), ctypes.c_int(_WRITE))
        ctypes.memmove(memory, data.ctypes.data, size)
        self._library.call("LiteRtUnlockTensorBuffer", buffer)

    def _invocation(self) -> tuple[Any, ...]:
        """Return the arguments of an invocation, made once, as threads fall asleep between two invocations."""
        counts = [ctypes.c_size_t(len(buffers)) for buffers in (self._inputs, self._outputs)]
        inputs, outputs = (
            (ctypes.c_void_p * len(buffers))(*[buffer.value for buffer in buffers])
            for buffers in (self._inputs, self._outputs)
        )
        return self._compiled, ctypes.c_size_t(self._number), counts[0], inputs, counts[1], outputs

    def invoke(self) -> None:
        """Run the model on the values in its buffers."""
        self._library.call("LiteRtRunCompiledModel", *self._arguments)

    def start(self) -> None:
        """Start to record events."""
        self._library.call("LiteRtStartProfiler", self._profiler)

    def stop(self) -> list[Event]:
        """Stop recording; return the events since the last call, in order."""
        self._library.call("LiteRtStopProfiler", self._profiler)
        count = ctypes.c_int()
        self._library.call("LiteRtGetNumProfilerEvents", self._profiler, ctypes.byref(count))
        events = (_Event * count.value)()
        self._library.call("LiteRtGetProfilerEvents", self._profiler, count, events)
        self._library.call("LiteRtResetProfiler", self._profiler)
        return [
            Event(each.kind, (each.tag or b"").decode("utf-8", "replace"), each.number, each.graph, each.elapsed)
            for each in events
        ]
