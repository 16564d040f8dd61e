"""The signs of any emulator that this process runs on."""

import platform
import sys
from pathlib import Path

from edge_bench.bench.system.emulation.program import program_signs
from edge_bench.bench.system.emulation.whole_machine import NO_PROBES, PROBES, Probes, machine_signs

__all__ = ["emulation_signs"]


def emulation_signs(
    root: Path = Path("/"),
    architecture: str | None = None,
    executable: Path | None = None,
    probes: Probes | None = None,
) -> list[str]:
    """Return the signs of an emulator as text; an empty list on a real machine, and on a virtual one.

    Files are read below ``root``. ``architecture`` defaults to ``platform.machine()``, ``executable`` (this program's
    file) to Python's. ``probes`` default to those of this processor, or to none below another root.
    """
    architecture = architecture or platform.machine()
    if probes is None:
        probes = PROBES if root == Path("/") else NO_PROBES
    if probes.translated():
        return ["macOS translates this program with Rosetta"]
    return program_signs(root, architecture, executable or Path(sys.executable)) or machine_signs(
        root, architecture, probes
    )
