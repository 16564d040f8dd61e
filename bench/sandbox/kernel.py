"""System calls through the C library, for those without a Python function."""

import ctypes
import os
import struct
import sys
from typing import Any

__all__ = ["call", "native_architecture", "prctl"]


def call(number: int, *arguments: Any) -> int:
    """Make a system call and return its result; raise OSError if it fails. Integers are passed as long."""
    library = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(library.syscall(ctypes.c_long(number), *values))
    return _checked(result)


def prctl(option: int, *arguments: Any) -> int:
    """Call prctl(2); raise OSError if it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    values = [*arguments, 0, 0, 0, 0][:4]
    return _checked(
        int(library.prctl(option, *(ctypes.c_ulong(value) if isinstance(value, int) else value for value in values)))
    )


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def native_architecture() -> str:
    """Return x86_64 or aarch64 if this is a 64-bit Linux process of one of these, otherwise an empty string."""
    if sys.platform != "linux" or struct.calcsize("P") != 8 or sys.byteorder != "little":
        return ""
    machine = os.uname().machine
    return machine if machine in ("x86_64", "aarch64") else ""
