"""The parts of the sandbox that the kernel supports, and whether it is used."""

import os
from typing import NamedTuple

from edge_bench.bench.errors import BadInput
from edge_bench.bench.sandbox.landlock import landlock_abi
from edge_bench.bench.sandbox.seccomp import seccomp_supported

__all__ = ["VARIABLE", "Support", "sandbox_support"]

#: The value ``off`` switches the sandbox off, to measure its cost.
VARIABLE = "EDGE_BENCH_SANDBOX"


class Support(NamedTuple):
    """The parts of the sandbox that are applied to every process with a model."""

    landlock: int  # version of the interface; 0: none
    seccomp: bool
    switched_off: bool = False  # by the environment

    @property
    def active(self) -> bool:
        """Whether files, network, programs and signals are all restricted."""
        return self.landlock > 0 and self.seccomp

    @property
    def parts(self) -> list[str]:
        """Names of the active parts, empty if there are none."""
        return [*([f"Landlock ABI {self.landlock}"] if self.landlock else []), *(["seccomp"] if self.seccomp else [])]

    @property
    def problem(self) -> str:
        """Return what is not restricted, and why; empty if the sandbox is active."""
        if self.switched_off:
            return f"the sandbox for models is switched off by {VARIABLE}"
        if self.active:
            return ""
        if self.seccomp:
            return "the sandbox for models is incomplete: this kernel has no Landlock, so models can read any file"
        if self.landlock:
            return "the sandbox for models is incomplete: system calls cannot be filtered here (seccomp)"
        return "models run without a sandbox: this kernel or emulator supports neither Landlock nor seccomp"

    @property
    def remedy(self) -> str:
        """Return how to get an active sandbox."""
        if self.switched_off:
            return f"unset {VARIABLE}"
        return "run untrusted models only on Linux 5.13 or newer with Landlock, without an emulator"


def sandbox_support() -> Support:
    """Return the available parts; raise BadInput if the environment variable has an invalid value."""
    value = os.environ.get(VARIABLE, "")
    if value not in ("", "on", "off"):
        raise BadInput(f"{VARIABLE}={value[:40]!r}: not on or off", "unset it")
    if value == "off":
        return Support(0, False, switched_off=True)
    return Support(landlock_abi(), seccomp_supported())
