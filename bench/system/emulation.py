"""Whether this process runs under an emulator of another processor, also where nobody said so.

QEMU's user emulation (what Docker uses for an image of another architecture) translates a program's instructions and
passes its system calls on to the real kernel. It answers a few files of /proc itself, ``/proc/self/exe`` and
``/proc/cpuinfo`` among them, so that programs find what they expect; the signs here are what it leaves alone
(linux-user/syscall.c, ``do_guest_openat`` and ``is_proc_myself``, as of QEMU 10).

Strong signs, of which one is enough, because a real machine cannot show them:

- *the executable*: ``/proc/thread-self/exe`` leads to the program that the kernel runs. Its ELF header names
  the processor it was made for: under emulation the emulator's, not this program's own.
- *the kernel's processor*: ``/sys/devices/system/cpu/modalias`` begins with the type of processor that the kernel
  drives, ``cpu:type:x86`` under an emulated arm64.
- *Apple's translator*: Rosetta, which Docker Desktop uses for amd64 images on a Mac, calls its processor VirtualApple.

Weak signs, of which it takes two, because each can be met on a real machine as well:

- *the kernel's build*: ``/proc/version`` names a compiler or builder of another processor: that of a cross-compiled
  kernel may, too.
- *the processor's description*: ``/proc/cpuinfo`` has fields that only the other processor's kernel writes: a container
  engine or a sandbox may fake that file.

What does not count: ``QEMU_CPU`` and its like in the environment, since compose.yaml sets it on a real Pi as well; and
the emulation of a whole machine with a kernel of its own, which shows none of this.
"""

import platform
import re
import sys
from pathlib import Path

__all__ = ["emulation_signs"]

#: ELF's e_machine, little-endian at byte 18, of the processors that matter here. Source: Linux, elf-em.h.
_ELF_MACHINES = {3: "x86", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V"}
_FAMILIES = {
    "x86": re.compile(r"x86|amd64|i[3-6]86", re.IGNORECASE),
    "arm": re.compile(r"aarch64|\barm", re.IGNORECASE),
    "riscv": re.compile(r"riscv", re.IGNORECASE),
}
#: Fields of /proc/cpuinfo that one family's kernel writes and no other's.
_CPUINFO_FIELDS = {"x86": r"^vendor_id\s*:", "arm": r"^CPU implementer\s*:", "riscv": r"^hart\s*:"}


def emulation_signs(
    root: Path = Path("/"), architecture: str | None = None, executable: Path | None = None
) -> list[str]:
    """What gives an emulator away, in words; an empty list on a real machine.

    ``root`` is where the machine's files are read, ``architecture`` what it says to be (``platform.machine()``),
    ``executable`` this program's own file (Python's).
    """
    family = _family(architecture or platform.machine())
    strong = [
        _executable(root, executable or Path(sys.executable)),
        _kernels_processor(root, family),
        _rosetta(root),
    ]
    weak = [_kernels_build(root, family), _description(root, family)]
    signs = [sign for sign in [*strong, *weak] if sign]
    return signs if any(strong) or all(weak) else []


def _executable(root: Path, own: Path) -> str:
    runs, made_for = _elf_machine(root / "proc/thread-self/exe"), _elf_machine(own)
    if None in (runs, made_for) or runs == made_for:
        return ""
    return f"the kernel runs a program for {_elf_name(runs)}, this one is for {_elf_name(made_for)}"


def _kernels_processor(root: Path, family: str) -> str:
    stated = re.match(r"cpu:type:([^:,]+)", _text(root / "sys/devices/system/cpu/modalias"))
    if not stated or _family(stated[1]) in (family, ""):
        return ""
    return f"the kernel drives a processor of type {stated[1]}"


def _rosetta(root: Path) -> str:
    return "the processor is called VirtualApple" if "VirtualApple" in _text(root / "proc/cpuinfo") else ""


def _kernels_build(root: Path, family: str) -> str:
    version = _text(root / "proc/version")
    foreign = [name for name, words in _FAMILIES.items() if name != family and words.search(version)]
    return f"the kernel was built for {foreign[0]}" if family and foreign else ""


def _description(root: Path, family: str) -> str:
    text = _text(root / "proc/cpuinfo")
    foreign = [
        name for name, field in _CPUINFO_FIELDS.items() if name != family and re.search(field, text, re.MULTILINE)
    ]
    return f"/proc/cpuinfo describes a processor of the {foreign[0]} family" if family and foreign else ""


def _family(words: str) -> str:
    return next((name for name, pattern in _FAMILIES.items() if pattern.search(words)), "")


def _elf_machine(path: Path) -> int | None:
    """e_machine of an ELF file; None where there is no such file, it cannot be read, or it is something else."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        return None
    return int.from_bytes(header[18:20], "little") if len(header) == 20 and header.startswith(b"\x7fELF") else None


def _elf_name(machine: int | None) -> str:
    return _ELF_MACHINES.get(machine or 0, f"ELF machine {machine}")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
