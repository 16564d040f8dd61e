"""Short machine code that asks the processor what no file says: the hypervisor's name, and the speed of arithmetic.

The code is written to a file in memory and mapped as read-only, so that it works where memory must not be both writable
and executable. A system that refuses that, or another processor, gives no answer.
"""

import ctypes
import errno
import functools
import mmap
import os
import platform
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["hypervisor_name", "multiply_add_ns"]

#: push rbx; mov eax, 0x40000000; cpuid; mov [rdi], ebx; mov [rdi+4], ecx; mov [rdi+8], edx; pop rbx; ret
_CPUID = bytes.fromhex("53 b800000040 0fa2 891f 894f04 895708 5b c3")
#: The results are exact, so that the flag "inexact" stays clear: QEMU then computes without the host's arithmetic unit.
_MULTIPLY_ADDS = struct.pack(
    "<21I",
    0xD51B443F,  # msr fpsr, xzr: clear all flags
    *(0x4F03F600 | register for register in range(8)),  # fmov v0.4s, #1.0 to v7
    0x4F03F610,  # fmov v16.4s, #1.0
    *(0x4E30CE00 | register for register in range(8)),  # loop: fmla v0.4s, v16.4s, v16.4s to v7
    0xF1000400,  # subs x0, x0, #1
    0x54FFFEE1,  # b.ne loop
    0xD65F03C0,  # ret
)
_LOOPS, _PER_LOOP = 200, 8
#: The shortest of so many counts: other programs, and a hypervisor that runs another machine, only make it longer.
_REPEATS = 25
#: Of Linux (memfd.h): the file is closed in programs that this one starts.
_MFD_CLOEXEC = 1


@functools.cache
def hypervisor_name() -> str:
    """Return the name in CPUID leaf 0x40000000, 12 characters without zeros at the end; empty if unknown.

    Without a hypervisor, processors return other numbers there, which are no name.
    """
    if platform.machine() not in ("x86_64", "amd64"):
        return ""
    name = ctypes.create_string_buffer(12)
    with _function(_CPUID, ctypes.c_void_p) as call:
        if call is not None:
            call(ctypes.addressof(name))
    return name.raw.rstrip(b"\0").decode("latin-1")


@functools.cache
def multiply_add_ns() -> float | None:
    """Return how long a multiply-add of four floats takes this arm64 core, in ns of CPU time; None if unknown."""
    if platform.machine() not in ("aarch64", "arm64"):
        return None
    with _function(_MULTIPLY_ADDS, ctypes.c_uint64) as call:
        if call is None:
            return None
        durations = []
        for _ in range(_REPEATS):
            start = time.thread_time_ns()
            call(_LOOPS)
            durations.append(time.thread_time_ns() - start)
    return min(durations) / (_LOOPS * _PER_LOOP)


@contextmanager
def _function(code: bytes, argument: type) -> Iterator[Callable[[int], None] | None]:
    """Yield machine code as a function of one argument; None if this system does not allow it."""
    if sys.platform != "linux":
        yield None
        return
    import numpy as np

    try:
        file = _file_in_memory()
        try:
            os.write(file, code)
            memory = mmap.mmap(file, len(code), prot=mmap.PROT_READ | mmap.PROT_EXEC)
        finally:
            os.close(file)
    except OSError:  # SELinux, systemd's MemoryDenyWriteExecute, no memory, a C library without memfd_create
        yield None
        return
    address = np.frombuffer(memory, np.uint8).ctypes.data  # ctypes gives no address of read-only memory
    try:
        yield ctypes.CFUNCTYPE(None, argument)(address)
    finally:
        memory.close()


def _file_in_memory() -> int:
    """Return the descriptor of a new file in memory. Raise OSError if there can be none.

    A Python that was built for an old C library, such as that of conda, has no ``os.memfd_create``. The C library of
    this machine may have it.
    """
    if hasattr(os, "memfd_create"):
        return os.memfd_create("edge-bench")
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "memfd_create"):  # before glibc 2.27
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    file = int(library.memfd_create(b"edge-bench", _MFD_CLOEXEC))
    if file < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return file
