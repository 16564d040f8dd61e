"""Calls of functions of LiteRT's library."""

import ctypes
from pathlib import Path
from typing import Any

__all__ = ["Library"]

#: Values of LiteRtStatus in LiteRT's litert/c/litert_common.h. The library exports no function for their names.
_STATUS = {
    1: "invalid argument", 2: "out of memory", 3: "runtime failure", 5: "unsupported", 6: "not found",
    500: "file error", 501: "invalid file", 504: "compilation error",
}  # fmt: skip


class Library:
    """The loaded library; its functions raise RuntimeError unless they return success."""

    def __init__(self) -> None:
        import ai_edge_litert

        self._library = ctypes.CDLL(str(Path(ai_edge_litert.__file__).with_name("libLiteRt.so")))
        self._c = ctypes.CDLL(None)
        self._c.malloc.restype, self._c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that returns a status."""
        if status := getattr(self._library, name)(*arguments):
            raise RuntimeError(f"{name} failed: {_STATUS.get(status, 'error')} (status {status})")

    def pointer(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """Call a function whose last parameter receives a pointer, and return that."""
        found = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(found))
        return found

    def count(self, name: str, *arguments: Any) -> int:
        """Call a function whose last parameter receives a size, and return that."""
        found = ctypes.c_size_t()
        self.call(name, *arguments, ctypes.byref(found))
        return found.value

    def has(self, name: str) -> bool:
        """Return whether the library has a function."""
        return hasattr(self._library, name)

    def options(self, identifier: str, text: str) -> ctypes.c_void_p:
        """Return options in TOML for a part of LiteRT, which frees them."""
        data = text.encode() + b"\0"
        memory = self._c.malloc(len(data))
        ctypes.memmove(memory, data, len(data))
        free = ctypes.cast(self._c.free, ctypes.c_void_p)
        return self.pointer("LiteRtCreateOpaqueOptions", identifier.encode(), ctypes.c_void_p(memory), free)

    def destroy(self, name: str, pointer: ctypes.c_void_p) -> None:
        """Call a function that returns nothing."""
        function = getattr(self._library, name)
        function.restype = None
        function(pointer)
