"""A delegate for TensorFlow Lite runtimes, compiled from ``delegate.c``, which lists its options."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "built_delegate"]

SOURCE = Path(__file__).with_name("delegate.c")
#: Builtin codes of operators, for the option ``operator``.
CONV_2D, FULLY_CONNECTED, SOFTMAX = 3, 9, 25


def built_delegate(folder: Path, machine: str = "x86_64", source: Path = SOURCE) -> Path:
    """Compile the delegate for a machine, named as by ``uname -m``, into ``folder``; return the library's path.

    Skip the test if there is no compiler for that machine.
    """
    own = ("cc", "gcc") if machine == platform.machine() else ()
    names = (*own, f"{machine}-linux-gnu-gcc")
    compiler = next(filter(None, map(shutil.which, names)), None)
    if compiler is None:
        pytest.skip(f"no C compiler for {machine} ({' or '.join(names)}), which the test delegate needs")
    library = folder / f"lib{source.stem}-{machine}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", source, "-o", library], check=True, timeout=60)
    return library
