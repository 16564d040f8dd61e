"""The stack that signal handlers of this process run on.

OpenVINO installs a stack of its own while it compiles some models, and frees it without installing the former one. In a
process that loads models only to measure them, this has no effect: it ignores signals. A test process lives on, and the
next signal with a Python handler would end it with a segmentation fault.
"""

import ctypes

__all__ = ["SignalStack"]


class SignalStack(ctypes.Structure):
    """``stack_t`` of sigaltstack(2)."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))

    @classmethod
    def installed(cls) -> "SignalStack":
        """Return the stack of this thread."""
        stack = cls()
        ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack))
        return stack

    def install(self) -> None:
        """Make this the stack of this thread, unless it is already."""
        if self.installed().address != self.address:
            ctypes.CDLL(None).sigaltstack(ctypes.byref(self), None)
