"""External delegates of a compiled model, before XNNPACK, as LiteRT's interpreter applies them.

LiteRT's C API has accelerators instead of delegates: objects with a function that creates a delegate. They create
theirs in the order of their registration, and the CPU's, whose delegate is XNNPACK, is registered with the environment.
So that one gets a function that creates the external delegate, and another one gets its own function.
"""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_bench.bench.runtimes.profiling.litert.native import Library

__all__ = ["ExternalDelegate"]

_CPU = 1  # kLiteRtHwAcceleratorCpu
#: Words at the start of an accelerator's object among which its function is looked for. LiteRT 2.3 has 13.
_WORDS = 12
_Pointer = ctypes.c_void_p
_Create = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, _Pointer, _Pointer, _Pointer)
_Name = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.POINTER(ctypes.c_char_p))
_Hardware = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.POINTER(ctypes.c_int))
_Choice = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.POINTER(ctypes.c_bool))


class _Version(ctypes.Structure):
    _fields_ = (("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int))


_GetVersion = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.POINTER(_Version))


class ExternalDelegate:
    """The library of a delegate, registered in an environment. It must live as long as the environment."""

    def __init__(self, library: Library, path: Path, options: Mapping[str, str]) -> None:
        """Load it; raise OSError or AttributeError if it is not a library of a delegate."""
        self._library = library
        self._plugin = ctypes.CDLL(str(path))
        self._options = [(name.encode(), value.encode()) for name, value in options.items()]
        self._plugin.tflite_plugin_create_delegate.restype = ctypes.c_void_p
        self._destroy = ctypes.cast(self._plugin.tflite_plugin_destroy_delegate, ctypes.c_void_p)
        self._functions: list[Any] = [
            _Create(self._create), _Name(_name), _GetVersion(_version), _Hardware(_hardware), _Choice(_responsible)
        ]  # fmt: skip

    def register(self, environment: ctypes.c_void_p) -> None:
        """Make the environment's models apply it before XNNPACK; raise RuntimeError if LiteRT's objects differ."""
        library, (create, *others) = self._library, self._functions
        if not library.has("LiteRtDestroyDelegateWrapper"):  # older releases pass other arguments to these functions
            raise RuntimeError("this release of LiteRT cannot profile a model with a delegate")
        cpu = library.pointer("LiteRtGetAccelerator", environment, ctypes.c_size_t(0))
        second = library.pointer("LiteRtCreateAccelerator")
        library.call("LiteRtSetDelegateFunction", second, create, None)
        own = ctypes.cast(create, ctypes.c_void_p).value
        words = list((ctypes.c_size_t * _WORDS).from_address(second.value or 0))
        if words.count(own or 0) != 1:
            raise RuntimeError("this release of LiteRT cannot profile a model with a delegate")
        xnnpack = (ctypes.c_size_t * _WORDS).from_address(cpu.value or 0)[words.index(own or 0)]
        library.call("LiteRtSetDelegateFunction", cpu, create, None)
        library.call("LiteRtSetDelegateFunction", second, ctypes.c_void_p(xnnpack), None)
        names = ("GetName", "GetVersion", "GetHardwareSupport")
        for name, function in zip(names, others, strict=False):
            library.call(f"LiteRtSetAccelerator{name}", second, function)
        library.call("LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation", second, others[-1])
        library.call("LiteRtRegisterAccelerator", environment, second, None, None)

    def _create(self, *arguments: Any) -> int:
        """Create the delegate for a model, into the place to which the last argument points; return a status."""
        count = len(self._options)
        names, values = ((ctypes.c_char_p * count)(*[option[side] for option in self._options]) for side in (0, 1))
        delegate = self._plugin.tflite_plugin_create_delegate(names, values, ctypes.c_size_t(count), None)
        if not delegate:
            return 1
        wrapper = self._library.pointer("LiteRtWrapDelegate", ctypes.c_void_p(delegate), self._destroy)
        ctypes.cast(arguments[-1], ctypes.POINTER(ctypes.c_void_p))[0] = wrapper.value
        return 0


def _name(_: Any, place: Any) -> int:
    place[0] = b"XNNPACK after a delegate"
    return 0


def _version(_: Any, place: Any) -> int:
    place[0] = _Version(1, 0, 0)
    return 0


def _hardware(_: Any, place: Any) -> int:
    place[0] = _CPU
    return 0


def _responsible(_: Any, place: Any) -> int:
    place[0] = True
    return 0
