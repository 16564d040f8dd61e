"""CPU features that a library needs and this machine lacks, and the meaning of a process that ended for that reason.

The files ``libLiteRt*Accelerator.so`` in LiteRT's wheels for arm64 are built for Armv8.2-A. When one is loaded, it
checks the CPU, prints which feature is missing, and ends the process with SIGILL. These messages are in the file, one
per feature, so the file itself states what it needs. Instructions in the code would prove less, because libraries may
check the CPU before they use some of them.
"""

import importlib.util
import mmap
import re
import signal
from pathlib import Path

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.io.names import escape_surrogates
from edge_bench.bench.system.machine import Finding, cpu_name

__all__ = ["illegal_instruction", "litert_gpu_library_fault", "missing_features"]

#: Names of compilers, and the names in /proc/cpuinfo. Sources: LLVM, AArch64TargetParser; Linux, cpuinfo.c of arm64.
_KERNEL_NAMES = {
    "aes": ("aes",),
    "bf16": ("bf16",),
    "crc": ("crc32",),
    "dotprod": ("asimddp",),
    "fp16": ("fphp", "asimdhp"),
    "fp16fml": ("asimdfhm",),
    "i8mm": ("i8mm",),
    "lse": ("atomics",),
    "rcpc": ("lrcpc",),
    "rdm": ("asimdrdm",),
    "sha2": ("sha2",),
    "sha3": ("sha3",),
    "sve": ("sve",),
    "sve2": ("sve2",),
}
_STATEMENT = re.compile(rb"compiled with ([a-z0-9]{1,16}) enabled, but this feature is not available")
_LITERT = "ai_edge_litert"


def litert_gpu_library_fault(root: Path = Path("/"), package: Path | None = None) -> Finding | None:
    """Return a finding if LiteRT's GPU library cannot be loaded on this CPU; None without LiteRT or such a file.

    ``package`` is LiteRT's folder, by default the installed one, which is not imported. /proc is read below ``root``.
    """
    package = package or _installed_package()
    for library in sorted(package.glob("libLiteRt*Accelerator.so")) if package else []:
        if missing := missing_features(library, root):
            name = escape_surrogates(str(library))
            return Finding(
                what=f"LiteRT's GPU library needs CPU features that this CPU ({cpu_name(root)}) does not have "
                f"({', '.join(missing)}): LiteRT's CompiledModel API and litert-benchmark load {name} and end with "
                "SIGILL (illegal instruction). Runs of edge-bench do not load it",
                remedy="remove or rename this file, which only GPUs need",
                spoils=False,
            )
    return None


def missing_features(library: Path, root: Path = Path("/")) -> list[str]:
    """Return the features that a library states to need and an Arm CPU lacks, by their names in /proc/cpuinfo.

    The list is empty if the CPU has all of them, is not an Arm CPU, or the library states none or cannot be read.
    """
    present = _arm_features(root)
    if present is None:
        return []
    try:
        with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            stated = sorted({name.decode() for name in _STATEMENT.findall(content)})
    except (OSError, ValueError):  # an empty file cannot be mapped
        return []
    return sorted({each for name in stated for each in _KERNEL_NAMES.get(name, ()) if each not in present})


def illegal_instruction(number: int) -> str:
    """Return the remedy for a process of this machine that ended by signal ``number``; empty unless it is SIGILL."""
    if number != signal.SIGILL:
        return ""
    return (
        f"a library probably needs instructions that this CPU ({cpu_name()}) does not have: install a version of it "
        "that is built for this CPU, or use another runtime or machine"
    )


def _arm_features(root: Path) -> set[str] | None:
    """Return the features that all cores have; None if this is not the kernel of an Arm machine."""
    text = read_text_or_empty(root / "proc/cpuinfo")
    cores = [set(line.split()) for line in re.findall(r"^Features\s*:(.*)$", text, re.MULTILINE)]
    return set.intersection(*cores) if cores else None


def _installed_package() -> Path | None:
    found = importlib.util.find_spec(_LITERT)
    folders = found.submodule_search_locations if found else None
    return Path(folders[0]) if folders else None
