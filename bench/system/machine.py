"""What this machine is: CPU, memory, operating system, container or not, emulated or not, and its libraries.

Everything read from files is read below ``root``, so that a recorded tree of another machine can be described too.
"""

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Annotated

import msgspec
import psutil

from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt
from edge_bench.bench.system.emulation import emulation_signs

__all__ = ["Finding", "Machine", "describe_machine", "library_versions"]

#: Arm's part numbers of the cores that small boards have. Source: Linux, arch/arm64/include/asm/cputype.h.
ARM_CORES = {
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd04"): "Cortex-A35",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd09"): "Cortex-A73",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd49"): "Neoverse-N2",
}
LIBRARIES = (
    "numpy", "tensorflow-cpu", "tensorflow", "keras", "tflite-runtime", "ai-edge-litert", "onnxruntime", "pillow",
)  # fmt: skip


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that spoils a measurement, or may; and what to do about it."""

    what: BoundedStr
    remedy: BoundedStr
    spoils: bool  # whether times measured so are not to be trusted at all


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, as far as it decides a measurement."""

    hostname: BoundedStr
    board: BoundedStr  # "Raspberry Pi 4 Model B Rev 1.5"; empty where the machine does not say
    cpu: BoundedStr
    architecture: BoundedStr
    cores: NonNegativeInt  # that this process may use
    frequency_mhz: float | None  # highest
    governor: BoundedStr
    memory_bytes: NonNegativeInt
    cpu_limit: float | None = None  # cores that a cgroup allows; None where nothing limits it
    load_average: float | None = None  # over the last minute, when it was described
    os: BoundedStr
    kernel: BoundedStr
    python: BoundedStr
    container: bool
    emulated: bool
    emulation_signs: Annotated[list[BoundedStr], Length]
    libraries: Annotated[dict[BoundedStr, BoundedStr], Length]

    @property
    def label(self) -> str:
        """How tables name it."""
        name = f"{self.hostname} ({self.board or self.cpu}, {self.architecture})"
        return f"{name} EMULATED" if self.emulated else name


def describe_machine(root: Path = Path("/"), architecture: str | None = None) -> Machine:
    """Reads what this machine says of itself; what it does not say is left empty, never guessed.

    Under an emulator the clock and its governor are the other machine's, and are left out.
    """
    architecture = architecture or platform.machine()
    signs = emulation_signs(root, architecture)
    return Machine(
        hostname=_text(root / "proc/sys/kernel/hostname").strip() or platform.node() or "unknown",
        board=_text(root / "proc/device-tree/model").strip("\0 \n"),
        cpu=_cpu_name(root, architecture),
        architecture=architecture,
        cores=usable_cores(root),
        frequency_mhz=None if signs else _highest_frequency(root),
        governor="" if signs else _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip(),
        memory_bytes=memory_bytes(root, "MemTotal"),
        cpu_limit=cpu_limit(root),
        load_average=_load_average(root),
        os=_os_name(root),
        kernel=_text(root / "proc/sys/kernel/osrelease").strip() or platform.release(),
        python=platform.python_version(),
        container=in_container(root),
        emulated=bool(signs),
        emulation_signs=signs,
        libraries=library_versions(),
    )


def usable_cores(root: Path = Path("/")) -> int:
    """Cores that this process may use, which in a container or under taskset is fewer than there are."""
    if root != Path("/"):
        return len(re.findall(r"^processor\s*:", _text(root / "proc/cpuinfo"), re.MULTILINE)) or 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def memory_bytes(root: Path, name: str) -> int:
    """A figure of /proc/meminfo (``MemTotal``, ``MemAvailable``); elsewhere than on Linux, psutil's."""
    stated = re.search(rf"^{name}:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    if stated:
        return int(stated[1]) * 1024
    memory = psutil.virtual_memory()
    return int(memory.total if name == "MemTotal" else memory.available)


def cpu_limit(root: Path) -> float | None:
    """Cores that this container may use by its cgroup's quota, version 2 or 1; None where it may use all."""
    if limit := re.match(r"(\d+) (\d+)", _text(root / "sys/fs/cgroup/cpu.max")):
        return int(limit[1]) / int(limit[2])
    for folder in ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"):
        quota, period = (_text(root / folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
        if quota.isdigit() and period.isdigit():  # without a limit the quota is -1
            return int(quota) / int(period)
    return None


def in_container(root: Path) -> bool:
    """Whether this process runs in a container of Docker, Podman or another engine that says so."""
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return True
    return bool(re.search(r"docker|containerd|kubepods|libpod", _text(root / "proc/1/cgroup")))


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that decide a measurement."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _cpu_name(root: Path, architecture: str) -> str:
    text = _text(root / "proc/cpuinfo")
    if named := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
        return named[1].strip()
    # on Arm there is no model name: the implementer and part numbers say which core it is
    numbers = [re.search(rf"^CPU {field}\s*:\s*(\S+)", text, re.MULTILINE) for field in ("implementer", "part")]
    if numbers[0] and numbers[1]:
        pair = (numbers[0][1].lower(), numbers[1][1].lower())
        return ARM_CORES.get(pair, f"Arm core, implementer {pair[0]}, part {pair[1]}")
    if root != Path("/"):
        return ""
    return _cpu_name_elsewhere() or architecture


def _cpu_name_elsewhere() -> str:
    """py-cpuinfo asks the system's own tools, where there is no /proc/cpuinfo (macOS, BSD)."""
    try:
        import cpuinfo

        return str(cpuinfo.get_cpu_info().get("brand_raw", ""))
    except Exception:  # whatever it stumbles over, a name is not worth a run
        return ""


def _highest_frequency(root: Path) -> float | None:
    stated = _text(root / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").strip()
    if stated.isdigit():
        return int(stated) / 1000
    now = [float(value) for value in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", _text(root / "proc/cpuinfo"), re.MULTILINE)]
    return max(now) if now else None


def _load_average(root: Path) -> float | None:
    stated = re.match(r"\d+\.\d+", _text(root / "proc/loadavg"))
    return float(stated[0]) if stated else None


def _os_name(root: Path) -> str:
    named = re.search(r'^PRETTY_NAME="?([^"\n]+)', _text(root / "etc/os-release"), re.MULTILINE)
    return named[1] if named else platform.system()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
