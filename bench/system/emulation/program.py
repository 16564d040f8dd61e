"""Detection of QEMU's user emulation and of Rosetta: whether this program runs on an emulator of another processor.

QEMU's user emulation, which Docker uses for images of another architecture, translates a program's instructions and
passes its system calls to the real kernel. It emulates some files of /proc, including ``/proc/self/exe`` and
``/proc/cpuinfo``. The signs below are files that it does not emulate (linux-user/syscall.c, ``do_guest_openat`` and
``is_proc_myself``, as of QEMU 10).

One strong sign is enough, because a real machine cannot show it:

- *the executable*: ``/proc/thread-self/exe`` links to the program that the kernel runs. Under emulation its ELF header
  names the emulator's processor, not that of this program.
- *the kernel's processor*: ``/sys/devices/system/cpu/modalias`` begins with the type of the real processor, such as
  ``cpu:type:x86`` under an emulated arm64.
- *Apple's translator*: Rosetta, which Docker Desktop uses for amd64 images on a Mac, names its processor VirtualApple.
  On macOS itself, which has no /proc, the system says so: ``sysctl.proc_translated`` is 1 (developer.apple.com, "About
  the Rosetta translation environment").

Both weak signs are necessary, because a real machine can show either:

- *the kernel's build*: ``/proc/version`` names a compiler or builder for another processor, as that of a cross-compiled
  kernel may.
- *the processor's description*: ``/proc/cpuinfo`` has fields that only another processor's kernel writes; a container
  engine or a sandbox may replace that file.

Environment variables such as ``QEMU_CPU`` are no sign, because compose.yaml also sets them on a real Pi. A whole
emulated machine shows none of these signs (``whole_machine.py``).
"""

import ctypes
import re
import sys
from pathlib import Path

from edge_bench.bench.io.files import read_text_or_empty

__all__ = ["program_signs", "translated_by_macos"]

#: ELF's e_machine (little-endian, at byte 18) of common processors. Source: Linux, elf-em.h.
_ELF_MACHINES = {3: "x86", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V"}
_FAMILIES = {
    "x86": re.compile(r"x86|amd64|i[3-6]86", re.IGNORECASE),
    "arm": re.compile(r"aarch64|\barm", re.IGNORECASE),
    "riscv": re.compile(r"riscv", re.IGNORECASE),
}
#: Fields of /proc/cpuinfo that only the kernel of one family writes.
_CPUINFO_FIELDS = {"x86": r"^vendor_id\s*:", "arm": r"^CPU implementer\s*:", "riscv": r"^hart\s*:"}


def program_signs(root: Path, architecture: str, executable: Path) -> list[str]:
    """Return the signs that a program for ``architecture`` is emulated as text; an empty list if it is not.

    ``executable`` is the program's file.
    """
    family = _family(architecture)
    strong = [_executable(root, executable), _kernel_processor(root, family), _rosetta(root)]
    weak = [_kernel_build(root, family), _cpuinfo(root, family)]
    signs = [sign for sign in [*strong, *weak] if sign]
    return signs if any(strong) or all(weak) else []


def translated_by_macos() -> bool:
    """Return whether macOS runs this program with Rosetta."""
    if sys.platform != "darwin":
        return False
    answer, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
    places = (ctypes.byref(answer), ctypes.byref(size))
    failed = ctypes.CDLL(None).sysctlbyname(b"sysctl.proc_translated", *places, None, ctypes.c_size_t(0))
    return not failed and answer.value == 1


def _executable(root: Path, own: Path) -> str:
    running, this_program = _elf_machine(root / "proc/thread-self/exe"), _elf_machine(own)
    if None in (running, this_program) or running == this_program:
        return ""
    return f"the kernel runs a program for {_elf_name(running)}, but this one is for {_elf_name(this_program)}"


def _kernel_processor(root: Path, family: str) -> str:
    match = re.match(r"cpu:type:([^:,]+)", read_text_or_empty(root / "sys/devices/system/cpu/modalias"))
    if not match or _family(match[1]) in (family, ""):
        return ""
    return f"the kernel drives a processor of type {match[1]}"


def _rosetta(root: Path) -> str:
    return "the processor is called VirtualApple" if "VirtualApple" in read_text_or_empty(root / "proc/cpuinfo") else ""


def _kernel_build(root: Path, family: str) -> str:
    version = read_text_or_empty(root / "proc/version")
    foreign = [name for name, pattern in _FAMILIES.items() if name != family and pattern.search(version)]
    return f"the kernel was built for {foreign[0]}" if family and foreign else ""


def _cpuinfo(root: Path, family: str) -> str:
    text = read_text_or_empty(root / "proc/cpuinfo")
    foreign = [
        name for name, field in _CPUINFO_FIELDS.items() if name != family and re.search(field, text, re.MULTILINE)
    ]
    return f"/proc/cpuinfo describes a processor of the {foreign[0]} family" if family and foreign else ""


def _family(processor: str) -> str:
    return next((name for name, pattern in _FAMILIES.items() if pattern.search(processor)), "")


def _elf_machine(path: Path) -> int | None:
    """Return e_machine of an ELF file; None if the file cannot be read or is not ELF."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        return None
    return int.from_bytes(header[18:20], "little") if len(header) == 20 and header.startswith(b"\x7fELF") else None


def _elf_name(machine: int | None) -> str:
    return _ELF_MACHINES.get(machine or 0, f"ELF machine {machine}")
