"""Description of this machine: CPU, memory, operating system, container, emulation and libraries.

All files are read below ``root``, so that a recorded file tree of another machine can be described too.
"""

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt
from edge_bench.bench.system.arm_cores import QEMU_MAX, arm_core, boards_with
from edge_bench.bench.system.caches import last_cache_bytes
from edge_bench.bench.system.emulation.signs import emulation_signs

__all__ = ["Finding", "Machine", "cpu_name", "describe_machine", "library_versions"]

#: The name of the board in the device tree of a virtual machine.
VIRTUAL_BOARD = "linux,dummy-virt"
LIBRARIES = (
    "numpy", "tensorflow-cpu", "tensorflow", "keras", "tflite-runtime", "ai-edge-litert", "onnxruntime", "openvino",
    "ncnn", "pillow",
)  # fmt: skip


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that makes measurements unreliable, or may, and its remedy."""

    what: BoundedStr
    remedy: BoundedStr
    spoils: bool  # whether times are unreliable because of it


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of a machine that affect measurements."""

    hostname: BoundedStr
    board: BoundedStr  # "Raspberry Pi 4 Model B Rev 1.5"; empty if unknown
    cpu: BoundedStr
    architecture: BoundedStr
    cores: NonNegativeInt  # number of cores that this process may use
    frequency_mhz: float | None  # maximum
    governor: BoundedStr
    memory_bytes: NonNegativeInt
    cache_bytes: NonNegativeInt | None = None  # size of the last cache; None: unknown, as on some Arm boards
    cpu_limit: float | None = None  # number of cores that a cgroup allows; None: no limit
    load_average: float | None = None  # over the last minute before the description
    os: BoundedStr
    kernel: BoundedStr
    python: BoundedStr
    container: bool
    emulated: bool
    emulation_signs: Annotated[list[BoundedStr], Length]
    libraries: Annotated[dict[BoundedStr, BoundedStr], Length]

    @property
    def label(self) -> str:
        """The machine's name in tables."""
        name = f"{self.hostname} ({self.board or self.cpu}, {self.architecture})"
        return f"{name} EMULATED" if self.emulated else name

    @property
    def valid_for(self) -> str:
        """The boards that an emulated Arm machine's predictions are valid for: " for a Raspberry Pi 4", or empty."""
        if not self.emulated:
            return ""
        if self.cpu == QEMU_MAX:
            return " only for this core, which no Raspberry Pi has"
        return f" for a {boards}" if (boards := boards_with(self.cpu)) else ""


def describe_machine(root: Path = Path("/"), architecture: str | None = None) -> Machine:
    """Return a description of this machine; unknown properties are empty, never guessed.

    Under an emulator the clock and its governor are those of the host, and are omitted.
    """
    architecture = architecture or platform.machine()
    signs = emulation_signs(root, architecture)
    return Machine(
        hostname=read_text_or_empty(root / "proc/sys/kernel/hostname").strip() or platform.node() or "unknown",
        board=_board(root),
        cpu=cpu_name(root, architecture),
        architecture=architecture,
        cores=usable_cores(root),
        frequency_mhz=None if signs else _highest_frequency(root),
        governor="" if signs else _governors(root),
        memory_bytes=memory_bytes(root, "MemTotal"),
        cache_bytes=None if signs else last_cache_bytes(root),
        cpu_limit=cpu_limit(root),
        load_average=_load_average(root),
        os=_os_name(root),
        kernel=read_text_or_empty(root / "proc/sys/kernel/osrelease").strip() or platform.release(),
        python=platform.python_version(),
        container=in_container(root),
        emulated=bool(signs),
        emulation_signs=signs,
        libraries=library_versions(),
    )


def _board(root: Path) -> str:
    """Return the board's name from the device tree, or from /proc/cpuinfo: Docker hides the device tree.

    The kernel of Raspberry Pi OS writes a line "Model" after the cores. Others do not. A virtual machine has no board.
    """
    name = read_text_or_empty(root / "proc/device-tree/model").strip("\0 \n")
    if name and name != VIRTUAL_BOARD:
        return name
    match = re.search(r"^Model\s*:\s*(Raspberry Pi .*)$", read_text_or_empty(root / "proc/cpuinfo"), re.MULTILINE)
    return match[1].strip() if match else ""


def usable_cores(root: Path = Path("/")) -> int:
    """Return the number of cores that this process may use, which a container or taskset may reduce."""
    if root != Path("/"):
        return len(re.findall(r"^processor\s*:", read_text_or_empty(root / "proc/cpuinfo"), re.MULTILINE)) or 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def memory_bytes(root: Path, name: str) -> int:
    """Return ``MemTotal`` or ``MemAvailable`` of /proc/meminfo in bytes; psutil's value if there is none."""
    match = re.search(rf"^{name}:\s+(\d+) kB", read_text_or_empty(root / "proc/meminfo"), re.MULTILINE)
    if match:
        return int(match[1]) * 1024
    memory = psutil.virtual_memory()
    return int(memory.total if name == "MemTotal" else memory.available)


def cpu_limit(root: Path) -> float | None:
    """Return the number of cores that the quota of a cgroup, version 2 or 1, allows; None if there is no limit."""
    if limit := re.match(r"(\d+) (\d+)", read_text_or_empty(root / "sys/fs/cgroup/cpu.max")):
        return int(limit[1]) / int(limit[2])
    for folder in ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"):
        quota, period = (
            read_text_or_empty(root / folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
        )
        if quota.isdigit() and period.isdigit():  # the quota -1 means no limit
            return int(quota) / int(period)
    return None


def in_container(root: Path) -> bool:
    """Return whether this process runs in a container of Docker, Podman or another engine that can be detected."""
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return True
    return bool(re.search(r"docker|containerd|kubepods|libpod", read_text_or_empty(root / "proc/1/cgroup")))


def library_versions() -> dict[str, str]:
    """Return the installed versions of the libraries that affect measurements."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def cpu_name(root: Path = Path("/"), architecture: str = "") -> str:
    """Return the CPU's name, or ``architecture`` if it is unknown; empty if it is unknown below another ``root``."""
    text = read_text_or_empty(root / "proc/cpuinfo")
    if core := arm_core(text):  # first, because a model name is only "ARMv8 Processor rev 3 (v8l)" there
        return core
    if match := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
        return match[1].strip()
    if root != Path("/"):
        return ""
    return _cpu_name_without_proc() or architecture


def _cpu_name_without_proc() -> str:
    """Return the name that py-cpuinfo gets from the tools of a system without /proc/cpuinfo (macOS, BSD)."""
    try:
        import cpuinfo

        return str(cpuinfo.get_cpu_info().get("brand_raw", ""))
    except Exception:  # a missing name must not stop a run
        return ""


def _highest_frequency(root: Path) -> float | None:
    maximum = read_text_or_empty(root / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").strip()
    if maximum.isdigit():
        return int(maximum) / 1000
    current = [
        float(value)
        for value in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", read_text_or_empty(root / "proc/cpuinfo"), re.MULTILINE)
    ]
    return max(current) if current else None


def _governors(root: Path) -> str:
    """Return the frequency governor, or all of them if cores have different ones; empty if unknown."""
    files = root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    return ", ".join(sorted({read_text_or_empty(path).strip() for path in files} - {""}))


def _load_average(root: Path) -> float | None:
    match = re.match(r"\d+\.\d+", read_text_or_empty(root / "proc/loadavg"))
    return float(match[0]) if match else None


def _os_name(root: Path) -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', read_text_or_empty(root / "etc/os-release"), re.MULTILINE)
    return match[1] if match else platform.system()
